import { type JsonObject, own, ownObject, ownString, put } from '../json.ts';
import { each, eachFill, fill, fillAll, section, within } from './draft.ts';

/** Pods and pod templates: k8s.io/kubernetes pkg/apis/core/v1, as the API reference documents them field by field. */

function defaultHttpGet(draft: JsonObject): void {
  within(draft, 'httpGet', (get) => fillAll(get, { path: '/', scheme: 'HTTP' }));
}

function defaultProbe(probe: JsonObject): void {
  fillAll(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  // A zero was never sent by Go clients; the server takes it as absent.
  for (const [key, value] of [
    ['timeoutSeconds', 1],
    ['periodSeconds', 10],
    ['successThreshold', 1],
    ['failureThreshold', 3],
  ] as const)
    if (own(probe, key) === 0) put(probe, key, value);
  defaultHttpGet(probe);
  within(probe, 'grpc', (grpc) => fill(grpc, 'service', ''));
}

/** `Always` for `latest`, or no tag at all; `IfNotPresent` for every other tag and for digests. */
function defaultPullPolicy(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.lastIndexOf(':');
  return colon < 0 || name.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultContainer(container: JsonObject): void {
  const image = ownString(container, 'image');
  if (image) fill(container, 'imagePullPolicy', defaultPullPolicy(image));
  fillAll(container, { resources: {}, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' });
  eachFill(container, 'ports', { protocol: 'TCP' });
  each(container, 'env', (variable) => {
    within(variable, 'valueFrom', (source) => {
      within(source, 'fieldRef', (reference) => fill(reference, 'apiVersion', 'v1'));
      within(source, 'resourceFieldRef', (reference) => fill(reference, 'divisor', '0'));
      within(source, 'fileKeyRef', (reference) => fill(reference, 'optional', false));
    });
  });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) within(container, probe, defaultProbe);
  within(container, 'lifecycle', (lifecycle) => {
    for (const hook of ['postStart', 'preStop']) within(lifecycle, hook, defaultHttpGet);
  });
}

function defaultDownwardItems(source: JsonObject): void {
  each(source, 'items', (item) => {
    within(item, 'fieldRef', (reference) => fill(reference, 'apiVersion', 'v1'));
    within(item, 'resourceFieldRef', (reference) => fill(reference, 'divisor', '0'));
  });
}

function defaultVolume(volume: JsonObject): void {
  if (Object.keys(volume).every((key) => key === 'name')) put(volume, 'emptyDir', {});
  for (const kind of ['secret', 'configMap', 'downwardAPI', 'projected'])
    within(volume, kind, (source) => fill(source, 'defaultMode', 0o644));
  within(volume, 'downwardAPI', defaultDownwardItems);
  within(volume, 'projected', (projected) =>
    each(projected, 'sources', (source) => {
      within(source, 'serviceAccountToken', (token) => fill(token, 'expirationSeconds', 3600));
      within(source, 'downwardAPI', defaultDownwardItems);
    }),
  );
  within(volume, 'hostPath', (path) => fill(path, 'type', ''));
  within(volume, 'image', (image) => fill(image, 'pullPolicy', defaultPullPolicy(ownString(image, 'reference') ?? '')));
  within(volume, 'iscsi', (iscsi) => fill(iscsi, 'iscsiInterface', 'default'));
  within(volume, 'rbd', (rbd) => fillAll(rbd, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }));
  within(ownObject(ownObject(volume, 'ephemeral'), 'volumeClaimTemplate'), 'spec', (spec) => fill(spec, 'volumeMode', 'Filesystem'));
}

/** The defaults of a pod specification, in a pod as in a template. */
export function defaultPodSpec(spec: JsonObject): void {
  // `serviceAccount` is the old name of `serviceAccountName`: the two always say the same.
  const account = ownString(spec, 'serviceAccountName') || ownString(spec, 'serviceAccount');
  if (account) {
    put(spec, 'serviceAccountName', account);
    put(spec, 'serviceAccount', account);
  }
  fillAll(spec, {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
  });
  for (const kind of ['initContainers', 'containers', 'ephemeralContainers']) each(spec, kind, defaultContainer);
  each(spec, 'volumes', defaultVolume);
  if (own(spec, 'hostNetwork') === true) {
    for (const kind of ['initContainers', 'containers'])
      each(spec, kind, (container) =>
        each(container, 'ports', (port) => {
          const number = own(port, 'containerPort');
          if (typeof number === 'number') fill(port, 'hostPort', number);
        }),
      );
  }
}

/** What a pod has beyond its specification's defaults; templates do not. */
export function defaultPod(pod: JsonObject): void {
  const spec = section(pod, 'spec');
  fill(spec, 'enableServiceLinks', true);
  for (const kind of ['initContainers', 'containers'])
    each(spec, kind, (container) => {
      const resources = ownObject(container, 'resources');
      const limits = ownObject(resources, 'limits');
      if (resources && limits) fillAll(section(resources, 'requests'), limits);
    });
  defaultPodSpec(spec);
  fill(section(pod, 'status'), 'phase', 'Pending');
}

export function defaultPodTemplate(owner: JsonObject | undefined): void {
  within(owner, 'template', (template) => within(template, 'spec', defaultPodSpec));
}
