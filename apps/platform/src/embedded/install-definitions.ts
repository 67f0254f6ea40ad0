import { createHash } from 'node:crypto';
import { customResourceDefinitionType, type KubeClient, type KubeObject } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { PlatformError } from '../platform-error.ts';

const establishMs = 20_000;
/** On each definition: what it was applied from, so that a start does not apply again what is there already. */
const digestAnnotation = 'desp.space/applied';

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

/** Applies the custom resource definitions that are not there, or are others, and waits until each is served; safe to repeat. */
export async function installDefinitions(
  client: KubeClient,
  definitions: readonly unknown[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const wanted = (definitions as readonly Definition[]).map((definition) => ({ definition, digest: digestOf(definition) }));
  const { items } = await client.list(customResourceDefinitionType);
  const there = new Map(items.map(({ metadata }) => [metadata.name, metadata.annotations?.[digestAnnotation]]));
  await Promise.all(
    wanted
      .filter(({ definition, digest }) => there.get(definition.metadata.name) !== digest)
      .map(({ definition, digest }) => {
        const { metadata } = definition;
        const annotations = { ...metadata.annotations, [digestAnnotation]: digest };
        return client.patch(
          customResourceDefinitionType,
          metadata.name,
          undefined,
          { ...definition, metadata: { ...metadata, annotations } },
          {
            kind: 'apply',
            fieldManager: 'desp-platform',
            force: true,
          },
        );
      }),
  );
  const until = clock.monotonic() + establishMs;
  for (const { definition } of wanted) {
    const { metadata, spec } = definition;
    const version = spec.versions.find((each) => each.served)?.name ?? '';
    while (!(await client.resolve(`${spec.group}/${version}`, spec.names.kind))) {
      if (clock.monotonic() > until)
        throw new PlatformError('UNAVAILABLE', `${client.server} does not serve ${metadata.name}.`, { kind: 'upstream', retryable: true });
      await clock.sleep(50, signal);
    }
  }
}

const digestOf = (definition: Definition): string => createHash('sha256').update(JSON.stringify(definition)).digest('hex').slice(0, 16);
