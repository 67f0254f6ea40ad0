import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerReview, type ReviewContext } from '../auth/reviews.ts';
import { ApiError, notFound } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { asResource } from '../objects/admit.ts';
import type { ObjectsContext } from '../objects/context.ts';
import { deleteObject, deleteObjects, parseDeletionOptions } from '../objects/delete.ts';
import { patchObject } from '../objects/patch.ts';
import { toScale, writeScale } from '../objects/scale.ts';
import { createObject, finalizeNamespace, inVersion, replaceObject, type Written } from '../objects/write.ts';
import type { Resource } from '../resources/resource.ts';
import type { UserInfo } from '../types.ts';
import { decodeBody, decodePatch, mediaType, readBody } from './body.ts';
import { unknownPath } from './discovery.ts';
import { type Lister, readMatch } from './list.ts';
import { negotiate, type Shape } from './negotiate.ts';
import { type PodContext, servePodSubresource } from './pod-handler.ts';
import type { RequestInfo, ResourceTarget } from './request-info.ts';
import { addWarning, sendJson } from './respond.ts';
import { shapeList, shapeObject } from './table.ts';
import { serveWatch } from './watch.ts';
import { readWriteRequest } from './write-request.ts';

/** Everything that requests on resources work with. */
export interface ResourceContext extends ObjectsContext, PodContext {
  readonly lister: Lister;
  readonly reviewContext: (user: UserInfo, namespace: string) => ReviewContext;
  readonly closing: AbortSignal;
}

/** One request on a resource, with its user, authorized already. */
export interface Call {
  readonly context: ResourceContext;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly target: ResourceTarget;
  readonly user: UserInfo;
  readonly resource: Resource;
  /** Key part in the store: empty for cluster-wide kinds. */
  readonly namespace: string;
  readonly shape: Shape;
}

export const notAllowed = (): ApiError =>
  new ApiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');

/** Routes a request on a resource to its verb. */
export async function serveResource(
  context: ResourceContext,
  request: IncomingMessage,
  response: ServerResponse,
  info: RequestInfo,
  user: UserInfo,
): Promise<void> {
  const target = info.target!;
  const resource = context.registry.find(target.group, target.version, target.plural);
  if (resource === undefined || (!resource.namespaced && target.namespace !== '' && resource.storage !== 'namespaces')) throw unknownPath();
  const namespace = resource.namespaced ? target.namespace : '';
  const isLog = resource.storage === 'pods' && target.subresource === 'log';
  const shape: Shape = isLog ? { as: 'object', parameters: '' } : negotiate(request.headers.accept);
  const call: Call = { context, request, response, info, target, user, resource, namespace, shape };
  if (resource.deprecation !== undefined) addWarning(response, resource.deprecation);
  if (resource.storage === '') return await serveReview(call);
  if (target.subresource !== '') return await serveSubresource(call);
  if (!(resource.verbs.includes(info.verb) || (info.verb === 'create' && resource.custom))) throw notAllowed();
  if ((info.verb === 'update' || info.verb === 'patch') && target.name === '') throw notAllowed();
  if (resource.namespaced && namespace === '' && !['list', 'watch'].includes(info.verb)) throw notAllowed();
  await verbs[info.verb as keyof typeof verbs](call);
}

const verbs = {
  get: async (call: Call) => sendObject(call, live(call)),
  list: async (call: Call) => {
    const { context, resource, namespace, info, shape } = call;
    const match = readMatch(resource, namespace, '', info.query);
    const { items, metadata } = context.lister.list(resource, namespace, match, info.query);
    sendJson(
      call.request,
      call.response,
      200,
      shapeList(resource, items, metadata, shape, info.query, context.clock.now()),
      shape.parameters,
    );
  },
  watch: async ({ context, request, response, resource, namespace, info, shape }: Call) => {
    const match = readMatch(resource, namespace, '', info.query);
    const { store, clock, closing } = context;
    serveWatch(request, response, { resource, match, shape, query: info.query, store, clock, signal: closing });
  },
  create: async (call: Call) => {
    if (call.target.name !== '') throw notAllowed();
    const write = writeRequest(call);
    sendWritten(call, await createObject(call.context, write, await body(call)));
  },
  update: async (call: Call) =>
    sendWritten(call, await replaceObject(call.context, writeRequest(call), call.target.name, await body(call))),
  patch: async (call: Call) => sendWritten(call, await patch(call)),
  delete: async (call: Call) => {
    const options = parseDeletionOptions(await body(call), call.info.query);
    const result = await deleteObject(call.context, writeRequest(call), call.target.name, options);
    sendJson(call.request, call.response, 200, result);
  },
  deletecollection: async (call: Call) => {
    const { context, resource, namespace, info, shape } = call;
    const options = parseDeletionOptions(await body(call), info.query);
    const match = readMatch(resource, namespace, '', info.query);
    const chosen = context.store.list(resource.storage, namespace === '' ? undefined : namespace).filter(match);
    const deleted = await deleteObjects(context, writeRequest(call), chosen, options);
    const metadata = { resourceVersion: String(context.store.revision) };
    sendJson(
      call.request,
      call.response,
      200,
      shapeList(resource, deleted, metadata, shape, info.query, context.clock.now()),
      shape.parameters,
    );
  },
} as const;

