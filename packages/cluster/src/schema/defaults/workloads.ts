import { copy, type JsonObject, own, ownObject, put } from '../json.ts';
import { each, fill, fillAll, section, within } from './draft.ts';
import { defaultPodTemplate } from './pod.ts';

/** apps/v1, batch/v1 and autoscaling: what the API reference says that absent fields mean. */

export function defaultDeployment(deployment: JsonObject): void {
  const spec = section(deployment, 'spec');
  fillAll(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  const strategy = section(spec, 'strategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (own(strategy, 'type') === 'RollingUpdate') fillAll(section(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
  defaultPodTemplate(spec);
  section(deployment, 'status');
}

export function defaultReplicaSet(set: JsonObject): void {
  const spec = section(set, 'spec');
  fill(spec, 'replicas', 1);
  defaultPodTemplate(spec);
  fill(section(set, 'status'), 'replicas', 0);
}

export function defaultStatefulSet(set: JsonObject): void {
  const spec = section(set, 'spec');
  fillAll(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' });
  const strategy = section(spec, 'updateStrategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (own(strategy, 'type') === 'RollingUpdate') fill(section(strategy, 'rollingUpdate'), 'partition', 0);
  fillAll(section(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' });
  each(spec, 'volumeClaimTemplates', (claim) => {
    fillAll(claim, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
    defaultClaim(claim);
  });
  defaultPodTemplate(spec);
  fillAll(section(set, 'status'), { replicas: 0, availableReplicas: 0 });
}

export function defaultDaemonSet(set: JsonObject): void {
  const spec = section(set, 'spec');
  fill(spec, 'revisionHistoryLimit', 10);
  const strategy = section(spec, 'updateStrategy');
  fill(strategy, 'type', 'RollingUpdate');
  if (own(strategy, 'type') === 'RollingUpdate') fillAll(section(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
  defaultPodTemplate(spec);
  fillAll(section(set, 'status'), { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 });
}

export function defaultJobSpec(spec: JsonObject): void {
  if (own(spec, 'completions') === undefined && own(spec, 'parallelism') === undefined) put(spec, 'completions', 1);
  fillAll(spec, {
    parallelism: 1,
    backoffLimit: ownObject(spec, 'backoffLimitPerIndex') || typeof own(spec, 'backoffLimitPerIndex') === 'number' ? 2 ** 31 - 1 : 6,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: ownObject(spec, 'podFailurePolicy') ? 'Failed' : 'TerminatingOrFailed',
  });
  each(ownObject(spec, 'podFailurePolicy'), 'rules', (rule) => each(rule, 'onPodConditions', (pattern) => fill(pattern, 'status', 'True')));
  defaultPodTemplate(spec);
}

export function defaultJob(job: JsonObject): void {
  const spec = section(job, 'spec');
  defaultJobSpec(spec);
  const labels = ownObject(ownObject(ownObject(spec, 'template'), 'metadata'), 'labels');
  const metadata = section(job, 'metadata');
  if (labels && Object.keys(ownObject(metadata, 'labels') ?? {}).length === 0) put(metadata, 'labels', copy(labels));
  section(job, 'status');
}

export function defaultCronJob(job: JsonObject): void {
  const spec = section(job, 'spec');
  fillAll(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
  // A template's job gets its defaults when the job is made; only its pods have theirs here.
  within(ownObject(spec, 'jobTemplate'), 'spec', defaultPodTemplate);
  section(job, 'status');
}

export function defaultClaim(claim: JsonObject): void {
  fill(section(claim, 'spec'), 'volumeMode', 'Filesystem');
  fill(section(claim, 'status'), 'phase', 'Pending');
}

const scaleUp = (): JsonObject => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
});
const scaleDown = (): JsonObject => ({ selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] });

export function defaultAutoscaler(autoscaler: JsonObject): void {
  const spec = section(autoscaler, 'spec');
  fill(spec, 'minReplicas', 1);
  if (own(autoscaler, 'apiVersion') === 'autoscaling/v1') fill(spec, 'targetCPUUtilizationPercentage', 80);
  else {
    const metrics = own(spec, 'metrics');
    if (!Array.isArray(metrics) || metrics.length === 0)
      put(spec, 'metrics', [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]);
    within(spec, 'behavior', (behavior) => {
      fillAll(section(behavior, 'scaleUp'), scaleUp());
      fillAll(section(behavior, 'scaleDown'), scaleDown());
    });
  }
  section(autoscaler, 'status');
}
