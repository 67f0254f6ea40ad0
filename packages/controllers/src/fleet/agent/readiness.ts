import type {
  Condition,
  DeploymentSpec,
  DeploymentStatus,
  Job,
  KubeObject,
  PersistentVolumeClaim,
  Pod,
  Service,
  StatefulSet,
} from '@desp/kube';

/** Whether an object has come to what it shall be, in the words of kstatus (sigs.k8s.io/cli-utils `pkg/kstatus/status`). Pure. */
export interface Readiness {
  readonly state: 'ready' | 'in-progress' | 'failed';
  readonly message: string;
}

interface Facts {
  /** PVCs of classes that bind when a pod comes are ready as they are. */
  readonly bindsLate?: (storageClass: string | undefined) => boolean;
  /** Conditions that shall not count (`ignore.conditions` of fleet.yaml). */
  readonly ignored?: readonly Readonly<Record<string, string>>[];
}

interface Any extends KubeObject {
  readonly spec?: Record<string, unknown>;
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[]; readonly [key: string]: unknown };
}

const ready: Readiness = { state: 'ready', message: 'Resource is current' };
const inProgress = (message: string): Readiness => ({ state: 'in-progress', message });
const failed = (message: string): Readiness => ({ state: 'failed', message });

/** Groups whose controllers answer with a condition Ready: an object without it has not been looked at yet. */
const answering = new Set(['external-secrets.io', 'cert-manager.io']);

export function readiness(object: KubeObject, facts: Facts = {}): Readiness {
  const live = withoutIgnored(object as Any, facts.ignored ?? []);
  if (live.metadata.deletionTimestamp) return inProgress('Resource scheduled for deletion');
  const { generation } = live.metadata;
  const observed = live.status?.observedGeneration;
  if (generation !== undefined && observed !== undefined && observed < generation) {
    return inProgress(`${live.kind} generation is ${generation}, but latest observed generation is ${observed}`);
  }
  switch (`${groupOf(live)}/${live.kind}`) {
    case 'apps/Deployment':
      return ofDeployment(live);
    case 'apps/StatefulSet':
      return ofStatefulSet(live as unknown as StatefulSet);
    case 'apps/DaemonSet':
      return ofDaemonSet(live);
    case 'apps/ReplicaSet':
      return ofReplicaSet(live);
    case 'batch/Job':
      return ofJob(live as unknown as Job);
    case '/Pod':
      return ofPod(live as unknown as Pod);
    case '/PersistentVolumeClaim':
      return ofClaim(live as unknown as PersistentVolumeClaim, facts);
    case '/Service':
      return ofService(live as unknown as Service);
    case 'apiextensions.k8s.io/CustomResourceDefinition':
      return conditionOf(live, 'Established')?.status === 'True' ? ready : inProgress('Install in progress');
    default:
      return ofConditions(live);
  }
}

function ofConditions(live: Any): Readiness {
  const stalled = conditionOf(live, 'Stalled');
  if (stalled?.status === 'True') return failed(stalled.message ?? 'Stalled');
  const reconciling = conditionOf(live, 'Reconciling');
  if (reconciling?.status === 'True') return inProgress(reconciling.message ?? 'Reconciling');
  const condition = conditionOf(live, 'Ready');
  if (condition && condition.status !== 'True') return inProgress(condition.message || condition.reason || 'Resource is not Ready');
  if (!condition && answering.has(groupOf(live))) return inProgress('Waits for its controller');
  return ready;
}

