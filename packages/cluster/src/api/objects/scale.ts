import { ApiError, badRequest, invalid, notFound } from '../errors.ts';
import { type ApiObject, at, copy, isRecord, numberAt } from '../object.ts';
import { labelSelectorText } from '../resources/cells.ts';
import type { Resource, ScalePaths } from '../resources/resource.ts';
import { type ObjectsContext, transact, type WriteRequest } from './context.ts';
import { type Patch, patchedObject } from './patch.ts';
import { inVersion, updateWithin } from './write.ts';

/** The Scale kind as a resource, so that patches of `/scale` take the same way as others. */
const scaleResource = (resource: Resource): Resource => ({
  ...resource,
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: () => undefined,
  custom: true,
});

/** `/scale` of an object: only what the subresource is about, mapped from the kind's own paths. */
export function toScale(resource: Resource, paths: ScalePaths, object: ApiObject): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector === undefined ? undefined : at(object, ...paths.selector);
  const text = typeof selector === 'string' ? selector : labelSelectorText(selector, '');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(resource.namespaced ? { namespace } : {}),
      uid,
      resourceVersion,
      creationTimestamp,
    },
    spec: { replicas: numberAt(object, ...paths.spec) ?? 0 },
    status: { replicas: numberAt(object, ...paths.status) ?? 0, ...(text ? { selector: text } : {}) },
  } as ApiObject;
}

/** PUT or PATCH of `/scale`: the replicas land in the object, owned by the writer. */
export async function writeScale(
  context: ObjectsContext,
  request: WriteRequest,
  paths: ScalePaths,
  name: string,
  change: { body: unknown } | { patch: Patch },
): Promise<ApiObject> {
  const { resource, namespace } = request;
  return await transact(context.store, request.dryRun, (transaction) => {
    const stored = transaction.get(resource.storage, namespace, name);
    if (stored === undefined) throw notFound(resource, name);
    const live = inVersion(stored, resource);
    const scale = 'body' in change ? change.body : patchedScale(toScale(resource, paths, live), change.patch, request);
    if (!isRecord(scale)) throw badRequest('the body of a scale must be an object of kind Scale');
    const given = at(scale, 'metadata', 'name');
    if (given !== undefined && given !== name)
      throw badRequest(`the name of the object (${String(given)}) does not match the name on the URL (${name})`);
    const replicas = at(scale, 'spec', 'replicas') ?? 0;
    if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
      throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
        {
          field: 'spec.replicas',
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
        },
      ]);
    }
    const next = copy(live);
    setAt(next, paths.spec, replicas);
    const { uid, resourceVersion } = isRecord(scale['metadata']) ? scale['metadata'] : {};
    next.metadata = {
      ...next.metadata,
      uid: String(uid ?? live.metadata.uid),
      resourceVersion: String(resourceVersion ?? live.metadata.resourceVersion),
    };
    return toScale(resource, paths, updateWithin(transaction, context, request, stored, next, { decode: false }));
  });
}

function patchedScale(scale: ApiObject, patch: Patch, request: WriteRequest): ApiObject {
  if (patch.type === 'apply')
    throw new ApiError('UnsupportedMediaType', 'server-side apply of the scale subresource is not supported; use a merge patch');
  const type = patch.type === 'strategic' ? 'merge' : patch.type;
  return patchedObject(scale, { ...patch, type }, { ...request, resource: scaleResource(request.resource) });
}

function setAt(object: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const last = path.at(-1)!;
  let here = object;
  for (const key of path.slice(0, -1)) {
    if (!isRecord(here[key])) here[key] = {};
    here = here[key] as Record<string, unknown>;
  }
  here[last] = value;
}
