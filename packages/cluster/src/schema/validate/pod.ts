import { equal, isObject, type Json, type JsonObject, own, ownList, ownObject, ownObjects, ownString, without } from '../json.ts';
import { compareQuantities, quantityNanos } from '../quantity.ts';
import { at, atKey, type Report } from './causes.ts';
import { dnsLabelErrors, dnsSubdomainErrors, envNameErrors, portNameErrors, qualifiedNameErrors } from './names.ts';

/** Pods and pod templates (k8s.io/kubernetes `ValidatePodSpec` and what it calls). */

const portRange = 'must be between 1 and 65535, inclusive';

function validPort(value: Json | undefined): boolean {
  return typeof value === 'number' && value >= 1 && value <= 65_535;
}

/** A port number or a port's name. */
export function validatePortReference(value: Json | undefined, path: string, report: Report): void {
  if (typeof value === 'string') for (const error of portNameErrors(value)) report.invalid(path, value, error);
  else if (!validPort(value)) report.invalid(path, value ?? 0, portRange);
}

function oneOf(value: Json | undefined, supported: readonly string[], path: string, report: Report, needed = false): void {
  if (value === undefined || value === '') {
    if (needed) report.required(path);
  } else if (!supported.includes(String(value))) report.unsupported(path, value, supported);
}

/** Quantities of a resource list are readable and not negative; requests stay below limits. */
export function validateResources(resources: JsonObject | undefined, path: string, report: Report): void {
  const limits = ownObject(resources, 'limits') ?? {};
  for (const part of ['limits', 'requests']) {
    for (const [name, value] of Object.entries(ownObject(resources, part) ?? {})) {
      const here = atKey(at(path, part), name);
      const text = String(value);
      const nanos = quantityNanos(text);
      for (const error of qualifiedNameErrors(name)) report.invalid(here, name, error);
      if (nanos !== undefined && nanos < 0n) report.invalid(here, text, 'must be greater than or equal to 0');
      const limit = own(limits, name);
      if (part === 'requests' && limit !== undefined && compareQuantities(text, String(limit)) === 1)
        report.invalid(at(path, 'requests'), text, `must be less than or equal to ${name} limit of ${String(limit)}`);
    }
  }
}

function validateHandler(handler: JsonObject, path: string, kinds: readonly string[], report: Report): void {
  const present = kinds.filter((kind) => isObject(own(handler, kind)));
  if (present.length === 0) report.required(path, 'must specify a handler type');
  for (const kind of present.slice(1)) report.forbidden(at(path, kind), 'may not specify more than 1 handler type');
  const command = ownObject(handler, 'exec');
  if (command && ownList(command, 'command').length === 0) report.required(at(path, 'exec', 'command'));
  const get = ownObject(handler, 'httpGet');
  if (get) {
    if (!ownString(get, 'path')) report.required(at(path, 'httpGet', 'path'));
    validatePortReference(own(get, 'port'), at(path, 'httpGet', 'port'), report);
    oneOf(own(get, 'scheme'), ['HTTP', 'HTTPS'], at(path, 'httpGet', 'scheme'), report);
  }
  for (const kind of ['tcpSocket', 'grpc']) {
    const target = ownObject(handler, kind);
    if (target) validatePortReference(own(target, 'port'), at(path, kind, 'port'), report);
  }
}

function validateProbe(probe: JsonObject | undefined, path: string, onlyOnce: boolean, report: Report): void {
  if (!probe) return;
  validateHandler(probe, path, ['exec', 'httpGet', 'tcpSocket', 'grpc'], report);
  for (const key of ['initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold']) {
    const value = own(probe, key);
    if (typeof value === 'number' && value < 0) report.invalid(at(path, key), value, 'must be greater than or equal to 0');
  }
  const success = own(probe, 'successThreshold');
  if (onlyOnce && typeof success === 'number' && success !== 1) report.invalid(at(path, 'successThreshold'), success, 'must be 1');
  const grace = own(probe, 'terminationGracePeriodSeconds');
  if (typeof grace === 'number' && grace <= 0) report.invalid(at(path, 'terminationGracePeriodSeconds'), grace, 'must be greater than 0');
}

function validateEnv(container: JsonObject, path: string, report: Report): void {
  for (const [index, variable] of ownObjects(container, 'env').entries()) {
    const here = at(path, 'env', index);
    const name = ownString(variable, 'name') ?? '';
    if (name === '') report.required(at(here, 'name'));
    else for (const error of envNameErrors(name)) report.invalid(at(here, 'name'), name, error);
    const source = ownObject(variable, 'valueFrom');
    if (!source) continue;
    const kinds = Object.keys(source);
    if (kinds.length === 0)
      report.invalid(
        at(here, 'valueFrom'),
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      );
    if (ownString(variable, 'value')) report.invalid(at(here, 'valueFrom'), '', 'may not be specified when `value` is not empty');
    if (kinds.length > 1) report.invalid(at(here, 'valueFrom'), '', 'may not have more than one field specified at a time');
    for (const kind of ['configMapKeyRef', 'secretKeyRef']) {
      const reference = ownObject(source, kind);
      if (!reference) continue;
      if (!ownString(reference, 'name')) report.required(at(here, 'valueFrom', kind, 'name'));
      if (!ownString(reference, 'key')) report.required(at(here, 'valueFrom', kind, 'key'));
    }
    const field = ownObject(source, 'fieldRef');
    if (field && !ownString(field, 'fieldPath')) report.required(at(here, 'valueFrom', 'fieldRef', 'fieldPath'));
  }
  for (const [index, source] of ownObjects(container, 'envFrom').entries()) {
    const here = at(path, 'envFrom', index);
    const present = ['configMapRef', 'secretRef'].filter((kind) => isObject(own(source, kind)));
    if (present.length === 0) report.invalid(here, '', 'must specify one of: `configMapRef` or `secretRef`');
    if (present.length > 1) report.invalid(here, '', 'may not have more than one field specified at a time');
    for (const kind of present) if (!ownString(ownObject(source, kind), 'name')) report.required(at(here, kind, 'name'));
  }
}