function live({ context, resource, namespace, target }: Call): ApiObject {
  const object = context.store.get(resource.storage, namespace, target.name);
  if (object === undefined) throw notFound(resource, target.name);
  return object;
}

const body = async (call: Call): Promise<unknown> => decodeBody(await readBody(call.request), mediaType(call.request));

const writeRequest = (call: Call, isApply = false) =>
  readWriteRequest(call.request, call.response, call.info.query, { ...call.target, resource: call.resource }, call.user, isApply);

function sendObject(call: Call, object: ApiObject, status = 200): void {
  const { resource, shape, info, context } = call;
  sendJson(call.request, call.response, status, shapeObject(resource, object, shape, info.query, context.clock.now()), shape.parameters);
}

const sendWritten = (call: Call, { object, created }: Written): void => sendObject(call, object, created ? 201 : 200);

async function patch(call: Call): Promise<Written> {
  const { context, target, resource, namespace, user, info } = call;
  const decoded = decodePatch(await readBody(call.request), mediaType(call.request));
  const isApply = decoded.type === 'apply';
  const force = info.query.get('force') === 'true';
  if (!isApply && info.query.has('force')) {
    throw new ApiError('Invalid', 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
  }
  if (isApply && context.store.get(resource.storage, namespace, target.name) === undefined) {
    // Such an apply is a creation, and needs the right to create.
    context.authorize(user, { ...target, kind: 'resource', verb: 'create' });
  }
  return await patchObject(context, writeRequest(call, isApply), target.name, { ...decoded, force });
}

async function serveReview(call: Call): Promise<void> {
  const { context, info, resource, user, target } = call;
  if (info.verb !== 'create' || target.subresource !== '') throw notAllowed();
  const asked = asResource(await body(call), resource);
  const answered = await answerReview(resource, asked, context.reviewContext(user, target.namespace));
  sendJson(call.request, call.response, 201, answered);
}

async function serveSubresource(call: Call): Promise<void> {
  const { resource, target, context, info, namespace } = call;
  if (target.subresource === 'status' && resource.status) {
    if (info.verb === 'get') return sendObject(call, live(call));
    if (info.verb === 'update') return sendWritten(call, await replaceObject(context, writeRequest(call), target.name, await body(call)));
    if (info.verb === 'patch') return sendWritten(call, await patch(call));
    throw notAllowed();
  }
  if (target.subresource === 'scale' && resource.scale !== undefined) return await serveScale(call);
  if (target.subresource === 'finalize' && resource.storage === 'namespaces') {
    if (info.verb !== 'update') throw notAllowed();
    return sendWritten(call, await finalizeNamespace(context, writeRequest(call), target.name, await body(call)));
  }
  if (target.subresource === 'token' && resource.storage === 'serviceaccounts') {
    if (info.verb !== 'create') throw notAllowed();
    const account = live(call);
    const issued = await context.tokens.issue(account, (await body(call)) ?? {});
    return sendJson(call.request, call.response, 201, issued);
  }
  if (resource.storage === 'pods') return await servePodSubresource(call);
  if (resource.custom || resource.storage === 'apiextensions.k8s.io/customresourcedefinitions') throw unknownPath();
  context.store.get(resource.storage, namespace, target.name);
  throw unknownPath();
}

async function serveScale(call: Call): Promise<void> {
  const { resource, context, target, info } = call;
  const paths = resource.scale!;
  if (info.verb === 'get') return sendJson(call.request, call.response, 200, toScale(resource, paths, inVersion(live(call), resource)));
  if (info.verb === 'update') {
    const scale = await writeScale(context, writeRequest(call), paths, target.name, { body: await body(call) });
    return sendJson(call.request, call.response, 200, scale);
  }
  if (info.verb !== 'patch') throw notAllowed();
  const decoded = decodePatch(await readBody(call.request), mediaType(call.request));
  const scale = await writeScale(context, writeRequest(call), paths, target.name, { patch: { ...decoded, force: false } });
  sendJson(call.request, call.response, 200, scale);
}
