import {
  type EventRecorder,
  isControlledBy,
  isKubeError,
  partsOfKey,
  type ReconcileContext,
  type ReconcileResult,
  type Secret,
  secretType,
} from '@desp/kube';
import { messageOf } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { timestamp, withCondition } from './conditions.ts';
import { parseDuration } from './duration.ts';
import { fetchData } from './fetch-data.ts';
import { metadataHash } from './object-hash.ts';
import { cleanupFinalizer, type ProfileFacts } from './profile.ts';
import { type ExternalSecret, type ExternalSecretSpec, readExternalSecret, type resourceTypes, type StoreReference } from './schema.ts';
import { isReady } from './secret-store-controller.ts';
import { isIntact, planSecret } from './target-secret.ts';
import { applyTemplate } from './template.ts';
import { openVault, type VaultProviderOptions, type VaultSession } from './vault-provider.ts';

export interface ExternalSecretParts {
  readonly facts: ProfileFacts;
  readonly types: ReturnType<typeof resourceTypes>;
  readonly vault: VaultProviderOptions;
  readonly events: EventRecorder;
}

/** Makes the Secret of one ExternalSecret what its store says, when that is due or somebody changed the Secret. */
export async function reconcileExternalSecret(
  key: string,
  context: ReconcileContext,
  parts: ExternalSecretParts,
): Promise<ReconcileResult> {
  const { name, namespace } = partsOfKey(key);
  const { client } = context;
  const found = await client.get(parts.types.ExternalSecret, name, namespace);
  if (found === undefined) return undefined;
  if (found.metadata.deletionTimestamp !== undefined) return finalize(found, context, parts);
  const object = await withFinalizer(found, context, parts);
  try {
    const spec = readExternalSecret(object);
    const interval = parseDuration(spec.refreshInterval ?? parts.facts.defaultRefreshInterval);
    const live = await client.get(secretType, targetName(object, spec), namespace);
    const wait = dueIn(object, interval, context, parts);
    if (wait > 0 && (spec.target.creationPolicy === 'None' || isIntact(live, parts.facts))) {
      return Number.isFinite(wait) ? { requeueAfterMs: wait } : undefined;
    }
    const condition = await synchronise(object, spec, live, context, parts);
    await report(object, spec, condition, context, parts);
    return interval > 0 ? { requeueAfterMs: interval } : undefined;
  } catch (error) {
    // Somebody wrote between our read and our write: no failure, the key comes back at once.
    if (isKubeError(error, 'Conflict')) throw error;
    await reportFailure(object, error, context, parts);
    throw error;
  }
}

interface Outcome {
  readonly reason: 'SecretSynced' | 'SecretMissing';
  readonly message: string;
}

async function synchronise(
  object: ExternalSecret,
  spec: ExternalSecretSpec,
  live: Secret | undefined,
  context: ReconcileContext,
  parts: ExternalSecretParts,
): Promise<Outcome> {
  const { client } = context;
  const { creationPolicy } = spec.target;
  refuseUnsupported(spec);
  const data = applyTemplate(spec.target.template, await fetchAll(object, spec, context, parts), live, context.clock);
  const synced = { reason: 'SecretSynced', message: parts.facts.syncedMessage } as const;
  if (creationPolicy === 'None') return synced;
  if (creationPolicy === 'Merge' && live === undefined) {
    return { reason: 'SecretMissing', message: 'secret will not be created due to CreationPolicy=Merge' };
  }
  const { secret } = planSecret(object, spec, data, live, parts.facts);
  if (creationPolicy === 'Merge') {
    // Applied with a manager of its own: keys that we no longer bring go, those of others stay.
    const fieldManager = `external-secrets.io/${object.metadata.name}`;
    await client.patch(secretType, secret.metadata.name, secret.metadata.namespace, secret, { kind: 'apply', fieldManager, force: true });
    return synced;
  }
  if (live === undefined) {
    await client.create(secretType, secret, { fieldManager: 'external-secrets' });
    parts.events.event(object, 'Normal', 'Created', 'secret created');
  } else {
    await replaceSecret(live, secret, context);
    parts.events.event(object, 'Normal', 'Updated', 'secret updated');
  }
  await deleteOlderTargets(object, secret.metadata.name, context);
  return synced;
}

async function replaceSecret(live: Secret, secret: Secret, { client }: ReconcileContext): Promise<void> {
  if (live.immutable === true) {
    throw new ControllerError('CONFLICT', `the Secret "${secret.metadata.name}" is immutable and cannot be updated`, {
      kind: 'user',
      cure: 'Delete the Secret; it is made anew.',
    });
  }
  await client.replace(secretType, secret, { fieldManager: 'external-secrets' });
}

/** What this ExternalSecret made under another target name goes, as it would with its owner. */
async function deleteOlderTargets(object: ExternalSecret, current: string, { client }: ReconcileContext): Promise<void> {
  const { namespace } = object.metadata;
  const { items } = await client.list(secretType, namespace === undefined ? {} : { namespace });
  for (const secret of items) {
    if (secret.metadata.name === current || !isControlledBy(secret, object)) continue;
    const { uid } = secret.metadata;
    await client.delete(secretType, secret.metadata.name, namespace, uid === undefined ? {} : { uid });
  }
}

function refuseUnsupported(spec: ExternalSecretSpec): void {
  const refuse = (what: string, cure: string): never => {
    throw new ControllerError('NOT_SUPPORTED', `${what} is not supported by this rehearsal`, { kind: 'user', cure });
  };
  if (spec.target.deletionPolicy !== 'Retain') refuse(`deletionPolicy: ${spec.target.deletionPolicy}`, 'Use Retain.');
  if (spec.refreshPolicy !== 'Periodic') refuse(`refreshPolicy: ${spec.refreshPolicy}`, 'Use Periodic.');
}