function ofDeployment(live: Any): Readiness {
  const spec = (live.spec ?? {}) as Partial<DeploymentSpec>;
  const status = (live.status ?? {}) as DeploymentStatus;
  const wanted = spec.replicas ?? 1;
  if (live.metadata.generation !== undefined && status.observedGeneration === undefined)
    return inProgress('Deployment has not been looked at yet');
  const progressing = conditionOf(live, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return failed('Progress deadline exceeded');
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  if (replicas < wanted) return inProgress(`replicas: ${replicas}/${wanted}`);
  if (updatedReplicas < wanted) return inProgress(`Updated: ${updatedReplicas}/${wanted}`);
  if (replicas > wanted) return inProgress(`Pending termination: ${replicas - wanted}`);
  if (updatedReplicas > availableReplicas) return inProgress(`Available: ${availableReplicas}/${updatedReplicas}`);
  if (readyReplicas < wanted) return inProgress(`Ready: ${readyReplicas}/${wanted}`);
  const available = conditionOf(live, 'Available');
  if (available?.status !== 'True') return inProgress(available?.message ?? 'Deployment not Available');
  return ready;
}

function ofStatefulSet({ spec, status, metadata }: StatefulSet): Readiness {
  const wanted = spec?.replicas ?? 1;
  const seen = status as
    | {
        observedGeneration?: number;
        replicas?: number;
        readyReplicas?: number;
        updatedReplicas?: number;
        currentRevision?: string;
        updateRevision?: string;
      }
    | undefined;
  if (metadata.generation !== undefined && seen?.observedGeneration === undefined)
    return inProgress('StatefulSet has not been looked at yet');
  if ((seen?.replicas ?? 0) < wanted) return inProgress(`Replicas: ${seen?.replicas ?? 0}/${wanted}`);
  if ((seen?.readyReplicas ?? 0) < wanted) return inProgress(`Ready: ${seen?.readyReplicas ?? 0}/${wanted}`);
  if ((seen?.replicas ?? 0) > wanted) return inProgress(`Pending termination: ${(seen?.replicas ?? 0) - wanted}`);
  if (seen?.updateRevision !== undefined && seen.currentRevision !== seen.updateRevision && (seen.updatedReplicas ?? 0) < wanted) {
    return inProgress(`updated: ${seen.updatedReplicas ?? 0}/${wanted}`);
  }
  return ready;
}

function ofDaemonSet({ status, metadata }: Any): Readiness {
  const number = (key: string): number => Number(status?.[key] ?? 0);
  if (metadata.generation !== undefined && status?.observedGeneration === undefined)
    return inProgress('DaemonSet has not been looked at yet');
  const wanted = number('desiredNumberScheduled');
  if (number('updatedNumberScheduled') < wanted) return inProgress(`Updated: ${number('updatedNumberScheduled')}/${wanted}`);
  if (number('numberAvailable') < wanted) return inProgress(`Available: ${number('numberAvailable')}/${wanted}`);
  return ready;
}

function ofReplicaSet({ spec, status }: Any): Readiness {
  const wanted = Number(spec?.['replicas'] ?? 1);
  const available = Number(status?.['availableReplicas'] ?? 0);
  return available < wanted ? inProgress(`Available: ${available}/${wanted}`) : ready;
}

function ofJob({ spec, status }: Job): Readiness {
  const isTrue = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
  if (isTrue('Complete')) return ready;
  if (isTrue('Failed')) return failed(`Job Failed. failed: ${status?.failed ?? 0}/${spec.completions ?? 1}`);
  return inProgress('Job in progress');
}

function ofPod({ status }: Pod): Readiness {
  if (status?.phase === 'Succeeded') return ready;
  if (status?.phase === 'Failed') return failed(status.message ?? 'Pod failed');
  const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return isReady ? ready : inProgress(status?.phase === 'Running' ? 'Pod is running but is not Ready' : 'Pod is in the Pending phase');
}

function ofClaim({ spec, status }: PersistentVolumeClaim, facts: Facts): Readiness {
  if (status?.phase === 'Bound') return ready;
  if (status?.phase === 'Lost') return failed('The volume of the claim is lost');
  return facts.bindsLate?.(spec?.storageClassName) ? ready : inProgress('PVC is not Bound. phase: Pending');
}

function ofService({ spec, status }: Service): Readiness {
  if (spec?.type !== 'LoadBalancer' || (status?.loadBalancer?.ingress?.length ?? 0) > 0) return ready;
  return inProgress('Waits for the address of its load balancer');
}

const conditionOf = (live: Any, type: string): Condition | undefined =>
  live.status?.conditions?.find((condition) => condition.type === type);

function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

function withoutIgnored(live: Any, ignored: NonNullable<Facts['ignored']>): Any {
  if (ignored.length === 0 || !live.status?.conditions) return live;
  const isIgnored = (condition: Condition): boolean =>
    ignored.some((fields) => Object.entries(fields).every(([key, value]) => String(condition[key as keyof Condition] ?? '') === value));
  return { ...live, status: { ...live.status, conditions: live.status.conditions.filter((condition) => !isIgnored(condition)) } };
}