function validatePorts(container: JsonObject, path: string, report: Report): void {
  const names = new Set<string>();
  for (const [index, port] of ownObjects(container, 'ports').entries()) {
    const here = at(path, 'ports', index);
    const name = ownString(port, 'name');
    if (name) {
      const errors = portNameErrors(name);
      for (const error of errors) report.invalid(at(here, 'name'), name, error);
      if (errors.length === 0 && names.has(name)) report.duplicate(at(here, 'name'), name);
      names.add(name);
    }
    const number = own(port, 'containerPort');
    if (number === undefined || number === 0) report.required(at(here, 'containerPort'));
    else if (!validPort(number)) report.invalid(at(here, 'containerPort'), number, portRange);
    const host = own(port, 'hostPort');
    if (host !== undefined && host !== 0 && !validPort(host)) report.invalid(at(here, 'hostPort'), host, portRange);
    oneOf(own(port, 'protocol'), ['SCTP', 'TCP', 'UDP'], at(here, 'protocol'), report, true);
  }
}

function validateMounts(container: JsonObject, path: string, volumes: ReadonlySet<string>, report: Report): void {
  const paths = new Set<string>();
  for (const [index, mount] of ownObjects(container, 'volumeMounts').entries()) {
    const here = at(path, 'volumeMounts', index);
    const name = ownString(mount, 'name') ?? '';
    const mountPath = ownString(mount, 'mountPath') ?? '';
    if (name === '') report.required(at(here, 'name'));
    else if (!volumes.has(name)) report.notFound(at(here, 'name'), name);
    if (mountPath === '') report.required(at(here, 'mountPath'));
    else if (paths.has(mountPath)) report.invalid(at(here, 'mountPath'), mountPath, 'must be unique');
    paths.add(mountPath);
    const sub = ownString(mount, 'subPath');
    if (sub?.startsWith('/')) report.invalid(at(here, 'subPath'), sub, 'must be a relative path');
    if (sub?.split('/').includes('..')) report.invalid(at(here, 'subPath'), sub, "must not contain '..'");
  }
}

interface Names {
  readonly containers: Set<string>;
  readonly volumes: ReadonlySet<string>;
}

function validateContainer(container: JsonObject, path: string, names: Names, isInit: boolean, report: Report): void {
  const name = ownString(container, 'name') ?? '';
  if (name === '') report.required(at(path, 'name'));
  else {
    for (const error of dnsLabelErrors(name)) report.invalid(at(path, 'name'), name, error);
    if (names.containers.has(name)) report.duplicate(at(path, 'name'), name);
    names.containers.add(name);
  }
  const image = ownString(container, 'image') ?? '';
  if (image === '') report.required(at(path, 'image'));
  else if (image !== image.trim()) report.invalid(at(path, 'image'), image, 'must not have leading or trailing whitespace');
  oneOf(own(container, 'imagePullPolicy'), ['Always', 'IfNotPresent', 'Never'], at(path, 'imagePullPolicy'), report);
  oneOf(own(container, 'terminationMessagePolicy'), ['FallbackToLogsOnError', 'File'], at(path, 'terminationMessagePolicy'), report);
  validatePorts(container, path, report);
  validateEnv(container, path, report);
  validateMounts(container, path, names.volumes, report);
  validateResources(ownObject(container, 'resources'), at(path, 'resources'), report);
  const sidecar = own(container, 'restartPolicy') === 'Always';
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (isInit && !sidecar && isObject(own(container, probe)))
      report.forbidden(at(path, probe), 'may not be set for init containers without restartPolicy=Always');
    else validateProbe(ownObject(container, probe), at(path, probe), probe !== 'readinessProbe', report);
  }
  const lifecycle = ownObject(container, 'lifecycle');
  for (const hook of ['postStart', 'preStop']) {
    const handler = ownObject(lifecycle, hook);
    if (handler) validateHandler(handler, at(path, 'lifecycle', hook), ['exec', 'httpGet', 'tcpSocket', 'sleep'], report);
  }
}

