/**
 * The order in which Helm creates kinds, so that what others need is there first; kinds that it does not name come
 * last, by name. Source: Helm `pkg/release/util/kind_sorter.go`, InstallOrder.
 */
const installOrder = [
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
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

const rank = new Map(installOrder.map((kind, index) => [kind, index]));

/** Compares two kinds for sorting; equal kinds keep their order in a stable sort. */
export function compareInstallOrder(a: string, b: string): number {
  const [first, second] = [rank.get(a), rank.get(b)];
  if (first === undefined && second === undefined) return a < b ? -1 : a > b ? 1 : 0;
  return (first ?? installOrder.length) - (second ?? installOrder.length);
}
