import { keyOf, partsOfKey, runController, source } from '@desp/kube';
import type { WorkloadContext } from './parts.ts';

/** Kinds that the API stores and no controller of the rehearsal acts upon. */
const kinds = [
  { apiVersion: 'apps/v1', kind: 'StatefulSet', instead: 'a Deployment with a claim of its own' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', instead: 'a Deployment' },
  { apiVersion: 'batch/v1', kind: 'CronJob', instead: 'a Job' },
];

/** Tells the owner of such an object that nothing will come of it, where `kubectl describe` shows it: silence would pretend. */
export async function runUnsupported(context: WorkloadContext): Promise<void> {
  const { client } = context;
  const recorder = context.recorder('rehearsal');
  await Promise.all(
    kinds.map(async ({ apiVersion, kind, instead }) => {
      const type = await client.resolve(apiVersion, kind).catch(() => undefined);
      if (type === undefined) return;
      await runController({
        ...context,
        name: `unsupported-${type.plural}`,
        concurrency: 1,
        sources: [source(type, (object, { type: change }) => (change === 'ADDED' ? [keyOf(object)] : []))],
        async reconcile(key) {
          const { namespace, name } = partsOfKey(key);
          const object = await client.get(type, name, namespace);
          if (object !== undefined)
            recorder.event(object, 'Warning', 'NotSupported', `The rehearsal stores a ${kind} and runs no pods for it; use ${instead}.`);
        },
      });
    }),
  );
}
