import {
  type Change,
  createEventRecorder,
  createInformerSet,
  type InformerSet,
  type KubeClient,
  type KubeObject,
  keyOf,
  namespaceType,
  runController,
  secretType,
  serviceAccountType,
  source,
} from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import { reconcileExternalSecret } from './external-secret-controller.ts';
import { type ExternalSecretsProfile, group, profiles } from './profile.ts';
import { type ExternalSecret, resourceTypes, type SecretStore } from './schema.ts';
import { reconcileStore } from './secret-store-controller.ts';
import type { ResolveService } from './vault-provider.ts';

export interface ExternalSecretsOptions {
  /** With the rights of an administrator: it reads and writes Secrets of all namespaces and asks for tokens. */
  readonly client: KubeClient;
  readonly profile: ExternalSecretsProfile;
  readonly resolveService: ResolveService;
  /** Namespaces of secret stores that may see the controller's own token; default `vault`. */
  readonly trustedNamespaces?: readonly string[];
  /** Caches over `client` that are shared with other controllers; default: its own. */
  readonly informers?: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Who logs in where a store names no ServiceAccount. */
const ownServiceAccount = { name: 'external-secrets', namespace: 'external-secrets' };
/** Between tries of a failed key; the longest is a minute, so that a mended store is found while somebody waits for it. */
const backOff = { baseMs: 1000, maxMs: 60_000 };

/**
 * Runs the controllers of SecretStore and ExternalSecret until the signal aborts. The definitions of
 * `externalSecretsCrds` must be installed. Resolves when all work has ended.
 *
 * @throws KubeError when namespace and ServiceAccount `external-secrets` cannot be made
 */
export async function startExternalSecrets(options: ExternalSecretsOptions): Promise<void> {
  const { client, clock, signal } = options;
  const log = options.log.child({ controller: 'external-secrets' });
  const facts = profiles[options.profile];
  const types = resourceTypes(facts);
  await ensureOwnAccount(client);

  const informers = options.informers ?? createInformerSet({ client, clock, log, signal });
  const externalSecrets = informers.of(types.ExternalSecret);
  externalSecrets.addIndex('target', (object) => [`${object.metadata.namespace}/${targetOf(object)}`]);
  externalSecrets.addIndex('store', storesOf);
  const events = createEventRecorder({ client, component: 'external-secrets', clock, log });
  const { trustedNamespaces = ['vault'] } = options;
  const vault = { client, resolveService: options.resolveService, ownServiceAccount, trustedNamespaces, signal };
  const common = { client, clock, log: options.log, signal, informers, backOff };

  await Promise.all([
    runController({
      ...common,
      name: 'secret-store',
      sources: [source<SecretStore>(types.SecretStore, (store, change) => (isOwnStatus(change) ? [] : [keyOf(store)]))],
      reconcile: (key, context) => reconcileStore(key, context, { types, vault, events }),
    }),
    runController({
      ...common,
      name: 'external-secret',
      sources: [
        source<ExternalSecret>(types.ExternalSecret, (object, change) => (isOwnStatus(change) ? [] : [keyOf(object)])),
        source(secretType, (secret) => externalSecrets.byIndex('target', keyOf(secret)).map(keyOf)),
        source<SecretStore>(types.SecretStore, (store) => externalSecrets.byIndex('store', keyOf(store)).map(keyOf)),
      ],
      reconcile: (key, context) => reconcileExternalSecret(key, context, { facts, types, vault, events }),
    }),
  ]);
  await events.flushed();
}

/** A change of nothing but the status: ours, and no reason to look again. */
function isOwnStatus({ type, object, previous }: Change<KubeObject>): boolean {
  if (type !== 'MODIFIED' || previous === undefined || previous === object) return false;
  const facts = ({ metadata }: KubeObject) =>
    JSON.stringify([metadata.generation, metadata.labels, metadata.annotations, metadata.deletionTimestamp, metadata.finalizers]);
  return facts(object) === facts(previous);
}

interface SpecShape {
  readonly target?: { readonly name?: string };
  readonly secretStoreRef?: { readonly name?: string };
  readonly dataFrom?: readonly SourceShape[];
  readonly data?: readonly SourceShape[];
}
interface SourceShape {
  readonly sourceRef?: { readonly storeRef?: { readonly name?: string } };
}

function targetOf(object: ExternalSecret): string {
  return (object.spec as SpecShape).target?.name ?? object.metadata.name;
}

function storesOf(object: ExternalSecret): string[] {
  const { secretStoreRef, dataFrom = [], data = [] } = object.spec as SpecShape;
  const names = [secretStoreRef?.name, ...[...dataFrom, ...data].map(({ sourceRef }) => sourceRef?.storeRef?.name)];
  return [...new Set(names.filter((name) => name !== undefined))].map((name) => `${object.metadata.namespace}/${name}`);
}

async function ensureOwnAccount(client: KubeClient): Promise<void> {
  const { name, namespace } = ownServiceAccount;
  const apply = { kind: 'apply', fieldManager: group, force: true } as const;
  await client.patch(namespaceType, namespace, undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, apply);
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  await client.patch(serviceAccountType, name, namespace, account, apply);
}
