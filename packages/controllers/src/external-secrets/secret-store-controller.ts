import { type EventRecorder, partsOfKey, type ReconcileContext, type ReconcileResult } from '@desp/kube';
import { messageOf } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { withCondition } from './conditions.ts';
import type { resourceTypes, SecretStore, SyncCondition } from './schema.ts';
import { openVault, type VaultProviderOptions } from './vault-provider.ts';

/** A store is looked at again so often even if nothing changes. */
const revalidateMs = 300_000;

/** Logs in to the store once and says in its Ready condition whether that works. */
export async function reconcileStore(
  key: string,
  context: ReconcileContext,
  parts: { types: ReturnType<typeof resourceTypes>; vault: VaultProviderOptions; events: EventRecorder },
): Promise<ReconcileResult> {
  const { name, namespace } = partsOfKey(key);
  const type = parts.types.SecretStore;
  const store = await context.client.get(type, name, namespace);
  if (store === undefined || store.metadata.deletionTimestamp !== undefined) return undefined;

  async function report(condition: Omit<SyncCondition, 'lastTransitionTime' | 'type'>, capabilities: string | undefined): Promise<void> {
    const conditions = withCondition(store?.status?.conditions, { type: 'Ready', ...condition }, context.clock);
    const status = { conditions, ...(capabilities === undefined ? {} : { capabilities }) };
    if (JSON.stringify(conditions) === JSON.stringify(store?.status?.conditions) && capabilities === store?.status?.capabilities) return;
    await context.client.patch(type, name, namespace, { status }, { kind: 'merge', subresource: 'status' });
  }

  try {
    const session = await openVault(parts.vault, store);
    await session.close();
  } catch (error) {
    if (!(error instanceof ControllerError)) throw error;
    parts.events.event(store, 'Warning', 'InvalidProviderConfig', messageOf(error));
    await report({ status: 'False', reason: 'InvalidProviderConfig', message: 'unable to create client' }, store.status?.capabilities);
    throw error;
  }
  const wasReady = store.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;
  if (!wasReady) parts.events.event(store, 'Normal', 'Valid', 'store validated');
  await report({ status: 'True', reason: 'Valid', message: 'store validated' }, 'ReadWrite');
  return { requeueAfterMs: revalidateMs };
}

export function isReady(store: SecretStore): boolean {
  return store.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
