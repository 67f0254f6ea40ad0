/** What the recorded cases are made of. */
import type { JsonObject } from '../json.ts';

export interface Step {
  readonly verb: 'create' | 'replace' | 'apply' | 'strategic' | 'merge' | 'json';
  readonly manager: string;
  readonly force?: boolean;
  /** For `replace`: changed by the step from what is live, as a merge patch of it. */
  readonly body: unknown;
}

export interface Case {
  readonly name: string;
  /** Path of the collection below `/apis` or `/api`, `NS` standing for the namespace. */
  readonly path: string;
  readonly steps: readonly Step[];
}

export const object = (apiVersion: string, kind: string, rest: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...rest,
});
export const create = (body: unknown): Step => ({ verb: 'create', manager: 'maker', body });
export const apply = (manager: string, body: unknown, force = false): Step => ({ verb: 'apply', manager, force, body });

export const template = (containers: JsonObject[], labels: JsonObject = { app: 'x' }): JsonObject => ({
  metadata: { labels },
  spec: { containers },
});
export const deployment = (containers: JsonObject[], spec: JsonObject = {}): JsonObject =>
  object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'x' } }, template: template(containers), ...spec } });
export const config = (data: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  data,
});

export const deployments = '/apis/apps/v1/namespaces/NS/deployments';
export const configMaps = '/api/v1/namespaces/NS/configmaps';
export const secrets = '/api/v1/namespaces/NS/secrets';
export const services = '/api/v1/namespaces/NS/services';
export const jobs = '/apis/batch/v1/namespaces/NS/jobs';
export const ingresses = '/apis/networking.k8s.io/v1/namespaces/NS/ingresses';
export const claims = '/api/v1/namespaces/NS/persistentvolumeclaims';
export const one = [{ name: 'c', image: 'a:1' }];

export const full: JsonObject[] = [
  {
    name: 'c',
    image: 'a:1',
    ports: [{ containerPort: 80, name: 'http' }],
    env: [
      { name: 'A', value: '1' },
      { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    livenessProbe: { httpGet: { port: 'http' } },
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 3 },
    lifecycle: { preStop: { httpGet: { port: 80 } } },
    resources: { limits: { cpu: '1', memory: '64Mi' } },
    volumeMounts: [
      { name: 'v', mountPath: '/v' },
      { name: 's', mountPath: '/s' },
    ],
  },
];
export const volumes: JsonObject[] = [
  { name: 'v' },
  { name: 's', secret: { secretName: 's' } },
  { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }, { configMap: { name: 'm' } }] } },
  { name: 'h', hostPath: { path: '/h' } },
];
