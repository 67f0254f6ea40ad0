import { at, listOf, manifestsOf } from '../manifests.ts';
import type { Found } from '../report.ts';
import type { Check } from './check.ts';

export const storageClasses: Check = {
  id: 'storage-classes',
  title: 'Volumes use the storage classes of the platform, with access modes that work there.',
  requirements: ['SHALL-4.1'],
  run(subject) {
    const classes = new Map(subject.profile.storageClasses.map((each) => [each.name, each]));
    return manifestsOf(subject)
      .filter(({ kind }) => kind === 'PersistentVolumeClaim')
      .flatMap(({ object, name, file, environment }) => {
        const className = at(object, 'spec', 'storageClassName');
        const storage = typeof className === 'string' ? classes.get(className) : undefined;
        const base = { file, environments: [environment.name] };
        if (!storage) {
          const what =
            typeof className === 'string' ? `the storage class ${className}, which the platform does not have` : 'no storage class';
          return [
            {
              ...base,
              severity: 'error',
              message: `Claim ${name} has ${what}.`,
              cure: `Choose one of ${[...classes.keys()].join(', ')}.`,
            } satisfies Found,
          ];
        }
        const wrong = listOf(at(object, 'spec', 'accessModes')).filter((mode) => !storage.accessModes.some((known) => known === mode));
        // It binds, as the procedure's own sample does, and fails on the second node: a warning.
        return wrong.map(
          (mode): Found => ({
            ...base,
            severity: 'warning',
            message: `Claim ${name} asks ${String(mode)} of ${storage.name}, which only one node can mount.`,
            cure: 'Ask ReadWriteOnce, or choose a class of NFS.',
          }),
        );
      });
  },
};
