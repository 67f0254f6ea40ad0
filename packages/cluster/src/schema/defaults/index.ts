/**
 * What absent fields mean. No published schema of a built-in kind carries its defaults, so they stand here by hand; custom resources
 * have them in their schema.
 */
import { isBuiltin } from '../builtin.ts';
import { copy, isObject, type Json, type JsonObject, own, ownString, put } from '../json.ts';
import type { Schema, StructSchema } from '../types.ts';
import { fillAll, section } from './draft.ts';
import { defaultPod, defaultPodTemplate } from './pod.ts';
import * as services from './services.ts';
import * as workloads from './workloads.ts';

const byKind: Readonly<Record<string, (draft: JsonObject) => void>> = {
  'v1/Pod': defaultPod,
  'v1/PodTemplate': defaultPodTemplate,
  'v1/Service': services.defaultService,
  'v1/Secret': services.defaultSecret,
  'v1/Namespace': services.defaultNamespace,
  'v1/PersistentVolume': services.defaultVolume,
  'v1/PersistentVolumeClaim': workloads.defaultClaim,
  'v1/LimitRange': services.defaultLimitRange,
  'v1/Endpoints': services.defaultEndpoints,
  'apps/v1/Deployment': workloads.defaultDeployment,
  'apps/v1/ReplicaSet': workloads.defaultReplicaSet,
  'apps/v1/StatefulSet': workloads.defaultStatefulSet,
  'apps/v1/DaemonSet': workloads.defaultDaemonSet,
  'batch/v1/Job': workloads.defaultJob,
  'batch/v1/CronJob': workloads.defaultCronJob,
  'autoscaling/v1/HorizontalPodAutoscaler': workloads.defaultAutoscaler,
  'autoscaling/v2/HorizontalPodAutoscaler': workloads.defaultAutoscaler,
  'networking.k8s.io/v1/NetworkPolicy': services.defaultNetworkPolicy,
  'networking.k8s.io/v1/IngressClass': services.defaultIngressClass,
  'discovery.k8s.io/v1/EndpointSlice': services.defaultEndpointSlice,
  'rbac.authorization.k8s.io/v1/RoleBinding': services.defaultBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': services.defaultBinding,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': services.defaultDefinition,
};

/**
 * A copy of the object with Kubernetes' defaults: by apiVersion and kind for built-in kinds, by `default` of the schema for custom ones.
 * Doing it twice changes nothing more. What needs the server's state (addresses, service accounts, classes) is not done here.
 */
export function setDefaults(object: JsonObject, schema: StructSchema): JsonObject {
  const draft = copy(object);
  if (isBuiltin(schema)) fillStructures(draft, schema);
  const key = `${ownString(object, 'apiVersion') ?? ''}/${ownString(object, 'kind') ?? ''}`;
  const fillKind = Object.hasOwn(byKind, key) ? byKind[key] : undefined;
  fillKind?.(draft);
  for (const [part, values] of Object.entries((Object.hasOwn(services.simpleDefaults, key) && services.simpleDefaults[key]) || {}))
    fillAll(part ? section(draft, part) : draft, copy(values));
  if (!isBuiltin(schema)) fillFromSchema(draft, schema);
  return draft;
}

/** The structures that every object of a built-in kind has, if empty (`resources: {}`), for Go holds them as values. */
function fillStructures(value: Json, schema: Schema): void {
  if (schema.kind === 'list' && Array.isArray(value)) for (const item of value) fillStructures(item, schema.items);
  else if (schema.kind === 'map' && isObject(value)) for (const item of Object.values(value)) fillStructures(item, schema.values);
  else if (schema.kind === 'struct' && isObject(value)) {
    for (const [name, field] of schema.fields) {
      if (field.always && field.schema.kind === 'struct' && (own(value, name) ?? null) === null) put(value, name, {});
      const child = own(value, name);
      if (typeof child === 'object' && child !== null) fillStructures(child, field.schema);
    }
  }
}

/** Structural defaulting (apiextensions.k8s.io/v1): a field that is absent, or null where no null is allowed, gets its default. */
function fillFromSchema(value: Json, schema: Schema): void {
  if (schema.kind === 'list' && Array.isArray(value)) for (const item of value) fillFromSchema(item, schema.items);
  else if (schema.kind === 'map' && isObject(value)) for (const item of Object.values(value)) fillFromSchema(item, schema.values);
  else if (schema.kind === 'struct' && isObject(value) && !isBuiltin(schema)) {
    for (const [name, field] of schema.fields) {
      const present = own(value, name);
      const nullable = field.schema.kind !== 'any' && field.schema.nullable === true;
      if (field.default !== undefined && (present === undefined || (present === null && !nullable))) put(value, name, copy(field.default));
      const child = own(value, name);
      if (child !== undefined && child !== null) fillFromSchema(child, field.schema);
    }
  }
}
