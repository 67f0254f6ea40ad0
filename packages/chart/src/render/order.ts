import type { HookEvent, RenderedHook } from '../api.ts';
import type { Profile } from '../profile.ts';
import { compareText } from '../value/text.ts';

/** The order in which Helm installs kinds; unknown kinds come last, by name. */
const installOrder: readonly string[] = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];

const webhooks: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const ranks = (kinds: readonly string[]): ReadonlyMap<string, number> => new Map(kinds.map((kind, index) => [kind, index]));
const withWebhooks = ranks([...installOrder, ...webhooks]);
const withoutWebhooks = ranks(installOrder);

function compare(order: ReadonlyMap<string, number>, a: string, b: string): number {
  const first = order.get(a);
  const second = order.get(b);
  if (first === undefined && second === undefined) return compareText(a, b);
  if (first === undefined) return 1;
  return second === undefined ? -1 : first - second;
}

/** Compares two manifests by kind; equal kinds keep their order (Array.sort is stable). */
export function byKind(profile: Profile): (a: { kind: string }, b: { kind: string }) => number {
  const order = profile.orderWebhooks ? withWebhooks : withoutWebhooks;
  return (a, b) => compare(order, a.kind, b.kind);
}

/** Compares two kinds in the order in which objects are applied, webhooks last: `InstallOrder` of Helm's `kind_sorter.go`. */
export const compareInstallOrder = (a: string, b: string): number => compare(withWebhooks, a, b);

/** Hooks of one event in the order in which Helm runs them: by weight, then as they were rendered (by kind and path). */
export function hooksFor(hooks: readonly RenderedHook[], event: HookEvent): RenderedHook[] {
  return hooks.filter((hook) => hook.events.includes(event)).sort((a, b) => a.weight - b.weight);
}
