import type { z } from 'zod';
import { gateRules } from './gate-rules.ts';
import { type Profile, type ProfileEnvironment, parseProfile } from './profile.ts';
import { storageClasses } from './storage-classes.ts';

const environment = (
  name: string,
  title: string,
  rest: Pick<ProfileEnvironment, 'allowedDomains' | 'entry'>,
): z.input<typeof ProfileEnvironment> => ({
  name,
  title,
  clusterLabels: { customer: `desp-${name}` },
  valuesFile: `values.desp-${name}.yaml`,
  registryHosts: [`registry-ct.${name}.desp.space`],
  ...rest,
});

/** What services of the platform do in 2025, seen in the one public repository in its layout. */
export const observed2025: Profile = parseProfile({
  name: 'observed-2025',
  title: 'Conventions seen in services of 2025',
  environments: [
    environment('dev', 'Development', { allowedDomains: ['desp.space'], entry: 'direct' }),
    environment('ivv', 'Integration, verification, validation', { allowedDomains: ['desp.space'], entry: 'direct' }),
    // Public names of production moved to the programme's own domain.
    environment('prod', 'Production', { allowedDomains: ['desp.space', 'destine.eu'], entry: 'promotion' }),
  ],
  templates: { project: 'desp/devsecops-templates', ref: 'main', files: ['desp-devsecops.yml', 'sample-app-devsecops.yml'] },
  fleetYml: 'warn',
  kubernetesVersion: 'v1.23.6',
  externalSecrets: { release: '0.9', apiVersions: ['external-secrets.io/v1beta1', 'external-secrets.io/v1'] },
  storageClasses,
  gate: gateRules,
});
