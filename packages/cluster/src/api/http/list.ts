import { ApiError, badRequest } from '../errors.ts';
import { type ApiObject, at } from '../object.ts';
import type { Resource } from '../resources/resource.ts';
import { parseFieldSelector, parseLabelSelector, type Selector } from '../store/selectors.ts';
import type { Store } from '../store/store.ts';
import type { ListMeta } from './table.ts';

/** Which objects of a resource a list, a watch or a deletion of a collection is about. */
export type Match = (object: ApiObject) => boolean;

/** The values of the fields that a resource can be selected by. */
function fieldValues(resource: Resource, object: ApiObject): Record<string, string> {
  const values: Record<string, string> = {
    'metadata.name': object.metadata.name,
    'metadata.namespace': object.metadata.namespace ?? '',
  };
  for (const [field, path] of Object.entries(resource.fields)) {
    const value = at(object, ...path);
    values[field] =
      value === undefined || value === null
        ? field === 'spec.unschedulable' || field === 'spec.hostNetwork'
          ? 'false'
          : ''
        : String(value);
  }
  return values;
}

/** @throws ApiError BadRequest */
export function readMatch(resource: Resource, namespace: string, name: string, query: URLSearchParams): Match {
  const labels: Selector = parseLabelSelector(query.get('labelSelector') ?? undefined);
  const known = ['metadata.name', 'metadata.namespace', ...Object.keys(resource.fields)];
  const fieldText = query.get('fieldSelector') ?? undefined;
  const fields = parseFieldSelector(fieldText, known);
  return (object) =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    (name === '' || object.metadata.name === name) &&
    labels(object.metadata.labels ?? {}) &&
    (!fieldText || fields(fieldValues(resource, object)));
}

interface Snapshot {
  readonly id: number;
  readonly revision: number;
  readonly objects: readonly ApiObject[];
  readonly expires: number;
  readonly question: string;
}

const snapshotLifetime = 5 * 60_000;
const snapshotCount = 64;

/**
 * Lists in pages. All pages of a list show one revision: what the first page saw is kept (objects are shared, so this
 * is an array of references) for five minutes, at most 64 of them; a page asked for later is answered with 410.
 */
export class Lister {
  #store: Store;
  #monotonic: () => number;
  #snapshots = new Map<number, Snapshot>();
  #next = 1;

  constructor(store: Store, monotonic: () => number) {
    this.#store = store;
    this.#monotonic = monotonic;
  }

  /** @throws ApiError BadRequest, Expired */
  list(resource: Resource, namespace: string, match: Match, query: URLSearchParams): { items: readonly ApiObject[]; metadata: ListMeta } {
    const limit = wholeNumber(query, 'limit');
    const token = query.get('continue') ?? '';
    const question = [resource.storage, namespace, query.get('labelSelector'), query.get('fieldSelector')].join('\n');
    if (token === '') {
      checkRevision(query, this.#store.revision);
      const items = this.#store.list(resource.storage, namespace === '' ? undefined : namespace).filter(match);
      const revision = this.#store.revision;
      if (limit === 0 || items.length <= limit) return { items, metadata: { resourceVersion: String(revision) } };
      return this.#page(this.#keep(items, revision, question), 0, limit);
    }
    const position = /^(\d{1,15})\.(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString('latin1'));
    if (!position) throw badRequest('continue key is not valid');
    const snapshot = this.#snapshots.get(Number(position[1]));
    if (snapshot === undefined || snapshot.question !== question || snapshot.expires < this.#monotonic()) {
      throw new ApiError(
        'Expired',
        'The provided continue parameter is too old to display a consistent list result. Start a new list without it.',
      );
    }
    return this.#page(snapshot, Number(position[2]), limit === 0 ? snapshot.objects.length : limit);
  }

  #page(snapshot: Snapshot, start: number, limit: number): { items: readonly ApiObject[]; metadata: ListMeta } {
    const items = snapshot.objects.slice(start, start + limit);
    const remaining = snapshot.objects.length - start - items.length;
    if (remaining <= 0) return { items, metadata: { resourceVersion: String(snapshot.revision) } };
    const next = Buffer.from(`${snapshot.id}.${start + items.length}`, 'latin1').toString('base64url');
    return { items, metadata: { resourceVersion: String(snapshot.revision), continue: next, remainingItemCount: remaining } };
  }

  #keep(objects: readonly ApiObject[], revision: number, question: string): Snapshot {
    const now = this.#monotonic();
    for (const [id, { expires }] of this.#snapshots) if (expires < now || this.#snapshots.size >= snapshotCount) this.#snapshots.delete(id);
    const snapshot = { id: this.#next, revision, objects, expires: now + snapshotLifetime, question };
    this.#next += 1;
    this.#snapshots.set(snapshot.id, snapshot);
    return snapshot;
  }
}

function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null || text === '') return 0;
  if (!/^\d{1,9}$/.test(text)) throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return Number(text);
}

/** A list is always of the newest state, which satisfies every `NotOlderThan`; only the future and `Exact` cannot be served. */
function checkRevision(query: URLSearchParams, newest: number): void {
  const asked = wholeNumberText(query.get('resourceVersion'));
  if (asked === undefined || asked === 0) return;
  if (asked > newest) throw tooLarge(asked, newest);
  if (query.get('resourceVersionMatch') === 'Exact' && asked !== newest) {
    throw new ApiError('Expired', `The resourceVersion for the provided list is too old: this server lists the newest state only.`);
  }
}

export function wholeNumberText(text: string | null): number | undefined {
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: it must be a number given by this server`);
  return Number(text);
}

export const tooLarge = (asked: number, newest: number): ApiError =>
  new ApiError('Timeout', `Too large resource version: ${asked}, current: ${newest}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
