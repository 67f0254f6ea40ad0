import type { Area } from '../case.ts';
import { crud } from './crud.cases.ts';
import { custom } from './custom.cases.ts';
import { deploymentsArea } from './deployments.cases.ts';
import { honesty } from './honesty.cases.ts';
import { jobsArea } from './jobs.cases.ts';
import { kubectlArea } from './kubectl.cases.ts';
import { namespaces } from './namespaces.cases.ts';
import { network } from './network.cases.ts';
import { patches } from './patches.cases.ts';
import { podFiles } from './pod-files.cases.ts';
import { podsArea } from './pods.cases.ts';
import { rights } from './rights.cases.ts';
import { storage } from './storage.cases.ts';
import { watch } from './watch.cases.ts';

/** The suite, in the order of the support table. To add a case: an entry in its area; then record (docs/operate/acceptance.md). */
export const areas: readonly Area[] = [
  ...[crud, patches, watch, namespaces, custom, deploymentsArea, jobsArea, podsArea, podFiles, network, storage, rights],
  ...[kubectlArea, honesty],
];
