import { ApiError, forbidden, invalid } from '../errors.ts';
import { type ApiObject, at, isRecord, listAt, property, textAt } from '../object.ts';
import type { Resource, WriteContext } from './resource.ts';

/**
 * What the server itself writes into an object of a kind, beyond schema defaults: the registry strategies and the
 * always-on admission plugins of the real server, as far as we serve the kind. Each may change its first argument.
 */
type Prepare = NonNullable<Resource['prepareCreate']>;
type PrepareUpdate = NonNullable<Resource['prepareUpdate']>;

/** The spec as an object of the caller's own; made when it is missing. */
export function ownSpec(object: ApiObject): Record<string, unknown> {
  if (!isRecord(object['spec'])) object['spec'] = {};
  return object['spec'] as Record<string, unknown>;
}

export const createNamespace: Prepare = (namespace) => {
  namespace['spec'] = { finalizers: ['kubernetes'] };
  namespace['status'] = { phase: 'Active' };
  namespace.metadata.labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name };
};

export const updateNamespace: PrepareUpdate = (namespace, old) => {
  namespace['spec'] = old['spec'];
  namespace.metadata.labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name };
};

/** `stringData` is write-only: it lands in `data`, Base64. */
export const mergeStringData: Prepare = (secret) => {
  const texts = secret['stringData'];
  if (!isRecord(texts)) return;
  const encoded = Object.entries(texts).map(([key, value]) => [key, Buffer.from(String(value), 'utf8').toString('base64')]);
  secret['data'] = { ...(isRecord(secret['data']) ? secret['data'] : {}), ...Object.fromEntries(encoded) };
  delete secret['stringData'];
};

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

/** ServiceAccount, DefaultTolerationSeconds and Priority admission, and the pod's first status. */
export const createPod: Prepare = (pod, context) => {
  const spec = ownSpec(pod);
  admitServiceAccount(pod, spec, context);
  const tolerations = [...listAt(spec, 'tolerations')];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    if (!tolerations.some((item) => textAt(item, 'key') === key || (textAt(item, 'key') ?? '') === '')) {
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
    }
  }
  spec['tolerations'] = tolerations;
  spec['priority'] ??= 0;
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
  pod['status'] = { phase: 'Pending', qosClass: qualityOfService(spec) };
};

function admitServiceAccount(pod: ApiObject, spec: Record<string, unknown>, context: WriteContext): void {
  const { name, namespace = '' } = pod.metadata;
  const accountName = textAt(spec, 'serviceAccountName') || textAt(spec, 'serviceAccount') || 'default';
  spec['serviceAccountName'] = accountName;
  spec['serviceAccount'] = accountName;
  const account = context.get('serviceaccounts', namespace, accountName);
  if (account === undefined) {
    const why = `error looking up service account ${namespace}/${accountName}: serviceaccount "${accountName}" not found`;
    throw forbidden({ group: '', plural: 'pods' }, name, why);
  }
  if (listAt(spec, 'imagePullSecrets').length === 0 && listAt(account, 'imagePullSecrets').length > 0) {
    spec['imagePullSecrets'] = listAt(account, 'imagePullSecrets');
  }
  const automount = property(spec, 'automountServiceAccountToken') ?? property(account, 'automountServiceAccountToken') ?? true;
  if (automount !== true) return;
  const volume = `kube-api-access-${suffix(pod.metadata.uid ?? name)}`;
  let mounted = false;
  for (const list of ['initContainers', 'containers']) {
    for (const container of listAt(spec, list)) {
      if (!isRecord(container) || listAt(container, 'volumeMounts').some((mount) => textAt(mount, 'mountPath') === tokenPath)) continue;
      container['volumeMounts'] = [...listAt(container, 'volumeMounts'), { name: volume, readOnly: true, mountPath: tokenPath }];
      mounted = true;
    }
  }
  if (mounted) spec['volumes'] = [...listAt(spec, 'volumes'), tokenVolume(volume)];
}

/** The projected volume that the real server's ServiceAccount admission adds to every pod. */
const tokenVolume = (name: string) => ({
  name,
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
    ],
  },
});

/** Five lower-case characters from a uid, so that the same pod gets the same name on a retried write. */
const suffix = (uid: string): string => uid.replace(/[^a-z0-9]/g, '').slice(-5);

function qualityOfService(spec: Record<string, unknown>): string {
  const containers = [...listAt(spec, 'containers'), ...listAt(spec, 'initContainers')];
  let guaranteed = containers.length > 0;
  let any = false;
  for (const container of containers) {
    for (const resource of ['cpu', 'memory']) {
      const limit = at(container, 'resources', 'limits', resource);
      const request = at(container, 'resources', 'requests', resource) ?? limit;
      if (limit !== undefined || request !== undefined) any = true;
      if (limit === undefined || String(limit) !== String(request)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Jobs select their pods by the Job's own uid unless they ask to choose themselves. */
export const createJob: Prepare = (job) => {
  const spec = ownSpec(job);
  if (spec['manualSelector'] === true || !isRecord(spec['template'])) return;
  const uid = job.metadata.uid ?? '';
  const template = spec['template'];
  const metadata = isRecord(template['metadata']) ? template['metadata'] : {};
  const labels = {
    ...(isRecord(metadata['labels']) ? metadata['labels'] : {}),
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': job.metadata.name,
    'controller-uid': uid,
    'job-name': job.metadata.name,
  };
  template['metadata'] = { ...metadata, labels };
  spec['selector'] = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
};

export const createClaim: Prepare = (claim, context) => {
  const spec = ownSpec(claim);
  if (spec['storageClassName'] === undefined && claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] === undefined) {
    const standard = context
      .list('storage.k8s.io/storageclasses')
      .find((item) => item.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
    if (standard) spec['storageClassName'] = standard.metadata.name;
  }
  spec['volumeMode'] ??= 'Filesystem';
  claim['status'] = { phase: 'Pending' };
};

export const createVolume: Prepare = (volume) => {
  ownSpec(volume)['volumeMode'] ??= 'Filesystem';
  volume['status'] = { phase: 'Pending' };
};

/** A first status that is an empty object, as apps and batch kinds show it. */
export const emptyStatus =
  (status: Record<string, unknown> = {}): Prepare =>
  (object) => {
    object['status'] = structuredClone(status);
  };

export const both =
  (...steps: readonly Prepare[]): Prepare =>
  (object, context) => {
    for (const step of steps) step(object, context);
  };

/** A binding's role never changes: delete the binding and make another. */
export const keepRoleRef: PrepareUpdate = (binding, old) => {
  const same = ['apiGroup', 'kind', 'name'].every((key) => at(binding, 'roleRef', key) === at(old, 'roleRef', key));
  if (same) return;
  throw invalid({ group: 'rbac.authorization.k8s.io', kind: binding.kind }, binding.metadata.name, [
    {
      field: 'roleRef',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(binding['roleRef'])}: cannot change roleRef`,
    },
  ]);
};

/** `apiGroup` of the roleRef and of subjects, as the real server defaults them. */
export const completeBinding: Prepare = (binding) => {
  const group = 'rbac.authorization.k8s.io';
  const roleRef = binding['roleRef'];
  if (isRecord(roleRef)) roleRef['apiGroup'] ||= group;
  for (const subject of listAt(binding, 'subjects')) {
    if (isRecord(subject) && subject['kind'] !== 'ServiceAccount') subject['apiGroup'] ||= group;
  }
  if (!isRecord(roleRef)) throw new ApiError('BadRequest', 'roleRef is required');
};
