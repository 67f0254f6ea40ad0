import { type ApiObject, at, isRecord, listAt, numberAt, textAt, textsAt } from '../object.ts';
import {
  ageColumn,
  ageSince,
  createdAtColumn,
  humanDuration,
  joined,
  labelSelectorText,
  nameColumn,
  selectorText,
  shown,
  templateColumns,
  wide,
} from './cells.ts';
import type { Column } from './resource.ts';

const count = (name: string, ...path: string[]): Column => shown(name, (object) => numberAt(object, ...path) ?? 0, 'integer');
const text = (name: string, ...path: string[]): Column => shown(name, (object) => textAt(object, ...path) ?? '<none>');
const selectorColumn = wide('Selector', (object) => labelSelectorText(at(object, 'spec', 'selector')));
const readyOf = (object: ApiObject): string =>
  `${numberAt(object, 'status', 'readyReplicas') ?? 0}/${numberAt(object, 'spec', 'replicas') ?? 0}`;

function jobStatus(job: ApiObject): string {
  const conditions = new Set(
    listAt(job, 'status', 'conditions')
      .filter((condition) => textAt(condition, 'status') === 'True')
      .map((condition) => textAt(condition, 'type')),
  );
  if (conditions.has('Complete')) return 'Complete';
  if (conditions.has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (conditions.has('Suspended')) return 'Suspended';
  if (conditions.has('FailureTarget')) return 'FailureTarget';
  return conditions.has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function jobCompletions(job: ApiObject): string {
  const succeeded = numberAt(job, 'status', 'succeeded') ?? 0;
  const completions = numberAt(job, 'spec', 'completions');
  if (completions !== undefined) return `${succeeded}/${completions}`;
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration(job: ApiObject, now: Date): string {
  const start = textAt(job, 'status', 'startTime');
  if (start === undefined) return '';
  const end = textAt(job, 'status', 'completionTime');
  return humanDuration((end === undefined ? now.getTime() : Date.parse(end)) - Date.parse(start));
}

const ingressHosts = (ingress: ApiObject): string => {
  const hosts = listAt(ingress, 'spec', 'rules')
    .map((rule) => textAt(rule, 'host') ?? '')
    .filter((host) => host !== '');
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : joined(hosts, '*');
};

const subjects = (binding: ApiObject, kind: string): string =>
  listAt(binding, 'subjects')
    .filter((subject) => textAt(subject, 'kind') === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${textAt(subject, 'namespace') ?? ''}/` : '') + (textAt(subject, 'name') ?? ''))
    .join(', ');

const bindingColumns: readonly Column[] = [
  nameColumn,
  shown('Role', (binding) => `${textAt(binding, 'roleRef', 'kind') ?? ''}/${textAt(binding, 'roleRef', 'name') ?? ''}`),
  ageColumn,
  wide('Users', (binding) => subjects(binding, 'User')),
  wide('Groups', (binding) => subjects(binding, 'Group')),
  wide('ServiceAccounts', (binding) => subjects(binding, 'ServiceAccount')),
];

function metricTargets(scaler: ApiObject): string {
  const metrics = listAt(scaler, 'spec', 'metrics');
  if (metrics.length === 0) return '<none>';
  const shownMetrics = metrics.slice(0, 2).map((metric, index) => {
    const type = textAt(metric, 'type') ?? '';
    const source = at(metric, type.charAt(0).toLowerCase() + type.slice(1));
    const current = at(scaler, 'status', 'currentMetrics');
    const seen = Array.isArray(current) ? numberAt(current[index], 'resource', 'current', 'averageUtilization') : undefined;
    const wanted = numberAt(source, 'target', 'averageUtilization');
    const target =
      wanted === undefined ? String(at(source, 'target', 'averageValue') ?? at(source, 'target', 'value') ?? '') : `${wanted}%`;
    const name = textAt(source, 'name');
    return `${name === undefined ? '' : `${name}: `}${seen === undefined ? '<unknown>' : `${seen}%`}/${target}`;
  });
  return shownMetrics.join(', ') + (metrics.length > 2 ? ` + ${metrics.length - 2} more...` : '');
}

const truncated = (values: readonly string[], none: string): string =>
  values.length > 3 ? `${values.slice(0, 3).join(',')} + ${values.length - 3} more...` : joined(values, none);

export const groupColumns: Readonly<Record<string, readonly Column[]>> = {
  deployments: [
    nameColumn,
    shown('Ready', readyOf),
    count('Up-to-date', 'status', 'updatedReplicas'),
    count('Available', 'status', 'availableReplicas'),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  replicasets: [
    nameColumn,
    count('Desired', 'spec', 'replicas'),
    count('Current', 'status', 'replicas'),
    count('Ready', 'status', 'readyReplicas'),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  statefulsets: [nameColumn, shown('Ready', readyOf), ageColumn, ...templateColumns],
  daemonsets: [
    nameColumn,
    count('Desired', 'status', 'desiredNumberScheduled'),
    count('Current', 'status', 'currentNumberScheduled'),
    count('Ready', 'status', 'numberReady'),
    count('Up-to-date', 'status', 'updatedNumberScheduled'),
    count('Available', 'status', 'numberAvailable'),
    shown('Node Selector', (set) => selectorText(at(set, 'spec', 'template', 'spec', 'nodeSelector'))),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  jobs: [
    nameColumn,
    shown('Status', jobStatus),
    shown('Completions', jobCompletions),
    shown('Duration', jobDuration),
    ageColumn,
    ...templateColumns,
    selectorColumn,
  ],
  cronjobs: [
    nameColumn,
    text('Schedule', 'spec', 'schedule'),
    text('Timezone', 'spec', 'timeZone'),
    shown('Suspend', (job) => (at(job, 'spec', 'suspend') === true ? 'True' : 'False')),
    shown('Active', (job) => listAt(job, 'status', 'active').length, 'integer'),
    shown('Last Schedule', (job, now) => {
      const last = textAt(job, 'status', 'lastScheduleTime');
      return last === undefined ? '<none>' : ageSince(last, now);
    }),
    ageColumn,
    wide('Containers', (job) =>
      joined(listAt(job, 'spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers').map((c) => textAt(c, 'name') ?? '')),
    ),
    wide('Images', (job) =>
      joined(listAt(job, 'spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers').map((c) => textAt(c, 'image') ?? '')),
    ),
    wide('Selector', (job) => labelSelectorText(at(job, 'spec', 'jobTemplate', 'spec', 'selector'))),
  ],
  ingresses: [
    nameColumn,
    text('Class', 'spec', 'ingressClassName'),
    shown('Hosts', ingressHosts),
    shown('Address', (ingress) =>
      listAt(ingress, 'status', 'loadBalancer', 'ingress')
        .map((item) => textAt(item, 'ip') ?? textAt(item, 'hostname') ?? '')
        .join(','),
    ),
    shown('Ports', (ingress) => (listAt(ingress, 'spec', 'tls').length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  ingressclasses: [
    nameColumn,
    text('Controller', 'spec', 'controller'),
    shown('Parameters', (item) => {
      const kind = textAt(item, 'spec', 'parameters', 'kind');
      const group = textAt(item, 'spec', 'parameters', 'apiGroup');
      return kind === undefined ? '<none>' : `${kind}${group ? `.${group}` : ''}/${textAt(item, 'spec', 'parameters', 'name') ?? ''}`;
    }),
    ageColumn,
  ],
  networkpolicies: [nameColumn, shown('Pod-Selector', (policy) => labelSelectorText(at(policy, 'spec', 'podSelector'))), ageColumn],
  horizontalpodautoscalers: [
    nameColumn,
    shown(
      'Reference',
      (item) => `${textAt(item, 'spec', 'scaleTargetRef', 'kind') ?? ''}/${textAt(item, 'spec', 'scaleTargetRef', 'name') ?? ''}`,
    ),
    shown('Targets', metricTargets),
    shown('MinPods', (item) => String(numberAt(item, 'spec', 'minReplicas') ?? '<unset>')),
    shown('MaxPods', (item) => String(numberAt(item, 'spec', 'maxReplicas') ?? ''), 'string'),
    shown('Replicas', (item) => String(numberAt(item, 'status', 'currentReplicas') ?? 0)),
    ageColumn,
  ],
  poddisruptionbudgets: [
    nameColumn,
    shown('Min Available', (budget) => String(at(budget, 'spec', 'minAvailable') ?? 'N/A')),
    shown('Max Unavailable', (budget) => String(at(budget, 'spec', 'maxUnavailable') ?? 'N/A')),
    count('Allowed Disruptions', 'status', 'disruptionsAllowed'),
    ageColumn,
  ],
  roles: [nameColumn, createdAtColumn],
  clusterroles: [nameColumn, createdAtColumn],
  rolebindings: bindingColumns,
  clusterrolebindings: bindingColumns,
  storageclasses: [
    shown('Name', (item) => {
      const isDefault = item.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
      return isDefault ? `${item.metadata.name} (default)` : item.metadata.name;
    }),
    text('Provisioner', 'provisioner'),
    shown('ReclaimPolicy', (item) => textAt(item, 'reclaimPolicy') ?? 'Delete'),
    shown('VolumeBindingMode', (item) => textAt(item, 'volumeBindingMode') ?? 'Immediate'),
    shown('AllowVolumeExpansion', (item) => at(item, 'allowVolumeExpansion') === true, 'boolean'),
    ageColumn,
  ],
  leases: [nameColumn, shown('Holder', (lease) => textAt(lease, 'spec', 'holderIdentity') ?? ''), ageColumn],
  endpointslices: [
    nameColumn,
    text('AddressType', 'addressType'),
    shown('Ports', (slice) =>
      truncated(
        listAt(slice, 'ports').map((port) => String(numberAt(port, 'port') ?? '*')),
        '<unset>',
      ),
    ),
    shown('Endpoints', (slice) =>
      truncated(
        listAt(slice, 'endpoints').flatMap((endpoint) => textsAt(endpoint, 'addresses')),
        '<unset>',
      ),
    ),
    ageColumn,
  ],
  customresourcedefinitions: [nameColumn, createdAtColumn],
};

/** For kinds with no columns of their own. */
export const plainColumns: readonly Column[] = [nameColumn, createdAtColumn];

/** True for text, numbers and truth values: what a cell can hold. */
export const isCell = (value: unknown): boolean => value !== undefined && value !== null && !isRecord(value) && !Array.isArray(value);
