import { type Clock, messageOf } from '@desp/runtime';
import { isKubeError, KubeError } from './errors.ts';
import { compareInstallOrder } from './install-order.ts';
import { apiVersionOf } from './keys.ts';
import type { KubeClient, KubeObject, ResourceType } from './types.ts';

export interface ApplySetOptions {
  readonly client: KubeClient;
  /** The field manager; the fields that it no longer sends are removed from the objects. */
  readonly manager: string;
  /** The label that marks every object of the set; a valid label value of at most 63 characters. */
  readonly id: { readonly label: string; readonly value: string };
  readonly objects: readonly KubeObject[];
  /** For namespaced objects that name none. */
  readonly namespace: string;
  /** Takes fields over from other managers instead of failing with `Conflict`. */
  readonly force: boolean;
  /**
   * Kinds that the set may hold from before, besides those of `objects`; what carries the label and is not in `objects`
   * is deleted. Absent: nothing is deleted.
   */
  readonly prune?: readonly { readonly apiVersion: string; readonly kind: string }[];
  /** Where to look for what disappeared; absent: in all namespaces, for which the client needs the right to list there. */
  readonly pruneNamespaces?: readonly string[];
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface ApplyOutcome {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly action: 'created' | 'configured' | 'unchanged' | 'deleted' | 'failed';
  /** Only with `failed`. */
  readonly error?: KubeError;
  /** The object as the server has it now; absent where it was deleted or failed. */
  readonly object?: KubeObject;
}

/** How long a kind may take to be served after its CRD was applied. */
const crdWaitMs = 10_000;

/**
 * Applies the objects (server-side, in Helm's kind order) and deletes those of the set that are no longer wanted (in
 * reverse). One object's failure does not stop the others, but nothing is deleted when any failed.
 *
 * Idempotent: a second run with the same objects changes nothing.
 */
export async function applySet(options: ApplySetOptions): Promise<ApplyOutcome[]> {
  const { client, id } = options;
  const sorted = options.objects.toSorted((a, b) => compareInstallOrder(a.kind, b.kind));
  const outcomes: ApplyOutcome[] = [];
  const newKinds = new Set<string>();
  const kept = new Set<string>();
  const types = new Map<string, ResourceType>();

  for (const object of sorted) {
    options.signal?.throwIfAborted();
    const about = { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name };
    try {
      const type = await resolveType(options, object, newKinds.has(`${groupOf(object.apiVersion)}/${object.kind}`));
      types.set(`${object.apiVersion}/${object.kind}`, type);
      const namespace = type.namespaced ? (object.metadata.namespace ?? options.namespace) : undefined;
      const { name } = object.metadata;
      const body = {
        ...object,
        metadata: { ...object.metadata, namespace, labels: { ...object.metadata.labels, [id.label]: id.value } },
      };
      kept.add(identity(type, namespace, name));
      const before = await client.get(type, name, namespace);
      const after = await client.patch(type, name, namespace, body, { kind: 'apply', fieldManager: options.manager, force: options.force });
      const action =
        before === undefined ? 'created' : before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'configured';
      outcomes.push({ ...about, namespace, action, object: after });
      if (object.kind === 'CustomResourceDefinition') {
        const { spec } = object as { spec?: { group?: string; names?: { kind?: string } } };
        newKinds.add(`${spec?.group}/${spec?.names?.kind}`);
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      outcomes.push({ ...about, namespace: object.metadata.namespace, action: 'failed', error: asKubeError(error) });
    }
  }
  if (options.prune !== undefined && outcomes.every((outcome) => outcome.action !== 'failed')) {
    outcomes.push(...(await prune(options, options.prune, types, kept)));
  }
  return outcomes;
}

/** Deletes everything of the set: `applySet` of nothing. */
export function deleteSet(
  options: Omit<ApplySetOptions, 'objects' | 'force'> & { prune: NonNullable<ApplySetOptions['prune']> },
): Promise<ApplyOutcome[]> {
  return applySet({ ...options, objects: [], force: false });
}

async function prune(
  options: ApplySetOptions,
  kinds: readonly { readonly apiVersion: string; readonly kind: string }[],
  types: Map<string, ResourceType>,
  kept: ReadonlySet<string>,
): Promise<ApplyOutcome[]> {
  const { client, id } = options;
  for (const { apiVersion, kind } of kinds) {
    const key = `${apiVersion}/${kind}`;
    if (types.has(key)) continue;
    const type = await client.resolve(apiVersion, kind);
    if (type !== undefined) types.set(key, type);
  }
  const outcomes: ApplyOutcome[] = [];
  const reversed = [...types.values()].toSorted((a, b) => compareInstallOrder(b.kind, a.kind));
  for (const type of reversed) {
    const namespaces = type.namespaced && options.pruneNamespaces !== undefined ? options.pruneNamespaces : [undefined];
    for (const namespace of namespaces) {
      options.signal?.throwIfAborted();
      const { items } = await client.list(type, { namespace, labelSelector: `${id.label}=${id.value}` });
      for (const { metadata } of items) {
        if (kept.has(identity(type, metadata.namespace, metadata.name))) continue;
        const about = { apiVersion: apiVersionOf(type), kind: type.kind, namespace: metadata.namespace, name: metadata.name };
        try {
          // The uid keeps us from deleting what somebody created anew under the name.
          if (metadata.deletionTimestamp === undefined) await client.delete(type, metadata.name, metadata.namespace, { uid: metadata.uid });
          outcomes.push({ ...about, action: 'deleted' });
        } catch (error) {
          outcomes.push({ ...about, action: 'failed', error: asKubeError(error) });
        }
      }
    }
  }
  return outcomes;
}

async function resolveType(options: ApplySetOptions, object: KubeObject, expected: boolean): Promise<ResourceType> {
  const until = options.clock.monotonic() + (expected ? crdWaitMs : 0);
  for (;;) {
    const type = await options.client.resolve(object.apiVersion, object.kind);
    if (type !== undefined) return type;
    if (options.clock.monotonic() >= until) {
      throw new KubeError('UnknownKind', `no matches for kind "${object.kind}" in version "${object.apiVersion}"`, {
        cure: 'Install the CustomResourceDefinition first, or use a version that the cluster serves.',
      });
    }
    await options.clock.sleep(100, options.signal);
  }
}

function identity(type: ResourceType, namespace: string | undefined, name: string): string {
  return [type.group, type.kind, namespace ?? '', name].join('/');
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

function asKubeError(error: unknown): KubeError {
  return isKubeError(error) ? error : new KubeError('Unknown', messageOf(error), { cause: error });
}
