import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type RunningIngress, startIngress } from '@desp/controllers';
import { run, runOk, silentLogger, systemClock } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { type ClusterBench, startClusterBench } from './cluster-bench.ts';

/** The ingress, driven by kubectl and curl; upstreams are servers of this test behind Services of the cluster. */

const missing = ['kubectl version --client', 'curl --version', 'openssl version']
  .filter((line) => spawnSync(line.split(' ')[0] ?? '', line.split(' ').slice(1)).status !== 0)
  .map((line) => line.split(' ')[0])
  .join(', ');
const because = missing === '' ? '' : ` (skipped: ${missing} is not on this machine)`;
const host = 'sample-app.e2e.desp.space';

const ingress = (name: string, rules: string, more: { annotations?: string; tls?: string; namespace?: string } = {}) => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: ${name}
  namespace: ${more.namespace ?? 'sample-app'}
  annotations: { ${more.annotations ?? ''} }
spec:
  ingressClassName: nginx
  ${more.tls === undefined ? '' : `tls: [{ hosts: [${more.tls}], secretName: ${name}-tls }]`}
  rules: [${rules}]
`;
const rule = (name: string, ...paths: string[]) => `{ host: ${name}, http: { paths: [${paths.join(', ')}] } }`;
const path = (at: string, service: string, pathType = 'Prefix', port = 'name: http') =>
  `{ path: ${at}, pathType: ${pathType}, backend: { service: { name: ${service}, port: { ${port} } } } }`;

describe.skipIf(missing !== '')(`ingress${because}`, () => {
  let bench: ClusterBench;
  let proxy: RunningIngress;
  let upstream: Server;
  const stopping = new AbortController();

  beforeAll(async () => {
    bench = await startClusterBench(3);
    upstream = createServer((request, response) => {
      if (request.url === '/stuck') return;
      if (request.url === '/broken') return void request.socket.destroy();
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = Buffer.concat(pieces);
        const digest = createHash('sha256').update(body).digest('hex');
        response.setHeader('x-upstream', 'yes').setHeader('connection', 'close, x-secret').setHeader('x-secret', 'hop');
        response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, size: body.length, digest }));
      });
    });
    new WebSocketServer({ server: upstream }).on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const target = { address: '127.0.0.1', port: (upstream.address() as AddressInfo).port };
    for (const name of ['front', 'api']) await bench.platformService(name, 'sample-app', 80, target);
    await bench.platformService('front', 'other', 80, target);
    proxy = await startIngress({
      client: bench.client,
      resolveService: bench.cluster.resolveService,
      listen: { host: '127.0.0.1', http: 0, https: 0 },
      answerChallenge: (name, token) => (name === host && token === 'known' ? 'known.thumbprint' : undefined),
      clock: systemClock,
      log: silentLogger,
      signal: stopping.signal,
    });
  });
  afterAll(async () => {
    stopping.abort();
    await proxy?.done;
    upstream?.closeAllConnections();
    upstream?.close();
    await bench?.stop();
  });

  const apply = (manifest: string) => bench.ok(['apply', '-f', '-'], manifest);
  async function curl(url: string, ...args: string[]): Promise<{ status: number; body: string; headers: string }> {
    const { hostname, protocol } = new URL(url);
    const port = protocol === 'https:' ? proxy.https : proxy.http;
    const at = url.replace(hostname, `${hostname}:${port}`);
    const argv = ['--resolve', `${hostname}:${port}:127.0.0.1`, '--path-as-is', '--max-time', '10', '-sS', '-i', ...args, at];
    const { stdout, stderr, code } = await run(['curl', ...argv]);
    if (code !== 0) throw new Error(`curl ended with ${code}: ${stderr}`);
    const text = stdout.toString('utf8').replace(/^HTTP\/1.1 100[^\r]*\r\n\r\n/, '');
    const end = text.indexOf('\r\n\r\n');
    return { status: Number(text.split(' ')[1]), headers: text.slice(0, end).toLowerCase(), body: text.slice(end + 4) };
  }
  const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 50 });
  const events = (name: string, namespace = 'sample-app') =>
    bench.ok([
      'get',
      'events',
      '-n',
      namespace,
      '-o',
      `jsonpath={range .items[?(@.involvedObject.name=="${name}")]}{.reason}: {.message}{"\\n"}{end}`,
    ]);

  test('routes by host and path, and says where it listens', async () => {
    await apply(ingress('paths', rule(host, path('/api', 'api'), path('/', 'front'), path('/exact', 'front', 'Exact'))));
    await until(async () => expect((await curl(`http://${host}/`)).status).toBe(200));
    for (const [asked, status] of [
      ['/api', 200],
      ['/api/x?q=1', 200],
      ['/apiary', 200],
      ['/exact', 200],
      ['/a/../b', 400],
      ['/a/%2e%2e/b', 400],
    ] as const) {
      expect((await curl(`http://${host}${asked}`)).status, asked).toBe(status);
    }
    const answer = await curl(
      `http://${host}/api/x?q=1`,
      '-H',
      'X-Forwarded-For: 10.9.8.7',
      '-H',
      'Connection: close, X-Mine',
      '-H',
      'X-Mine: 1',
    );
    expect(JSON.parse(answer.body)).toMatchObject({
      url: '/api/x?q=1',
      headers: {
        host: `${host}:${proxy.http}`,
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': `${host}:${proxy.http}`,
      },
    });
    expect(answer.body).not.toContain('x-mine');
    expect(answer.headers).toContain('x-upstream: yes');
    expect(answer.headers).not.toContain('x-secret');
    const unknown = await curl('http://nobody.e2e.desp.space/');
    expect([unknown.status, unknown.body]).toEqual([404, '404 Not Found: No Ingress serves nobody.e2e.desp.space/.\n']);
    await until(async () =>
      expect(await bench.ok(['get', 'ingress', '-n', 'sample-app', 'paths'])).toMatch(
        /paths +nginx +sample-app.e2e.desp.space +127.0.0.1 +80/,
      ),
    );
  });

  test('TLS by name, a changed Secret at once, redirects with the port, and a default certificate for the rest', async () => {
    const secure = 'secure.e2e.desp.space';
    const [key, cert] = [join(bench.folder, 'tls.key'), join(bench.folder, 'tls.crt')];
    const makeSecret = async (extra: readonly string[]) => {
      const argv = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test'];
      await runOk(['openssl', ...argv, '-addext', `subjectAltName=DNS:${secure}`, '-keyout', key, '-out', cert]);
      await bench.ok(['create', ...extra, 'secret', 'tls', 'secure-tls', '-n', 'sample-app', `--cert=${cert}`, `--key=${key}`]);
    };
    await makeSecret([]);
    await apply(ingress('secure', rule(secure, path('/', 'front')), { tls: secure }));
    await until(async () => expect((await curl(`https://${secure}/`, '--cacert', cert)).status).toBe(200));
    expect(JSON.parse((await curl(`https://${secure}/x`, '--cacert', cert)).body).headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(proxy.https),
    });
    const redirect = await curl(`http://${secure}/a?b=c`);
    expect([redirect.status, redirect.headers]).toEqual([308, expect.stringContaining(`location: https://${secure}:${proxy.https}/a?b=c`)]);
    await expect(curl(`https://${host}/`, '--cacert', cert)).rejects.toThrow(/curl ended with 60/);
    expect((await curl(`https://${host}/`, '-k')).status).toBe(200);

    await bench.ok(['delete', 'secret', '-n', 'sample-app', 'secure-tls']);
    await makeSecret([]);
    await until(async () => expect((await curl(`https://${secure}/`, '--cacert', cert)).status).toBe(200));
    await writeFile(cert, 'no certificate');
    await bench.ok(['patch', 'secret', '-n', 'sample-app', 'secure-tls', '-p', '{"stringData":{"tls.key":"broken"}}']);
    await until(async () => expect((await curl(`https://${secure}/`, '-k', '-v')).status).toBe(200));
  });

  test('streams large bodies, and refuses what is larger than allowed', async () => {
    const file = join(bench.folder, 'body');
    const body = Buffer.alloc(3 * 1024 * 1024, 'desp');
    await writeFile(file, body);
    for (const framing of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      expect((await curl(`http://${host}/upload`, '-X', 'POST', '--data-binary', `@${file}`, ...framing)).status).toBe(413);
    }
    const large = 'large.e2e.desp.space';
    await apply(ingress('large', rule(large, path('/', 'front')), { annotations: 'nginx.ingress.kubernetes.io/proxy-body-size: 8m' }));
    await until(async () => expect((await curl(`http://${large}/`)).status).toBe(200));
    for (const framing of [[], ['-H', 'Transfer-Encoding: chunked']]) {
      const answer = await curl(`http://${large}/upload`, '-X', 'POST', '--data-binary', `@${file}`, ...framing);
      expect(JSON.parse(answer.body)).toMatchObject({ size: body.length, digest: createHash('sha256').update(body).digest('hex') });
    }
  });

  test('rewrites by regular expression, and asks for a password', async () => {
    const rewritten = 'rewritten.e2e.desp.space';
    const annotations = 'nginx.ingress.kubernetes.io/rewrite-target: /$2';
    await apply(ingress('rewritten', rule(rewritten, path('/app(/|$)(.*)', 'front', 'ImplementationSpecific')), { annotations }));
    await until(async () => expect(JSON.parse((await curl(`http://${rewritten}/app/a/b?c=d`)).body).url).toBe('/a/b?c=d'));
    expect(JSON.parse((await curl(`http://${rewritten}/app`)).body).url).toBe('/');
    expect((await curl(`http://${rewritten}/other`)).status).toBe(404);

    const closed = 'closed.e2e.desp.space';
    const hash = (await runOk(['openssl', 'passwd', '-apr1', '-stdin'], { stdin: 'open sesame\n' })).stdout.toString('utf8').trim();
    await apply(`apiVersion: v1
kind: Secret
metadata: { name: people, namespace: sample-app }
stringData: { auth: "ann:${hash}" }
`);
    const auth = 'nginx.ingress.kubernetes.io/auth-type: basic, nginx.ingress.kubernetes.io/auth-secret: people';
    await apply(ingress('closed', rule(closed, path('/', 'front')), { annotations: auth }));
    await until(async () => expect((await curl(`http://${closed}/`)).status).toBe(401));
    expect((await curl(`http://${closed}/`, '-u', 'ann:wrong')).status).toBe(401);
    await until(async () => expect((await curl(`http://${closed}/`, '-u', 'ann:open sesame')).status).toBe(200));
  });

  test('what it cannot do it says, and what protects closes', async () => {
    const guarded = 'guarded.e2e.desp.space';
    const annotations = 'nginx.ingress.kubernetes.io/auth-url: "http://x/", nginx.ingress.kubernetes.io/canary: "true"';
    await apply(ingress('guarded', rule(guarded, path('/', 'front')), { annotations }));
    await until(async () => expect((await curl(`http://${guarded}/`)).status).toBe(503));
    await until(async () => {
      const told = await events('guarded');
      expect(told).toContain(
        'UnsupportedAnnotation: The annotation nginx.ingress.kubernetes.io/canary is not supported by this rehearsal and has no effect.',
      );
      expect(told).toContain('auth-url is not supported by this rehearsal and protects: the Ingress is not served.');
    });
  });

  test('the older Ingress keeps a host against another namespace', async () => {
    await apply(ingress('thief', rule(host, path('/stolen', 'front')), { namespace: 'other' }));
    await until(async () =>
      expect(await events('thief', 'other')).toContain(`Rejected: The host ${host} belongs to the namespace sample-app`),
    );
    expect(await bench.ok(['get', 'ingress', '-n', 'other', 'thief', '-o', 'jsonpath={.status.loadBalancer.ingress}'])).toBe('');
    expect(JSON.parse((await curl(`http://${host}/stolen`)).body).url).toBe('/stolen');
  });

  test('missing Services and silent ones are told apart', async () => {
    const lost = 'lost.e2e.desp.space';
    const annotations = 'nginx.ingress.kubernetes.io/proxy-read-timeout: "1"';
    await bench.ok(['create', 'service', 'externalname', 'trap', '-n', 'sample-app', '--external-name=127.0.0.1', '--tcp=80:80']);
    const paths = [
      path('/none', 'none'),
      path('/port', 'front', 'Prefix', 'number: 81'),
      path('/trap', 'trap', 'Prefix', 'number: 80'),
      path('/', 'front'),
    ];
    await apply(ingress('lost', rule(lost, ...paths), { annotations }));
    await until(async () => expect((await curl(`http://${lost}/none`)).body).toContain('503 Service Unavailable: No pod answers'));
    expect((await curl(`http://${lost}/port`)).body).toContain('has no port 81');
    await until(async () => expect((await curl(`http://${lost}/trap`)).body).toContain('is an ExternalName, which is not followed'));
    expect((await curl(`http://${lost}/stuck`)).status).toBe(504);
    expect((await curl(`http://${lost}/broken`)).status).toBe(502);
  });

  test('carries WebSockets and answers ACME challenges before any redirect', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.http}/ws`, { headers: { host } });
    const echoed = await new Promise<string>((resolve, reject) => {
      socket.on('open', () => socket.send('hello'));
      socket.on('message', (data) => resolve(String(data)));
      socket.on('error', reject);
    });
    expect(echoed).toBe('echo hello');
    socket.close();
    expect((await curl(`http://${host}/.well-known/acme-challenge/known`)).body).toBe('known.thumbprint');
  });
});
