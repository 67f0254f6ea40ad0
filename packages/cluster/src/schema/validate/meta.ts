import { canonical, equal, isObject, type Json, type JsonObject, own, ownList, ownObject, ownObjects, ownString } from '../json.ts';
import type { GroupVersionKind } from '../types.ts';
import { at, type Report } from './causes.ts';
import { dns1035Errors, dnsLabelErrors, dnsSubdomainErrors, labelValueErrors, pathSegmentErrors, qualifiedNameErrors } from './names.ts';

const maxAnnotations = 256 * 1024;

/** Which shape a kind's name has. */
function nameErrors(gvk: GroupVersionKind, name: string): string[] {
  if (gvk.group === 'rbac.authorization.k8s.io') return pathSegmentErrors(name);
  if (gvk.group === '' && gvk.kind === 'Namespace') return dnsLabelErrors(name);
  if (gvk.group === '' && gvk.kind === 'Service') return dns1035Errors(name);
  return dnsSubdomainErrors(name);
}

export function validateLabels(labels: Json | undefined, path: string, report: Report): void {
  if (!isObject(labels)) return;
  for (const [key, value] of Object.entries(labels)) {
    for (const error of qualifiedNameErrors(key)) report.invalid(path, key, error);
    if (typeof value === 'string') for (const error of labelValueErrors(value)) report.invalid(path, value, error);
  }
}

export function validateAnnotations(annotations: Json | undefined, path: string, report: Report): void {
  if (!isObject(annotations)) return;
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const error of qualifiedNameErrors(key.toLowerCase())) report.invalid(path, key, error);
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  if (size > maxAnnotations) report.tooLong(path, maxAnnotations);
}

/** `metadata` of a new object, and on update what may not change of it. */
export function validateMetadata(
  object: JsonObject,
  gvk: GroupVersionKind,
  namespaced: boolean,
  old: JsonObject | undefined,
  report: Report,
): void {
  const metadata = ownObject(object, 'metadata') ?? {};
  const name = ownString(metadata, 'name') ?? '';
  const generateName = ownString(metadata, 'generateName') ?? '';
  if (generateName)
    for (const error of nameErrors(gvk, generateName.replace(/-+$/, '') || generateName))
      report.invalid('metadata.generateName', generateName, error);
  if (name === '') report.required('metadata.name', 'name or generateName is required');
  else for (const error of nameErrors(gvk, name)) report.invalid('metadata.name', name, error);
  const namespace = ownString(metadata, 'namespace') ?? '';
  if (namespaced && namespace === '') report.required('metadata.namespace');
  else if (namespaced) for (const error of dnsLabelErrors(namespace)) report.invalid('metadata.namespace', namespace, error);
  else if (namespace !== '') report.forbidden('metadata.namespace', 'not allowed on this type');
  validateLabels(own(metadata, 'labels'), 'metadata.labels', report);
  validateAnnotations(own(metadata, 'annotations'), 'metadata.annotations', report);
  validateOwners(metadata, report);
  for (const finalizer of ownList(metadata, 'finalizers')) {
    if (typeof finalizer !== 'string') continue;
    for (const error of qualifiedNameErrors(finalizer)) report.invalid('metadata.finalizers', finalizer, error);
  }
  const before = ownObject(old, 'metadata');
  if (!before) return;
  for (const key of ['name', 'namespace', 'uid', 'creationTimestamp']) {
    const [was, is] = [own(before, key), own(metadata, key)];
    if (was !== undefined && is !== undefined && !equal(was, is)) report.invalid(at('metadata', key), is, 'field is immutable');
  }
  if (own(before, 'deletionTimestamp') !== undefined) {
    const known = ownList(before, 'finalizers');
    const added = ownList(metadata, 'finalizers').filter((finalizer) => !known.includes(finalizer));
    if (added.length > 0)
      report.forbidden(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((item) => JSON.stringify(item)).join(', ')}}`,
      );
  }
}

function validateOwners(metadata: JsonObject, report: Report): void {
  const owners = ownObjects(metadata, 'ownerReferences');
  for (const [index, owner] of owners.entries()) {
    const path = at('metadata.ownerReferences', index);
    for (const key of ['apiVersion', 'kind', 'name', 'uid'])
      if (!ownString(owner, key))
        report.invalid(
          at(path, key),
          own(owner, key) ?? '',
          key === 'apiVersion' ? 'version must not be empty' : `${key === 'uid' ? 'uid' : key} must not be empty`,
        );
  }
  const controllers = owners.filter((owner) => own(owner, 'controller') === true);
  if (controllers.length > 1)
    report.invalid(
      'metadata.ownerReferences',
      own(metadata, 'ownerReferences'),
      `Only one reference can have Controller set to true. Found "true" in references for ${ownString(controllers[0], 'name')} and ${ownString(controllers[1], 'name')}`,
    );
}

/** A label selector's own rules. */
export function validateSelector(selector: JsonObject | undefined, path: string, report: Report): void {
  validateLabels(selector && own(selector, 'matchLabels'), at(path, 'matchLabels'), report);
  for (const [index, expression] of ownObjects(selector, 'matchExpressions').entries()) {
    const here = at(path, 'matchExpressions', index);
    const operator = ownString(expression, 'operator') ?? '';
    const values = ownList(expression, 'values');
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      report.required(at(here, 'values'), "must be specified when `operator` is 'In' or 'NotIn'");
    else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      report.forbidden(at(here, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    else if (!['In', 'NotIn', 'Exists', 'DoesNotExist'].includes(operator))
      report.invalid(at(here, 'operator'), operator, 'not a valid selector operator');
    for (const error of qualifiedNameErrors(ownString(expression, 'key') ?? ''))
      report.invalid(at(here, 'key'), own(expression, 'key') ?? '', error);
  }
}

/** True when labels satisfy a selector; an empty selector takes everything. */
export function selects(selector: JsonObject, labels: JsonObject): boolean {
  const matches = Object.entries(ownObject(selector, 'matchLabels') ?? {}).every(([key, value]) => own(labels, key) === value);
  return (
    matches &&
    ownObjects(selector, 'matchExpressions').every((expression) => {
      const value = own(labels, ownString(expression, 'key') ?? '');
      const inList = ownList(expression, 'values').some((candidate) => candidate === value);
      switch (own(expression, 'operator')) {
        case 'In':
          return inList;
        case 'NotIn':
          return !inList;
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}

/** A field that no update may change. */
export function validateImmutable(is: Json | undefined, was: Json | undefined, path: string, report: Report): void {
  if (canonical(is ?? null) !== canonical(was ?? null)) report.invalid(path, is ?? null, 'field is immutable');
}
