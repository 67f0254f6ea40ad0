/**
 * What is wrong with a defaulted object, in Kubernetes' own words where it matters to people: names, labels, required fields, fields
 * that may not change. Rules of fields that nothing here acts on are not repeated; the object is stored as it comes.
 */
import { isBuiltin } from '../builtin.ts';
import { type JsonObject, own, ownObject, ownString } from '../json.ts';
import type { Cause, GroupVersionKind, StructSchema } from '../types.ts';
import { Report } from './causes.ts';
import { validateCustom } from './custom.ts';
import { validateMetadata } from './meta.ts';
import { validatePodSpec, validatePodUpdate } from './pod.ts';
import * as services from './services.ts';
import * as workloads from './workloads.ts';

export interface ValidateOptions {
  readonly schema: StructSchema;
  readonly namespaced: boolean;
  /** The live object, on update: immutable fields are compared with it. */
  readonly old?: JsonObject;
  /** At `/status` and other subresources only the metadata of a built-in object is judged. */
  readonly subresource?: string;
}

type Rule = (object: JsonObject, old: JsonObject | undefined, report: Report) => void;

const rules: Readonly<Record<string, Rule>> = {
  'v1/Pod': (pod, old, report) => {
    const spec = ownObject(pod, 'spec');
    validatePodSpec(spec, 'spec', report);
    const before = ownObject(old, 'spec');
    if (spec && before) validatePodUpdate(spec, before, report);
  },
  'v1/ConfigMap': services.validateConfigMap,
  'v1/Secret': services.validateSecret,
  'v1/Service': services.validateService,
  'v1/PersistentVolumeClaim': services.validateClaim,
  'v1/PodTemplate': (template, _, report) => workloads.validateTemplate(template, '', report, ['Always', 'OnFailure', 'Never']),
  'apps/v1/Deployment': workloads.validateWorkload,
  'apps/v1/ReplicaSet': workloads.validateWorkload,
  'apps/v1/StatefulSet': workloads.validateWorkload,
  'apps/v1/DaemonSet': workloads.validateWorkload,
  'batch/v1/Job': workloads.validateJob,
  'batch/v1/CronJob': (job, _, report) => workloads.validateCronJob(job, report),
  'autoscaling/v1/HorizontalPodAutoscaler': (autoscaler, _, report) => workloads.validateAutoscaler(autoscaler, report),
  'autoscaling/v2/HorizontalPodAutoscaler': (autoscaler, _, report) => workloads.validateAutoscaler(autoscaler, report),
  'networking.k8s.io/v1/Ingress': (ingress, _, report) => services.validateIngress(ingress, report),
  'networking.k8s.io/v1/NetworkPolicy': (policy, _, report) => services.validateNetworkPolicy(policy, report),
  'policy/v1/PodDisruptionBudget': (budget, _, report) => services.validateDisruptionBudget(budget, report),
  'storage.k8s.io/v1/StorageClass': services.validateStorageClass,
  'rbac.authorization.k8s.io/v1/Role': (role, _, report) => services.validateRole(role, report),
  'rbac.authorization.k8s.io/v1/ClusterRole': (role, _, report) => services.validateRole(role, report),
  'rbac.authorization.k8s.io/v1/RoleBinding': services.validateBinding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': services.validateBinding,
  'apiextensions.k8s.io/v1/CustomResourceDefinition': (definition, _, report) => services.validateDefinition(definition, report),
};

function kindOf(object: JsonObject): GroupVersionKind {
  const apiVersion = ownString(object, 'apiVersion') ?? '';
  const slash = apiVersion.indexOf('/');
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: ownString(object, 'kind') ?? '',
  };
}

/** What is wrong with a defaulted object; empty when it may be stored. At most 100 causes, for a 422 Status. */
export function validateObject(object: JsonObject, options: ValidateOptions): Cause[] {
  const report = new Report();
  validateMetadata(object, kindOf(object), options.namespaced, options.old, report);
  const key = `${String(own(object, 'apiVersion'))}/${String(own(object, 'kind'))}`;
  if (!isBuiltin(options.schema)) validateCustom(object, options.schema, report);
  else if (!options.subresource && Object.hasOwn(rules, key)) rules[key]?.(object, options.old, report);
  return report.causes;
}
