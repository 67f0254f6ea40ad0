import { type JsonObject, own, ownObject, ownObjects, ownString, without } from '../json.ts';
import { at, type Report } from './causes.ts';
import { selects, validateAnnotations, validateImmutable, validateLabels, validateSelector } from './meta.ts';
import { validatePodSpec } from './pod.ts';

/** apps/v1, batch/v1 and autoscaling/v2. */

export function validateTemplate(spec: JsonObject, path: string, report: Report, restart: readonly string[]): void {
  const template = ownObject(spec, 'template');
  const metadata = ownObject(template, 'metadata') ?? {};
  validateLabels(own(metadata, 'labels'), at(path, 'template.metadata.labels'), report);
  validateAnnotations(own(metadata, 'annotations'), at(path, 'template.metadata.annotations'), report);
  const claims = ownObjects(spec, 'volumeClaimTemplates').map((claim) => ownString(ownObject(claim, 'metadata'), 'name') ?? '');
  const ephemeral = 'ephemeral containers not allowed in pod template';
  validatePodSpec(ownObject(template, 'spec'), at(path, 'template.spec'), report, { restart, ephemeral, claims });
}

function notNegative(object: JsonObject, keys: readonly string[], path: string, report: Report): void {
  for (const key of keys) {
    const value = own(object, key);
    if (typeof value === 'number' && value < 0) report.invalid(at(path, key), value, 'must be greater than or equal to 0');
  }
}

/** Deployments, ReplicaSets, StatefulSets, DaemonSets: a selector that takes the template's own labels and never changes. */
export function validateWorkload(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const selector = ownObject(spec, 'selector');
  const labels = ownObject(ownObject(ownObject(spec, 'template'), 'metadata'), 'labels');
  notNegative(spec, ['replicas', 'minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], 'spec', report);
  if (!selector) report.required('spec.selector');
  else {
    validateSelector(selector, 'spec.selector', report);
    const empty =
      Object.keys(ownObject(selector, 'matchLabels') ?? {}).length === 0 && ownObjects(selector, 'matchExpressions').length === 0;
    if (empty)
      report.invalid('spec.selector', selector, `empty selector is invalid for ${(ownString(object, 'kind') ?? '').toLowerCase()}`);
  }
  // A missing selector selects nothing.
  if (!selector || !selects(selector, labels ?? {}))
    report.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`');
  validateTemplate(spec, 'spec', report, ['Always']);
  if (own(object, 'kind') === 'Deployment') validateStrategy(spec, report);
  const before = ownObject(old, 'spec');
  if (!before) return;
  if (own(object, 'kind') === 'StatefulSet') {
    const mutable = [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ];
    const same = JSON.stringify(sorted(without(spec, ...mutable))) === JSON.stringify(sorted(without(before, ...mutable)));
    if (!same)
      report.forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      );
  } else validateImmutable(selector, own(before, 'selector'), 'spec.selector', report);
}

function sorted(value: JsonObject): unknown {
  return Object.keys(value)
    .sort()
    .map((key) => [key, JSON.stringify(value[key])]);
}

function validateStrategy(spec: JsonObject, report: Report): void {
  const strategy = ownObject(spec, 'strategy');
  const type = strategy && own(strategy, 'type');
  if (type !== undefined && type !== 'Recreate' && type !== 'RollingUpdate')
    report.unsupported('spec.strategy.type', type, ['Recreate', 'RollingUpdate']);
  const rolling = ownObject(strategy, 'rollingUpdate');
  if (!rolling) return;
  if (type === 'Recreate') report.forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'");
  for (const key of ['maxUnavailable', 'maxSurge']) {
    const value = own(rolling, key);
    if (typeof value === 'number' && value < 0)
      report.invalid(at('spec.strategy.rollingUpdate', key), value, 'must be greater than or equal to 0');
    if (typeof value === 'string' && !/^\d{1,9}%$/.test(value))
      report.invalid(
        at('spec.strategy.rollingUpdate', key),
        value,
        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      );
  }
  const zero = (key: string): boolean => own(rolling, key) === 0 || own(rolling, key) === '0%';
  if (zero('maxUnavailable') && zero('maxSurge'))
    report.invalid('spec.strategy.rollingUpdate.maxUnavailable', own(rolling, 'maxUnavailable'), 'may not be 0 when `maxSurge` is 0');
}

export function validateJob(object: JsonObject, old: JsonObject | undefined, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  validateJobSpec(spec, 'spec', report);
  const before = ownObject(old, 'spec');
  if (!before) return;
  validateImmutable(own(spec, 'selector'), own(before, 'selector'), 'spec.selector', report);
  // A suspended job that never started may get another place and other resources; only that is let through by the real server.
  if (own(before, 'suspend') !== true) validateImmutable(own(spec, 'template'), own(before, 'template'), 'spec.template', report);
  validateImmutable(own(spec, 'completionMode'), own(before, 'completionMode'), 'spec.completionMode', report);
  if (own(spec, 'completionMode') !== 'Indexed')
    validateImmutable(own(spec, 'completions'), own(before, 'completions'), 'spec.completions', report);
}

export function validateJobSpec(spec: JsonObject, path: string, report: Report): void {
  notNegative(spec, ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished'], path, report);
  validateTemplate(spec, path, report, ['Always', 'OnFailure', 'Never']);
  const policy = own(ownObject(ownObject(spec, 'template'), 'spec') ?? {}, 'restartPolicy');
  if (policy === 'Always') report.required(at(path, 'template.spec.restartPolicy'), 'valid values: "OnFailure", "Never"');
}

/** Five fields of a cron line, or a macro; optional `TZ=` is refused as the real server does. */
const cronLine = /^(@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S{1,40})|(\S{1,80}\s+){4}\S{1,80})$/;

export function validateCronJob(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const schedule = ownString(spec, 'schedule') ?? '';
  if (schedule === '') report.required('spec.schedule');
  else if (schedule.length > 500 || !cronLine.test(schedule.trim()))
    report.invalid(
      'spec.schedule',
      schedule,
      `expected exactly 5 fields, found ${schedule.trim().split(/\s+/).length}: [${schedule.trim().split(/\s+/).join(' ')}]`,
    );
  const policy = own(spec, 'concurrencyPolicy');
  if (policy !== undefined && !['Allow', 'Forbid', 'Replace'].includes(String(policy)))
    report.unsupported('spec.concurrencyPolicy', policy, ['Allow', 'Forbid', 'Replace']);
  validateJobSpec(ownObject(ownObject(spec, 'jobTemplate'), 'spec') ?? {}, 'spec.jobTemplate.spec', report);
}

export function validateAutoscaler(object: JsonObject, report: Report): void {
  const spec = ownObject(object, 'spec') ?? {};
  const max = own(spec, 'maxReplicas');
  const min = own(spec, 'minReplicas');
  if (typeof min === 'number' && min < 1) report.invalid('spec.minReplicas', min, 'must be greater than or equal to 1');
  if (typeof max !== 'number' || max < 1) report.invalid('spec.maxReplicas', max ?? 0, 'must be greater than or equal to 1');
  else if (typeof min === 'number' && max < min) report.invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`');
  const target = ownObject(spec, 'scaleTargetRef');
  for (const key of ['kind', 'name']) if (!ownString(target, key)) report.required(at('spec.scaleTargetRef', key));
  if (!(ownString(target, 'apiVersion') ?? '').includes('/'))
    report.invalid('spec.scaleTargetRef.apiVersion', own(target ?? {}, 'apiVersion') ?? '', 'apiVersion must specify API group');
}
