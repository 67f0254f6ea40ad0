import { controllerOf, type Job, type JobStatus, jobType, keyOf, type Pod, partsOfKey, podType, runController, source } from '@desp/kube';
import { messageOf } from '@desp/runtime';
import { planJob } from './job-plan.ts';
import { canonicalJson, type WorkloadContext } from './parts.ts';
import { createPod } from './pods.ts';

/** In `spec.managedBy`; another name leaves the Job to whoever bears it. */
const ownName = 'kubernetes.io/job-controller';
const uidLabels = ['batch.kubernetes.io/controller-uid', 'controller-uid'];
const nameLabels = ['batch.kubernetes.io/job-name', 'job-name'];
const indexName = 'batch.kubernetes.io/job-completion-index';

/** Runs pods to completion. Source: Kubernetes documentation "Jobs". */
export function runJobs(context: WorkloadContext): Promise<void> {
  const { client, clock } = context;
  const recorder = context.recorder('job-controller');

  async function reconcile(key: string) {
    const { namespace, name } = partsOfKey(key);
    const job = await client.get(jobType, name, namespace);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
    if ((job.spec.managedBy ?? ownName) !== ownName) return undefined;
    const { items } = await client.list(podType, { namespace, labelSelector: `${uidLabels[0]}=${job.metadata.uid}` });
    const pods = items.filter((pod) => controllerOf(pod)?.uid === job.metadata.uid);
    const plan = planJob(job, pods, clock.now());
    if (plan.expired) {
      await client.delete(jobType, name, namespace, { uid: job.metadata.uid, propagation: 'Foreground' });
      return undefined;
    }
    // The verdict is written before pods are removed: were it the other way round, a kill between would run them again.
    if (canonicalJson(plan.status) !== canonicalJson(job.status ?? {})) {
      await client.replace(jobType, { ...job, status: plan.status }, { subresource: 'status' });
      announce(job, plan.status);
    }
    for (const pod of plan.remove) {
      await client.delete(podType, pod.metadata.name, namespace, { uid: pod.metadata.uid });
      recorder.event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    }
    for (const index of plan.create) await createOne(job, index);
    return plan.recheckMs === undefined ? undefined : { requeueAfterMs: plan.recheckMs };
  }

  function announce(job: Job, status: JobStatus): void {
    const known = new Set((job.status?.conditions ?? []).map(({ type }) => type));
    for (const condition of status.conditions ?? []) {
      if (known.has(condition.type)) continue;
      if (condition.type === 'Complete') recorder.event(job, 'Normal', 'Completed', 'Job completed');
      if (condition.type === 'Failed') recorder.event(job, 'Warning', condition.reason ?? 'Failed', condition.message ?? '');
      if (condition.type === 'Suspended' && condition.status === 'True') recorder.event(job, 'Normal', 'Suspended', 'Job suspended');
    }
  }

  async function createOne(job: Job, index: number | undefined): Promise<void> {
    const labels: Record<string, string> = {};
    for (const label of uidLabels) labels[label] = job.metadata.uid!;
    for (const label of nameLabels) labels[label] = job.metadata.name;
    let { template } = job.spec;
    if (index !== undefined) {
      labels[indexName] = String(index);
      const variable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexName}']` } } };
      const withIndex = template.spec.containers.map((container) => ({ ...container, env: [...(container.env ?? []), variable] }));
      template = { ...template, spec: { ...template.spec, containers: withIndex } };
    }
    const annotations = index === undefined ? undefined : { [indexName]: String(index) };
    const generateName = index === undefined ? undefined : `${job.metadata.name.slice(0, 50)}-${index}-`;
    try {
      const pod = await createPod(client, job, template, { labels, annotations, generateName });
      recorder.event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      recorder.event(job, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  return runController({
    ...context,
    name: 'job',
    sources: [source(jobType, (job) => [keyOf(job)]), source(podType, jobKeys)],
    reconcile,
  });
}

function jobKeys(pod: Pod): string[] {
  const owner = controllerOf(pod);
  return owner?.kind === 'Job' ? [`${pod.metadata.namespace}/${owner.name}`] : [];
}
