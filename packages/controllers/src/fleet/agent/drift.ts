import type { ComparePatch } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { isSame } from '../conditions.ts';

/** An object that is not as its release made it. */
export interface Difference {
  readonly object: KubeObject;
  readonly missing?: boolean;
  /** What would put it right, as a JSON merge patch; of a Secret only which fields. */
  readonly patch?: string;
}

const patchLimit = 1000;
/** Fields that the server keeps. */
const serverFields = [
  'managedFields',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'uid',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** Whether a compare patch says to leave the whole object alone (operation `ignore`; its name is a regular expression). */
export function isDriftIgnored(object: KubeObject, patches: readonly ComparePatch[]): boolean {
  return patches.some((patch) => matches(patch, object, true) && (patch.operations ?? []).some(({ op }) => op === 'ignore'));
}

/**
 * Compares the live object with what applying the release's object would make of it. Replicas that an autoscaler of the release
 * governs (`scaled`: `KIND/NAMESPACE/NAME`) and injected CA bundles are no drift. Pure.
 */
export function compareObject(
  object: KubeObject,
  live: KubeObject,
  wanted: KubeObject,
  patches: readonly ComparePatch[],
  scaled: ReadonlySet<string>,
): Difference | undefined {
  const pointers = patches
    .filter((patch) => matches(patch, object, false))
    .flatMap((patch) => [
      ...(patch.jsonPointers ?? []),
      ...(patch.operations ?? []).filter(({ op }) => op === 'remove').flatMap(({ path }) => path ?? []),
    ]);
  if (scaled.has(`${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`)) pointers.push('/spec/replicas');
  const [before, after] = [normalize(live, pointers), normalize(wanted, pointers)];
  if (isSame(before, after)) return undefined;
  const patch = mergePatch(before, after, object.kind === 'Secret') as object;
  const text = JSON.stringify(patch);
  return { object, patch: text.length > patchLimit ? `${text.slice(0, patchLimit)}…` : text };
}

function matches(patch: ComparePatch, object: KubeObject, nameIsPattern: boolean): boolean {
  const { apiVersion, kind, namespace, name } = patch;
  if (apiVersion && apiVersion !== object.apiVersion) return false;
  if (kind && kind !== object.kind) return false;
  if (namespace && namespace !== object.metadata.namespace) return false;
  if (!name || name === object.metadata.name) return true;
  return nameIsPattern && matchesWildcards(name, object.metadata.name);
}

/** A regular expression of `.`, `.*`, `^` and `$` alone, matched without backtracking into exponential time. */
function matchesWildcards(pattern: string, name: string): boolean {
  const parts = pattern.replace(/^\^/, '').replace(/\$$/, '').split('.*');
  let at = 0;
  return parts.every((part, index) => {
    const found = index === 0 && pattern.startsWith('^') ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
    return index < parts.length - 1 || !pattern.endsWith('$') || name.endsWith(part);
  });
}

type Json = unknown;
type Map = Record<string, Json>;

const isMap = (value: Json): value is Map => typeof value === 'object' && value !== null && !Array.isArray(value);

function normalize(object: KubeObject, pointers: readonly string[]): Map {
  const copy = structuredClone(object) as unknown as Map & { metadata: Map };
  delete copy['status'];
  for (const field of serverFields) delete copy.metadata[field];
  for (const pointer of pointers)
    removeAt(
      copy,
      pointer
        .split('/')
        .slice(1)
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')),
    );
  if (/WebhookConfiguration$/.test(object.kind)) removeCaBundles(copy);
  return copy;
}

function removeAt(value: Json, path: readonly string[]): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (Array.isArray(value)) {
    if (rest.length === 0 && /^\d+$/.test(head)) value.splice(Number(head), 1);
    else removeAt(value[Number(head)], rest);
  } else if (isMap(value) && Object.hasOwn(value, head)) {
    if (rest.length === 0) delete value[head];
    else removeAt(value[head], rest);
  }
}

function removeCaBundles(value: Json): void {
  if (Array.isArray(value)) value.forEach(removeCaBundles);
  else if (isMap(value)) {
    delete value['caBundle'];
    Object.values(value).forEach(removeCaBundles);
  }
}

/** What turns `from` into `to` (RFC 7396). `hide`: values as `…`, for they may be secret. */
function mergePatch(from: Json, to: Json, hide: boolean): Json {
  if (!isMap(from) || !isMap(to)) return hide ? '…' : to;
  const patch: Map = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (isSame(from[key], to[key])) continue;
    patch[key] = to[key] === undefined ? null : mergePatch(from[key], to[key], hide);
  }
  return patch;
}
