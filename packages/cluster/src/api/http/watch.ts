import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@desp/runtime';
import { ApiError } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { inVersion } from '../objects/write.ts';
import { apiVersionOf, type Resource } from '../resources/resource.ts';
import type { Store, StoreEvent } from '../store/store.ts';
import { type Match, tooLarge, wholeNumberText } from './list.ts';
import type { Shape } from './negotiate.ts';
import { includeObjectOf, metadataOnly, toTable } from './table.ts';

/** Bytes that may wait for a slow reader; past them the watch ends and the client lists anew. */
export const maxBacklog = 16 * 1024 * 1024;
const bookmarkEvery = 60_000;
const defaultTimeout = 30 * 60;

export interface WatchOptions {
  readonly resource: Resource;
  readonly match: Match;
  readonly shape: Shape;
  readonly query: URLSearchParams;
  readonly store: Store;
  readonly clock: Clock;
  /** Ends the watch when the server closes or the sender's rights end. */
  readonly signal: AbortSignal;
}

/**
 * Serves one watch: state or history first, then each change as it is committed. What stops to match a selector is
 * reported as DELETED, what begins to match as ADDED.
 * @throws ApiError Expired for a revision that is no longer in the log, Timeout for one of the future
 */
export function serveWatch(request: IncomingMessage, response: ServerResponse, options: WatchOptions): void {
  const { store, resource, query } = options;
  const asked = wholeNumberText(query.get('resourceVersion'));
  if (asked !== undefined && asked > store.revision) throw tooLarge(asked, store.revision);
  if (asked !== undefined && asked !== 0 && asked < store.compacted) {
    throw new ApiError('Expired', `too old resource version: ${asked} (${store.compacted})`);
  }
  const writer = new EventWriter(response, options);
  response.writeHead(200, { 'Content-Type': `application/json${options.shape.parameters}`, 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  const initial = query.get('sendInitialEvents') === 'true';
  if (asked === undefined || asked === 0 || initial) {
    for (const object of store.list(resource.storage)) if (options.match(object)) writer.send('ADDED', object);
    if (initial) writer.bookmark(store.revision, true);
  } else {
    for (const event of store.replay(resource.storage, asked)) writer.event(event);
  }
  // Nothing was awaited since the state was read, so that no change falls between it and the subscription.
  const unsubscribe = store.subscribe(resource.storage, (event) => writer.event(event));
  let ended = false;
  const seconds = Math.min(Number(query.get('timeoutSeconds') ?? defaultTimeout) || defaultTimeout, 24 * 3600);
  const timeout = setTimeout(() => end(), seconds * 1000);
  const bookmarks =
    query.get('allowWatchBookmarks') === 'true' ? setInterval(() => writer.bookmark(store.revision, false), bookmarkEvery) : undefined;
  const end = () => {
    if (ended) return;
    ended = true;
    unsubscribe();
    clearTimeout(timeout);
    clearInterval(bookmarks);
    options.signal.removeEventListener('abort', end);
    response.end();
  };
  response.on('close', end);
  response.on('error', end);
  options.signal.addEventListener('abort', end, { once: true });
  if (options.signal.aborted) end();
  request.resume();
}

/** Many watches of one kind send the same text: it is made once per event and version. */
const texts = new WeakMap<ApiObject, Map<string, string>>();

function objectText(object: ApiObject, resource: Resource): string {
  const version = apiVersionOf(resource);
  const known = texts.get(object) ?? new Map<string, string>();
  texts.set(object, known);
  let text = known.get(version);
  if (text === undefined) {
    text = JSON.stringify(inVersion(object, resource));
    known.set(version, text);
  }
  return text;
}

class EventWriter {
  #response: ServerResponse;
  #options: WatchOptions;
  #headerSent = false;

  constructor(response: ServerResponse, options: WatchOptions) {
    this.#response = response;
    this.#options = options;
  }

  event({ type, object, previous, revision }: StoreEvent): void {
    const { match } = this.#options;
    if (type === 'DELETED') {
      if (match(object) || (previous !== undefined && match(previous))) this.send('DELETED', object);
      return;
    }
    const now = match(object);
    const before = previous === undefined ? type === 'MODIFIED' && !now : match(previous);
    if (now) this.send(before || (type === 'MODIFIED' && previous === undefined) ? 'MODIFIED' : 'ADDED', object);
    else if (before) this.send('DELETED', previous === undefined ? object : this.#asOf(previous, revision));
  }

  send(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: ApiObject): void {
    this.#write(`{"type":"${type}","object":${this.#text(object)}}\n`);
  }

  bookmark(revision: number, initialEnd: boolean): void {
    const { resource, shape, clock, query } = this.#options;
    const metadata = {
      resourceVersion: String(revision),
      creationTimestamp: null,
      ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const bare = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } as unknown as ApiObject;
    const object =
      shape.as === 'table'
        ? toTable(resource, [], { resourceVersion: String(revision) }, clock.now(), includeObjectOf(query), false)
        : shape.as === 'metadata'
          ? metadataOnly(bare)
          : bare;
    this.#write(`{"type":"BOOKMARK","object":${JSON.stringify(object)}}\n`);
  }

  #asOf(object: ApiObject, revision: number): ApiObject {
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  }

  #text(object: ApiObject): string {
    const { resource, shape, clock, query } = this.#options;
    if (shape.as === 'object') return objectText(object, resource);
    if (shape.as === 'metadata') return JSON.stringify(metadataOnly(object));
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
    const table = toTable(resource, [object], metadata, clock.now(), includeObjectOf(query), !this.#headerSent);
    this.#headerSent = true;
    return JSON.stringify(table);
  }

  #write(line: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(line);
    if (this.#response.writableLength > maxBacklog) this.#response.destroy();
  }
}
