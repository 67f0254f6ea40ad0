import { gateRules } from './gate-rules.ts';
import { type Profile, parseProfile } from './profile.ts';
import { storageClasses } from './storage-classes.ts';

/** The letter of the DESP Integration Procedure 1.0 of 14 September 2023. */
export const procedure2023: Profile = parseProfile({
  name: 'procedure-2023',
  title: 'DESP Integration Procedure 1.0, 14 September 2023',
  environments: [
    {
      name: 'e2e',
      title: 'End to end (staging)',
      clusterLabels: { customer: 'e2e' },
      valuesFile: 'values.e2e.yaml',
      allowedDomains: ['desp.space'],
      registryHosts: ['registry-ct.e2e.desp.space'],
      entry: 'direct',
    },
    {
      name: 'prod',
      title: 'Production',
      clusterLabels: { customer: 'prod' },
      valuesFile: 'values.prod.yaml',
      allowedDomains: ['desp.space'],
      registryHosts: ['registry-ct.prod.desp.space'],
      entry: 'promotion',
    },
  ],
  templates: { project: 'desp/devsecops-templates', ref: 'main', files: ['sample-app-devsecops.yml', 'desp-devsecops.yml'] },
  fleetYml: 'warn',
  kubernetesVersion: 'v1.23.6',
  externalSecrets: { release: '0.9', apiVersions: ['external-secrets.io/v1beta1', 'external-secrets.io/v1alpha1'] },
  storageClasses,
  gate: gateRules,
});
