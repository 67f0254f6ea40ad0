import type { KindTreatment } from './treatment.ts';

const acts = (by: string): KindTreatment => ({ level: 'acts', by });
const data = (by: string): KindTreatment => ({ level: 'data', by });
const stored = (what: string, runs: string): KindTreatment => ({
  level: 'stored',
  by: 'nobody',
  warning: `${what} is stored, but this rehearsal cluster runs no ${runs}: nothing acts upon it`,
});

/** What becomes of each served kind, by the key of its objects in the store; custom resources are their controllers'. */
export const kindsTable: Readonly<Record<string, KindTreatment>> = {
  configmaps: acts('the node: environment and files of pods'),
  endpoints: acts('the Service proxy and the DNS server'),
  events: data('whoever reports and reads; they go after an hour'),
  limitranges: stored('a LimitRange', 'LimitRange admission'),
  namespaces: acts('the namespace controller'),
  nodes: acts('the scheduler'),
  persistentvolumeclaims: acts('the platform’s provisioners, and the node'),
  persistentvolumes: acts('the platform’s provisioners, and the node'),
  pods: acts('the scheduler and the node'),
  resourcequotas: stored('a ResourceQuota', 'quota admission'),
  secrets: acts('the node: environment and files of pods, and credentials of registries'),
  serviceaccounts: acts('the server: tokens, and admission of pods'),
  services: acts('the Service proxy, the DNS server and the endpoints controller'),
  'apps/daemonsets': stored('a DaemonSet', 'DaemonSet controller'),
  'apps/deployments': acts('the Deployment controller'),
  'apps/replicasets': acts('the ReplicaSet controller'),
  'apps/statefulsets': stored('a StatefulSet', 'StatefulSet controller'),
  'batch/cronjobs': stored('a CronJob', 'CronJob controller'),
  'batch/jobs': acts('the Job controller'),
  'networking.k8s.io/ingresses': acts('the platform’s ingress controller'),
  'networking.k8s.io/ingressclasses': acts('the platform’s ingress controller'),
  'networking.k8s.io/networkpolicies': stored('a NetworkPolicy', 'network policy engine'),
  'autoscaling/horizontalpodautoscalers': stored('a HorizontalPodAutoscaler', 'autoscaler'),
  'policy/poddisruptionbudgets': stored('a PodDisruptionBudget', 'disruption controller'),
  'storage.k8s.io/storageclasses': acts('the platform’s provisioners, and the scheduler'),
  'coordination.k8s.io/leases': data('whoever elects a leader'),
  'discovery.k8s.io/endpointslices': {
    ...data('the endpoints controller writes them, for readers'),
    warning: 'an EndpointSlice is kept for its readers: in this rehearsal cluster a Service leads to the addresses of its Endpoints object',
  },
  'rbac.authorization.k8s.io/clusterroles': acts('the server’s authorization'),
  'rbac.authorization.k8s.io/clusterrolebindings': acts('the server’s authorization'),
  'rbac.authorization.k8s.io/roles': acts('the server’s authorization'),
  'rbac.authorization.k8s.io/rolebindings': acts('the server’s authorization'),
  'apiextensions.k8s.io/customresourcedefinitions': acts('the server'),
};
