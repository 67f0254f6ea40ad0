import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readValues, render } from '@desp/chart';
import { loadChartFrom, nodeCrypto } from '@desp/chart/node';
import { type ApiServer, createApiServer } from '@desp/cluster';
import { run, silentLogger, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** What ordinary charts hold raises no warning but for what is truly without effect. */
const isMissing = spawnSync('kubectl', ['version', '--client']).status !== 0;
const sample = fileURLToPath(new URL('../../../examples/sample-app/deployment', import.meta.url));

/** What the chart of `helm create` makes with its own values, all its optional blocks filled in with what its comments propose. */
const starter = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: hc }
automountServiceAccountToken: true
---
apiVersion: v1
kind: Service
metadata: { name: hc }
spec: { type: ClusterIP, selector: { app: hc }, ports: [{ port: 80, targetPort: http, protocol: TCP, name: http }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: hc }
spec:
  replicas: 1
  selector: { matchLabels: { app: hc } }
  template:
    metadata: { labels: { app: hc }, annotations: { note: x } }
    spec:
      imagePullSecrets: [{ name: pull }]
      serviceAccountName: hc
      securityContext: { fsGroup: 2000 }
      containers:
        - name: hc
          securityContext: { capabilities: { drop: [ALL] }, readOnlyRootFilesystem: true, runAsNonRoot: true, runAsUser: 1000 }
          image: nginx:1.16.0
          imagePullPolicy: IfNotPresent
          ports: [{ name: http, containerPort: 80, protocol: TCP }]
          livenessProbe: { httpGet: { path: /, port: http } }
          readinessProbe: { httpGet: { path: /, port: http } }
          resources: { limits: { cpu: 100m, memory: 128Mi }, requests: { cpu: 100m, memory: 128Mi } }
          volumeMounts: [{ name: foo, mountPath: /etc/foo, readOnly: true }]
      volumes: [{ name: foo, secret: { secretName: mysecret, optional: false } }]
      nodeSelector: {}
      affinity: {}
      tolerations: []
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: hc, annotations: { kubernetes.io/ingress.class: nginx } }
spec:
  ingressClassName: nginx
  tls: [{ secretName: tls, hosts: [chart-example.local] }]
  rules:
    - host: chart-example.local
      http: { paths: [{ path: /, pathType: ImplementationSpecific, backend: { service: { name: hc, port: { number: 80 } } } }] }
`;

describe.skipIf(isMissing)(`warnings of ordinary charts${isMissing ? ' (skipped: kubectl is not on this machine)' : ''}`, () => {
  let folder: string;
  let server: ApiServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'desp-quiet-'));
    const adminToken = 'admin-token-of-the-tests';
    server = await createApiServer({ name: 'quiet', dataFolder: join(folder, 'api'), clock: systemClock, log: silentLogger, adminToken });
    await server.listen(0, ['127.0.0.1']);
    await writeFile(join(folder, 'kubeconfig'), server.kubeconfig({ token: adminToken, user: 'admin' }), { mode: 0o600 });
  });
  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function warningsOf(manifest: string): Promise<string[]> {
    const env = { KUBECONFIG: join(folder, 'kubeconfig'), KUBECACHEDIR: join(folder, 'cache'), HOME: folder };
    const { code, stderr } = await run(['kubectl', 'apply', '--server-side', '--dry-run=server', '-f', '-'], {
      env,
      stdin: manifest,
      timeoutMs: 60_000,
    });
    const lines = stderr.split('\n').filter(Boolean);
    expect([code, lines.filter((line) => !line.startsWith('Warning: '))]).toEqual([0, []]);
    return lines;
  }

  test('the chart of `helm create` raises none', async () => {
    expect(await warningsOf(starter)).toEqual([]);
  });

  test.each(['e2e', 'prod'])('the sample service’s chart for %s raises one, for the autoscaler that nobody runs', async (environment) => {
    const values = readValues(await readFile(join(sample, `values.${environment}.yaml`), 'utf8'), true);
    const { manifests, hooks } = render(loadChartFrom(sample), {
      release: { name: 'sample-app', namespace: 'default' },
      values,
      crypto: nodeCrypto,
    });
    const own = [...manifests, ...hooks].filter(({ apiVersion }) => !/external-secrets|cert-manager/.test(apiVersion));
    expect(own.length).toBeGreaterThan(6);
    const told = await warningsOf(own.map(({ content }) => content).join('\n---\n'));
    expect(told.filter((line) => !line.includes('HorizontalPodAutoscaler'))).toEqual([]);
  });
});
