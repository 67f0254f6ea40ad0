import { customResourceDefinitionType, type KubeClient, type KubeObject } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { PlatformError } from '../platform-error.ts';

const establishMs = 20_000;

/** Applies custom resource definitions and waits until each is served; safe to repeat. */
export async function installDefinitions(
  client: KubeClient,
  definitions: readonly unknown[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const objects = definitions as readonly (KubeObject & {
    spec: { group: string; names: { kind: string }; versions: { name: string; served: boolean }[] };
  })[];
  for (const object of objects) {
    await client.patch(customResourceDefinitionType, object.metadata.name, undefined, object, {
      kind: 'apply',
      fieldManager: 'desp-platform',
      force: true,
    });
  }
  const until = clock.monotonic() + establishMs;
  for (const { metadata, spec } of objects) {
    const version = spec.versions.find((each) => each.served)?.name ?? '';
    while (!(await client.resolve(`${spec.group}/${version}`, spec.names.kind))) {
      if (clock.monotonic() > until)
        throw new PlatformError('UNAVAILABLE', `${client.server} does not serve ${metadata.name}.`, { kind: 'upstream', retryable: true });
      await clock.sleep(50, signal);
    }
  }
}
