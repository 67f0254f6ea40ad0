import type { Check } from './check.ts';
import { ciFilePlans } from './ci-file-plans.ts';
import { confinedPaths } from './confined-paths.ts';
import { environmentsRender } from './environments-render.ts';
import { fleetTargets } from './fleet-targets.ts';
import { imageSources } from './image-sources.ts';
import { ingressHosts } from './ingress-hosts.ts';
import { repositoryLayout } from './repository-layout.ts';
import { secretsInSource } from './secrets-in-source.ts';
import { storageClasses } from './storage-classes.ts';

/**
 * All checks, in the order of the report. To add one: a file beside these that exports a `Check` named after what it asks, the
 * ids of the requirements it decides, a test beside it, and a line here.
 */
export const checks: readonly Check[] = [
  confinedPaths,
  repositoryLayout,
  ciFilePlans,
  fleetTargets,
  environmentsRender,
  ingressHosts,
  imageSources,
  storageClasses,
  secretsInSource,
];
