import { finished } from 'node:stream/promises';
import { DespError, messageOf } from '@desp/runtime';
import type { NodeAccess } from '../../node-access.ts';
import type { Attributes } from '../auth/rbac.ts';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.ts';
import { ApiError, badRequest, conflict, notFound } from '../errors.ts';
import { type ApiObject, at, copy, listAt, textAt } from '../object.ts';
import { transact } from '../objects/context.ts';
import { deleteObject, parseDeletionOptions } from '../objects/delete.ts';
import type { UserInfo } from '../types.ts';
import { decodeBody, mediaType, readBody } from './body.ts';
import { unknownPath } from './discovery.ts';
import { type Call, notAllowed } from './resource-handler.ts';
import { sendJson } from './respond.ts';
import { readWriteRequest } from './write-request.ts';

export interface PodContext {
  readonly tokens: ServiceAccountTokens;
  /** The node as it is now. */
  readonly node: () => NodeAccess | undefined;
  /** @throws ApiError Forbidden */
  readonly authorize: (user: UserInfo, wanted: Attributes) => void;
}

/** Subresources of pods that discovery names, for clients look there before they explain themselves, and that answer 501. */
export const unserved: readonly string[] = ['attach', 'portforward'];

/** log, exec, attach, portforward, eviction and binding. */
export async function servePodSubresource(call: Call): Promise<void> {
  const { target, info } = call;
  if (unserved.includes(target.subresource)) throw notServed(target.subresource);
  switch (target.subresource) {
    case 'log':
      if (info.verb !== 'get') throw notAllowed();
      return await serveLog(call);
    case 'exec':
      throw badRequest('Upgrade request required');
    case 'eviction':
      if (info.verb !== 'create') throw notAllowed();
      return await evict(call);
    case 'binding':
      if (info.verb !== 'create') throw notAllowed();
      return await bind(call);
    default:
      throw unknownPath();
  }
}

export const notServed = (subresource: string): ApiError =>
  new ApiError('NotImplemented', `pods/${subresource} is not served by this rehearsal cluster; use kubectl exec or logs`);

export const noNode = (): ApiError => new ApiError('NotImplemented', 'this rehearsal cluster has no node: nothing runs its pods');

/** The container that a request is about: the named one, the only one, or the one that the pod's annotation names. */
export function chooseContainer(pod: ApiObject, asked: string | null): string {
  const lists = ['initContainers', 'containers', 'ephemeralContainers'];
  const all = lists.flatMap((list) => listAt(pod, 'spec', list).map((container) => textAt(container, 'name') ?? ''));
  const { name } = pod.metadata;
  if (asked) {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const main = listAt(pod, 'spec', 'containers').map((container) => textAt(container, 'name') ?? '');
  if (main.length === 1) return main[0]!;
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (annotated !== undefined && main.includes(annotated)) return annotated;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]`);
}

/** A node's refusal as a Status: what the caller can mend is a 400, as from a real kubelet. */
export function fromNodeError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DespError && error.kind === 'user') return new ApiError('BadRequest', error.message, undefined, error);
  return new ApiError('InternalError', messageOf(error), undefined, error);
}

function wholeNumber(query: URLSearchParams, key: string): number | undefined {
  const text = query.get(key);
  if (text === null || text === '') return undefined;
  if (!/^\d{1,12}$/.test(text)) throw badRequest(`${key}: Invalid value: ${JSON.stringify(text)}: must be a whole number, 0 or more`);
  return Number(text);
}

async function serveLog(call: Call): Promise<void> {
  const { context, response, info, namespace, target } = call;
  const pod = context.store.get('pods', namespace, target.name);
  if (pod === undefined) throw notFound(call.resource, target.name);
  const { query } = info;
  const container = chooseContainer(pod, query.get('container'));
  const node = context.node();
  if (node === undefined) throw noNode();
  const flag = (key: string) => query.get(key) === 'true' || query.get(key) === '1';
  const [tailLines, sinceSeconds, limitBytes] = ['tailLines', 'sinceSeconds', 'limitBytes'].map((key) => wholeNumber(query, key));
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const log = await node
    .logs({
      namespace,
      pod: target.name,
      container,
      follow: flag('follow'),
      previous: flag('previous'),
      timestamps: flag('timestamps'),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      signal: AbortSignal.any([gone.signal, context.closing]),
    })
    .catch((error: unknown) => {
      throw fromNodeError(error);
    });
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
  response.flushHeaders();
  log.pipe(response);
  log.on('error', () => response.destroy());
  await finished(response).catch(() => {});
  log.destroy();
}

/** An eviction deletes the pod; disruption budgets are stored, not enforced, and a warning says so. */
async function evict(call: Call): Promise<void> {
  const { context, request, response, info, target, resource, user } = call;
  const eviction = decodeBody(await readBody(request), mediaType(request));
  const write = readWriteRequest(request, response, info.query, { ...target, subresource: '', resource }, user);
  await deleteObject(context, write, target.name, parseDeletionOptions(at(eviction, 'deleteOptions'), info.query));
  sendJson(request, response, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** Puts a pod on a node, once. */
async function bind(call: Call): Promise<void> {
  const { context, request, response, info, target, resource, namespace, user } = call;
  const binding = decodeBody(await readBody(request), mediaType(request));
  const nodeName = textAt(binding, 'target', 'name') ?? '';
  if (nodeName === '') throw badRequest('target.name is required');
  const write = readWriteRequest(request, response, info.query, { ...target, resource }, user);
  await transact(context.store, write.dryRun, (transaction) => {
    const pod = transaction.get('pods', namespace, target.name);
    if (pod === undefined) throw notFound(resource, target.name);
    const present = textAt(pod, 'spec', 'nodeName');
    if (present) throw conflict(resource, target.name, `pod ${target.name} is already assigned to node "${present}"`);
    if (pod.metadata.deletionTimestamp !== undefined) throw conflict(resource, target.name, `pod ${target.name} is being deleted`);
    const next = copy(pod);
    next['spec'] = { ...(next['spec'] as object), nodeName };
    const scheduled = {
      type: 'PodScheduled',
      status: 'True',
      lastProbeTime: null,
      lastTransitionTime: `${context.clock.now().toISOString().slice(0, 19)}Z`,
    };
    const others = listAt(next, 'status', 'conditions').filter((condition) => textAt(condition, 'type') !== 'PodScheduled');
    next['status'] = { ...(next['status'] as object), conditions: [...others, scheduled] };
    return transaction.put('pods', next);
  });
  sendJson(request, response, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}
