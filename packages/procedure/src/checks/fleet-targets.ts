import { matchesCluster } from '@desp/fleet';
import type { Found } from '../report.ts';
import { clusterOf, type Subject } from '../subject.ts';
import type { Check } from './check.ts';

export const fleetTargets: Check = {
  id: 'fleet-targets',
  title: 'fleet.yaml is readable and has a target for every environment.',
  requirements: ['SHALL-3.6.1'],
  run(subject) {
    const { bundleError, fleetWarnings } = subject;
    const errors: Found[] = bundleError
      ? [{ severity: 'error', message: bundleError.message, ...bundleError.where, cure: bundleError.cure ?? 'Correct fleet.yaml.' }]
      : [];
    const warnings = fleetWarnings
      .filter(({ where }) => subject.profile.fleetYml === 'warn' || !where.file.endsWith('fleet.yml') || where.line !== undefined)
      .map(({ message, where }): Found => ({ severity: 'warning', message, ...where, cure: 'Correct the field, or remove it.' }));
    return [...errors, ...warnings, ...uncovered(subject)];
  },
};

function uncovered({ bundles, environments }: Subject): Found[] {
  return bundles.flatMap(({ bundle, path, file }) => {
    const plain = bundle.spec.targetRestrictions?.length ?? 0;
    const customizations = bundle.spec.targets.slice(0, bundle.spec.targets.length - plain);
    return environments
      .filter((environment) => !customizations.some((target) => matchesCluster(target, clusterOf(environment), [])))
      .map((environment): Found => {
        const labels = Object.entries(environment.clusterLabels).map(([key, value]) => `${key}: ${value}`);
        return {
          severity: 'error',
          message: `The bundle in ${path} has no target for ${environment.name} (${labels.join(', ')}): it would get no values of its own there.`,
          file: file ?? path,
          environments: [environment.name],
          cure: `Add a targetCustomizations entry with clusterSelector.matchLabels ${labels.join(', ')} and valuesFiles ${environment.valuesFile}.`,
        };
      });
  });
}