function validateVolumes(spec: JsonObject, path: string, report: Report): Set<string> {
  const names = new Set<string>();
  for (const [index, volume] of ownObjects(spec, 'volumes').entries()) {
    const here = at(path, 'volumes', index);
    const name = ownString(volume, 'name') ?? '';
    if (name === '') report.required(at(here, 'name'));
    else {
      for (const error of dnsLabelErrors(name)) report.invalid(at(here, 'name'), name, error);
      if (names.has(name)) report.duplicate(at(here, 'name'), name);
      names.add(name);
    }
    const sources = Object.keys(without(volume, 'name'));
    for (const extra of sources.slice(1)) report.forbidden(at(here, extra), 'may not specify more than 1 volume type');
    if (isObject(own(volume, 'configMap')) && !ownString(ownObject(volume, 'configMap'), 'name'))
      report.required(at(here, 'configMap', 'name'));
    if (isObject(own(volume, 'secret')) && !ownString(ownObject(volume, 'secret'), 'secretName'))
      report.required(at(here, 'secret', 'secretName'));
    if (isObject(own(volume, 'persistentVolumeClaim')) && !ownString(ownObject(volume, 'persistentVolumeClaim'), 'claimName'))
      report.required(at(here, 'persistentVolumeClaim', 'claimName'));
    if (isObject(own(volume, 'hostPath')) && !ownString(ownObject(volume, 'hostPath'), 'path'))
      report.required(at(here, 'hostPath', 'path'));
    for (const kind of ['configMap', 'secret'])
      for (const [item, entry] of ownObjects(ownObject(volume, kind), 'items').entries()) {
        if (!ownString(entry, 'key')) report.required(at(here, kind, 'items', item, 'key'));
        const file = ownString(entry, 'path') ?? '';
        if (file === '') report.required(at(here, kind, 'items', item, 'path'));
        else if (file.startsWith('/')) report.invalid(at(here, kind, 'items', item, 'path'), file, 'must be a relative path');
        else if (file.split('/').includes('..')) report.invalid(at(here, kind, 'items', item, 'path'), file, "must not contain '..'");
      }
  }
  return names;
}

/** What an owner lets its pods be. */
export interface PodOwner {
  /** The restart policies that it takes; default all. */
  readonly restart?: readonly string[];
  /** Why ephemeral containers are refused. */
  readonly ephemeral?: string;
  /** Names of volumes that it adds: a StatefulSet's claims. */
  readonly claims?: readonly string[];
}

/** A pod specification at that path. */
export function validatePodSpec(spec: JsonObject | undefined, path: string, report: Report, owner: PodOwner = {}): void {
  const { restart = ['Always', 'OnFailure', 'Never'], ephemeral = 'cannot be set on create', claims = [] } = owner;
  if (!spec) {
    report.required(at(path, 'containers'));
    return;
  }
  const names: Names = { containers: new Set(), volumes: new Set([...validateVolumes(spec, path, report), ...claims]) };
  const containers = ownObjects(spec, 'containers');
  if (containers.length === 0) report.required(at(path, 'containers'));
  for (const [index, container] of containers.entries()) validateContainer(container, at(path, 'containers', index), names, false, report);
  for (const [index, container] of ownObjects(spec, 'initContainers').entries())
    validateContainer(container, at(path, 'initContainers', index), names, true, report);
  if (ownObjects(spec, 'ephemeralContainers').length > 0) report.forbidden(at(path, 'ephemeralContainers'), ephemeral);
  oneOf(own(spec, 'restartPolicy'), restart, at(path, 'restartPolicy'), report, true);
  oneOf(own(spec, 'dnsPolicy'), ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'], at(path, 'dnsPolicy'), report);
  const account = ownString(spec, 'serviceAccountName');
  if (account) for (const error of dnsSubdomainErrors(account)) report.invalid(at(path, 'serviceAccountName'), account, error);
  const grace = own(spec, 'terminationGracePeriodSeconds');
  if (typeof grace === 'number' && grace < 0)
    report.invalid(at(path, 'terminationGracePeriodSeconds'), grace, 'must be greater than or equal to 0');
  const deadline = own(spec, 'activeDeadlineSeconds');
  if (typeof deadline === 'number' && deadline < 1)
    report.invalid(at(path, 'activeDeadlineSeconds'), deadline, 'must be between 1 and 2147483647, inclusive');
}

/** What may change in a running pod: images, deadlines that shrink, tolerations that grow. */
export function validatePodUpdate(spec: JsonObject, old: JsonObject, report: Report): void {
  const frozen = (pod: JsonObject): JsonObject => {
    const rest = without(
      pod,
      'activeDeadlineSeconds',
      'tolerations',
      'terminationGracePeriodSeconds',
      'nodeName',
      'ephemeralContainers',
      'schedulingGates',
    );
    const images = (list: readonly JsonObject[]): JsonObject[] => list.map((container) => without(container, 'image', 'resources'));
    return { ...rest, containers: images(ownObjects(pod, 'containers')), initContainers: images(ownObjects(pod, 'initContainers')) };
  };
  const moved = own(old, 'nodeName') !== undefined && !equal(own(old, 'nodeName'), own(spec, 'nodeName'));
  if (moved || !equal(frozen(spec), frozen(old)))
    report.forbidden(
      'spec',
      'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
    );
}
