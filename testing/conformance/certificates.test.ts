import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type AcmeServer, createAcmeServer, fetchChallengeAt } from '@desp/acme';
import { certificatesCrds, type RunningCertificates, type RunningIngress, startCertificates, startIngress } from '@desp/controllers';
import { secretType } from '@desp/kube';
import { run, silentLogger, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ClusterBench, startClusterBench } from './cluster-bench.ts';

/** Section 3.6.5 of the procedure: an annotation and a TLS block, and curl verifies the service's certificate. */

const missing = ['kubectl version --client', 'curl --version']
  .filter((line) => spawnSync(line.split(' ')[0] ?? '', line.split(' ').slice(1)).status !== 0)
  .map((line) => line.split(' ')[0])
  .join(', ');
const because = missing === '' ? '' : ` (skipped: ${missing} is not on this machine)`;
const host = 'sample-app.e2e.desp.space';

const ingress = (name: string, hostName: string, tls = `[{ hosts: [${hostName}], secretName: ${name}-tls }]`) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: sample-app
  labels: { app.kubernetes.io/managed-by: Helm }
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt-prod
spec:
  ingressClassName: nginx
  tls: ${tls}
  rules:
    - host: ${hostName}
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: front, port: { name: http } } } }] }
`;

describe.skipIf(missing !== '')(`certificates${because}`, () => {
  let bench: ClusterBench;
  let authority: AcmeServer;
  let certificates: RunningCertificates;
  let proxy: RunningIngress;
  let upstream: Server;
  const stopping = new AbortController();

  beforeAll(async () => {
    bench = await startClusterBench(4);
    upstream = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    await bench.platformService('front', 'sample-app', 80, { address: '127.0.0.1', port: (upstream.address() as AddressInfo).port });
    authority = await createAcmeServer({
      dataFolder: join(bench.folder, 'acme'),
      allowedSuffixes: ['desp.space'],
      fetchChallenge: fetchChallengeAt(() => ({ host: '127.0.0.1', port: proxy.http })),
      clock: systemClock,
      log: silentLogger,
    });
    const { directory } = await authority.listen({ host: '127.0.0.1', port: 0 });
    await bench.install(certificatesCrds());
    const common = { client: bench.client, clock: systemClock, log: silentLogger, signal: stopping.signal };
    certificates = await startCertificates({ ...common, acmeDirectory: directory, allowedDomains: ['desp.space'] });
    proxy = await startIngress({
      ...common,
      resolveService: bench.cluster.resolveService,
      listen: { host: '127.0.0.1', http: 0, https: 0 },
      answerChallenge: certificates.answerChallenge,
    });
    await writeFile(join(bench.folder, 'root.pem'), authority.root);
  });
  afterAll(async () => {
    stopping.abort();
    await Promise.all([proxy?.done, certificates?.done]);
    await authority?.close();
    upstream?.close();
    await bench?.stop();
  });

  const apply = (manifest: string) => bench.ok(['apply', '-f', '-'], manifest);
  const get = (...args: string[]) => bench.ok(['get', '-n', 'sample-app', ...args]);
  const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 25_000, interval: 150 });
  const describeIt = (...what: string[]) => bench.ok(['describe', '-n', 'sample-app', ...what]);
  const curl = (name: string) =>
    run([
      'curl',
      '-sS',
      '--max-time',
      '10',
      '--resolve',
      `${name}:${proxy.https}:127.0.0.1`,
      '--cacert',
      join(bench.folder, 'root.pem'),
      `https://${name}:${proxy.https}/`,
    ]);

  test('an annotated Ingress gets a certificate that curl verifies', async () => {
    await until(async () =>
      expect(await bench.ok(['get', 'clusterissuer', 'letsencrypt-prod'])).toMatch(/^NAME +READY +AGE\nletsencrypt-prod +True/),
    );
    await apply(ingress('sample-app', host));
    await until(async () => {
      const { stdout, stderr } = await curl(host);
      expect(stdout.toString('utf8'), stderr).toBe('hello');
    });
    await until(async () =>
      expect(await get('certificates')).toMatch(/^NAME +READY +SECRET +AGE\nsample-app-tls +True +sample-app-tls +\d+s\n$/),
    );
    expect(await get('certificaterequests')).toMatch(
      /^NAME +APPROVED +DENIED +READY +ISSUER +AGE\nsample-app-tls-1 +True +True +letsencrypt-prod/,
    );
    expect(await get('orders')).toMatch(/^NAME +STATE +AGE\nsample-app-tls-1 +valid/);
    const told = await describeIt('certificate', 'sample-app-tls');
    expect(told).toContain('Certificate is up to date and has not expired');
    expect(told).toContain('Issuing certificate as Secret does not exist');
    expect(told).toContain('The certificate has been successfully issued');
    expect(await describeIt('ingress', 'sample-app')).toContain('Successfully created Certificate "sample-app-tls"');
    const secret = await bench.client.get(secretType, 'sample-app-tls', 'sample-app');
    expect(secret).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'controller.cert-manager.io/fao': 'true' },
        annotations: {
          'cert-manager.io/alt-names': host,
          'cert-manager.io/certificate-name': 'sample-app-tls',
          'cert-manager.io/common-name': host,
          'cert-manager.io/issuer-kind': 'ClusterIssuer',
          'cert-manager.io/issuer-name': 'letsencrypt-prod',
        },
      },
    });
    expect(Object.keys(secret?.data ?? {}).sort()).toEqual(['tls.crt', 'tls.key']);
    expect(secret?.metadata.ownerReferences).toBeUndefined();
    const { status } = JSON.parse(await get('certificate', 'sample-app-tls', '-o', 'json'));
    const [from, renewal, to] = [status.notBefore, status.renewalTime, status.notAfter].map((time) => Date.parse(time));
    expect(Math.abs((renewal! - from!) / (to! - from!) - 2 / 3)).toBeLessThan(0.001);
  });

  test('a lost or broken Secret is made anew; the Secret outlives the Certificate', async () => {
    await bench.ok(['delete', '-n', 'sample-app', 'secret', 'sample-app-tls']);
    await until(async () => expect((await curl(host)).stdout.toString('utf8')).toBe('hello'));
    await until(async () => expect(await get('certificate', 'sample-app-tls', '-o', 'jsonpath={.status.revision}')).toBe('2'));
    await bench.ok(['delete', '-n', 'sample-app', 'ingress', 'sample-app']);
    await until(async () => expect((await bench.kubectl(['get', '-n', 'sample-app', 'certificate', 'sample-app-tls'])).code).not.toBe(0));
    expect(await get('secret', 'sample-app-tls')).toContain('kubernetes.io/tls');
  });

  test("the procedure's example host is refused with a reason, and so is a foreign authority", async () => {
    await apply(ingress('foreign', 'app.example.com'));
    await until(async () => {
      const told = await describeIt('certificate', 'foreign-tls');
      expect(told).toContain('app.example.com does not end with .desp.space: no certificate is made for it.');
      expect(told).toMatch(/Reason: +Denied/);
    });
    await apply(`
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: { name: outside, namespace: sample-app }
spec: { acme: { server: "https://acme.example.org/directory", privateKeySecretRef: { name: outside } } }
`);
    await until(async () => expect(await describeIt('issuer', 'outside')).toContain("is not the rehearsal's own"));
  });

  test('a TLS block that lacks something, and a Certificate of somebody else, are told of', async () => {
    await apply(ingress('bad', 'bad.desp.space', '[{ hosts: [bad.desp.space] }]'));
    await until(async () => expect(await describeIt('ingress', 'bad')).toMatch(/BadConfig.*spec\.tls\[0\]\.secretName: Required value/));
    await apply(`
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: { name: mine-tls, namespace: sample-app }
spec: { secretName: mine-tls, dnsNames: [mine.desp.space], issuerRef: { name: letsencrypt-prod, kind: ClusterIssuer } }
`);
    await apply(ingress('mine', 'mine.desp.space'));
    await until(async () => expect(await describeIt('ingress', 'mine')).toContain('The Certificate "mine-tls" belongs to somebody else'));
    await until(async () => expect((await curl('mine.desp.space')).stdout.toString('utf8')).toBe('hello'));
  });
});