/** One session a store for the whole round, ended whatever happens. */
async function fetchAll(object: ExternalSecret, spec: ExternalSecretSpec, context: ReconcileContext, parts: ExternalSecretParts) {
  const sessions = new Map<string, Promise<VaultSession>>();
  const open = (reference: StoreReference) => {
    const known = sessions.get(reference.name) ?? openStore(object, reference, context, parts);
    sessions.set(reference.name, known);
    return known;
  };
  try {
    return await fetchData(spec, async (own, remote) => {
      const reference = own ?? spec.secretStoreRef;
      if (reference === undefined) throw new ControllerError('INVALID', 'no secretStoreRef is given', { kind: 'user' });
      return (await open(reference)).read(remote.key, remote.version);
    });
  } finally {
    for (const session of await Promise.allSettled(sessions.values())) if (session.status === 'fulfilled') await session.value.close();
  }
}

async function openStore(object: ExternalSecret, reference: StoreReference, context: ReconcileContext, parts: ExternalSecretParts) {
  const { name, kind } = reference;
  if (kind !== 'SecretStore') {
    throw new ControllerError('NOT_SUPPORTED', `could not get ${kind} "${name}": this rehearsal has SecretStores of a namespace only`, {
      kind: 'user',
      cure: 'Use a SecretStore.',
    });
  }
  const store = await context.client.get(parts.types.SecretStore, name, object.metadata.namespace);
  if (store === undefined) {
    throw new ControllerError('NOT_FOUND', `could not get SecretStore "${name}", SecretStore.external-secrets.io "${name}" not found`, {
      kind: 'user',
    });
  }
  if (!isReady(store)) throw new ControllerError('NOT_READY', `SecretStore "${name}" is not ready`, { kind: 'user', retryable: true });
  return openVault(parts.vault, store);
}

const targetName = (object: ExternalSecret, spec: ExternalSecretSpec): string => spec.target.name ?? object.metadata.name;

function syncedVersion(object: ExternalSecret, facts: ProfileFacts): string {
  return `${object.metadata.generation ?? 0}-${metadataHash(object.metadata, facts.hash)}`;
}

/** Milliseconds until the source is read again; 0: now; Infinity: never, for it was read once and `0s` asks for no more. */
function dueIn(object: ExternalSecret, interval: number, { clock }: ReconcileContext, { facts }: ExternalSecretParts): number {
  const { refreshTime, syncedResourceVersion } = object.status ?? {};
  if (refreshTime === undefined || refreshTime === null || syncedResourceVersion !== syncedVersion(object, facts)) return 0;
  const since = clock.now().getTime() - Date.parse(refreshTime);
  // A time in the future: the clock was set back, so we cannot know how old the data are.
  if (!(since >= -1000)) return 0;
  return interval <= 0 ? Number.POSITIVE_INFINITY : Math.max(0, interval - since);
}

async function report(
  object: ExternalSecret,
  spec: ExternalSecretSpec,
  { reason, message }: Outcome,
  context: ReconcileContext,
  parts: ExternalSecretParts,
) {
  const { name, namespace } = object.metadata;
  const status = {
    binding: { name: targetName(object, spec) },
    conditions: withCondition(object.status?.conditions, { type: 'Ready', status: 'True', reason, message }, context.clock),
    refreshTime: timestamp(context.clock),
    syncedResourceVersion: syncedVersion(object, parts.facts),
  };
  await context.client.patch(parts.types.ExternalSecret, name, namespace, { status }, { kind: 'merge', subresource: 'status' });
}

/** The condition stays general; why it is so stands in the event alone, as in the real part. */
async function reportFailure(object: ExternalSecret, error: unknown, context: ReconcileContext, parts: ExternalSecretParts): Promise<void> {
  const { name, namespace } = object.metadata;
  const fetched = error instanceof ControllerError && error.code !== 'CONFLICT';
  const message = fetched ? 'could not get secret data from provider' : 'could not update secret';
  parts.events.event(object, 'Warning', 'UpdateFailed', messageOf(error));
  const condition = { type: 'Ready', status: 'False', reason: 'SecretSyncedError', message } as const;
  const conditions = withCondition(object.status?.conditions, condition, context.clock);
  const before = object.status;
  if (JSON.stringify(conditions) === JSON.stringify(before?.conditions) && (before?.refreshTime ?? null) === null) return;
  const status = { binding: before?.binding ?? { name: '' }, conditions, refreshTime: null };
  await context.client.patch(parts.types.ExternalSecret, name, namespace, { status }, { kind: 'merge', subresource: 'status' });
}

async function withFinalizer(object: ExternalSecret, { client }: ReconcileContext, parts: ExternalSecretParts): Promise<ExternalSecret> {
  const { finalizers = [] } = object.metadata;
  if (!parts.facts.marks || finalizers.includes(cleanupFinalizer)) return object;
  return client.replace(parts.types.ExternalSecret, {
    ...object,
    metadata: { ...object.metadata, finalizers: [...finalizers, cleanupFinalizer] },
  });
}

/** Its Secret goes by garbage collection, for the ExternalSecret owns it. */
async function finalize(object: ExternalSecret, { client }: ReconcileContext, parts: ExternalSecretParts): Promise<undefined> {
  const { finalizers = [] } = object.metadata;
  if (!finalizers.includes(cleanupFinalizer)) return undefined;
  const others = finalizers.filter((one) => one !== cleanupFinalizer);
  await client.replace(parts.types.ExternalSecret, { ...object, metadata: { ...object.metadata, finalizers: others } });
  return undefined;
}
