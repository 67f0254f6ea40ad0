import { fields, type StructTable } from './treatment.ts';

/** Deployments, ReplicaSets and Jobs: what their controllers read. */
export const workloadTable: StructTable = {
  Deployment: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  DeploymentSpec: {
    acts: fields('minReadySeconds paused progressDeadlineSeconds replicas revisionHistoryLimit selector strategy template'),
  },
  DeploymentStrategy: { acts: fields('rollingUpdate type') },
  RollingUpdateDeployment: { acts: fields('maxSurge maxUnavailable') },
  ReplicaSet: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  ReplicaSetSpec: { acts: fields('minReadySeconds replicas selector template') },
  LabelSelector: { acts: fields('matchExpressions matchLabels') },
  LabelSelectorRequirement: { acts: fields('key operator values') },
  Job: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  JobSpec: {
    acts: fields(`activeDeadlineSeconds backoffLimit completionMode completions managedBy manualSelector parallelism suspend template
      ttlSecondsAfterFinished`),
    ignored: {
      backoffLimitPerIndex: 'failed pods count for the whole Job, against backoffLimit',
      maxFailedIndexes: 'failed pods count for the whole Job, against backoffLimit',
      podFailurePolicy: 'every failed pod counts against backoffLimit',
      podReplacementPolicy: { except: ['TerminatingOrFailed'], reason: 'a pod that ends is replaced at once' },
      selector: {
        reason: 'a Job finds its pods by its own uid',
        when: {
          words: 'with `manualSelector`',
          is: ({ manualSelector }) => manualSelector === true,
          example: { manualSelector: true, selector: { matchLabels: { a: 'b' } } },
        },
      },
      successPolicy: 'the Job succeeds when all its completions have',
    },
  },
  /** Of a template only what its pods take over; the rest Kubernetes ignores as well. */
  'PodTemplateSpec.metadata': {
    acts: fields('annotations finalizers labels'),
    inert: fields(`creationTimestamp deletionGracePeriodSeconds deletionTimestamp generateName generation managedFields name namespace
      ownerReferences resourceVersion selfLink uid`),
  },
};
