import { request } from 'node:http';
import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';
import { deployment, deployments, outputOf, pod } from './objects.ts';

const ingresses = 'networking.k8s.io/v1/ingresses';
const endpointSlices = 'discovery.k8s.io/v1/endpointslices';
const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
const web = { ports: [{ name: 'http', containerPort: 8080 }], readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 } };
/** A web server that answers this. */
const serving = (text: string) =>
  `mkdir -p /tmp/w/deep; echo ${text} | tee /tmp/w/index.html > /tmp/w/deep/index.html; exec httpd -f -p 8080 -h /tmp/w`;
/** A line of shell that asks until something answers, and prints it. */
const asking = (host: string, port = 80) =>
  `while true; do r=$(printf "GET / HTTP/1.0\\r\\n\\r\\n" | nc ${host} ${port} 2>/dev/null | tail -n 1); if [ -n "$r" ]; then echo "$r"; break; fi; sleep 0.2; done`;

async function startWeb(bench: Bench, name: string, text: string, more: object = {}): Promise<void> {
  await bench.api('POST', deployments, deployment(bench, name, more, web, serving(text)));
  await bench.until(
    `${name} to be available`,
    async () => ((await bench.api('GET', `${deployments}/${name}`)).status.availableReplicas ?? 0) > 0,
  );
}

/** What the ingress answers for that host. */
function ask(bench: Bench, host: string, path: string): Promise<{ status: number; body: string; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${bench.ingress}${path}`, { headers: { host }, timeout: 10_000 }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

export const network: Area = {
  title: 'Services, names, Ingress',
  cases: [
    {
      name: 'a Service gets an address that it keeps, and one that asks for none has none',
      verbs: { services: 'create patch update' },
      fields: { ServiceSpec: 'clusterIP clusterIPs ports' },
      async run(bench) {
        const made = await bench.api('POST', 'services', service('web', { ports: [{ port: 80 }] }));
        expect(made.spec).toMatchObject({ type: 'ClusterIP', clusterIP: expect.stringMatching(/^[\d.:a-f]+$/), sessionAffinity: 'None' });
        expect(made.spec.clusterIPs).toEqual([made.spec.clusterIP]);
        expect(made.spec.ports).toMatchObject([{ port: 80, protocol: 'TCP', targetPort: 80 }]);
        expect((await bench.refused('PATCH', 'services/web', { spec: { clusterIP: '10.96.0.77' } }, patchType.merge)).reason).toBe(
          'Invalid',
        );
        expect(
          (await bench.refused('POST', 'services', service('other', { ports: [{ port: 80 }], clusterIP: made.spec.clusterIP }))).message,
        ).toContain('provided IP is already allocated');
        expect((await bench.api('POST', 'services', service('none', { clusterIP: 'None', ports: [{ port: 80 }] }))).spec.clusterIP).toBe(
          'None',
        );
      },
    },
    {
      name: 'a Service that breaks the rules is refused',
      verbs: { services: 'create' },
      async run(bench) {
        const refused = async (spec: object) => (await bench.refused('POST', 'services', service('web', spec))).message;
        expect(await refused({})).toContain('spec.ports: Required value');
        expect(await refused({ ports: [{ port: 70_000 }] })).toContain('spec.ports[0].port: Invalid value: 70000');
        expect(await refused({ ports: [{ port: 80 }, { port: 81 }] })).toContain('spec.ports[0].name: Required value');
        expect(await refused({ type: 'ExternalName' })).toContain('spec.externalName');
      },
    },
    {
      name: 'Endpoints and EndpointSlices follow the ready pods of a Service, port by port',
      needs: ['controllers', 'pods'],
      verbs: { endpoints: 'get', 'discovery.k8s.io/endpointslices': 'list' },
      fields: { ServiceSpec: 'selector', ServicePort: 'name port targetPort appProtocol', ContainerPort: 'name containerPort' },
      async run(bench) {
        const ports = [
          { name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' },
          { name: 'other', port: 81, targetPort: 9090 },
        ];
        await bench.api('POST', 'services', service('web', { selector: { app: 'web' }, ports }));
        await startWeb(bench, 'web', 'x');
        const { items } = await bench.api('GET', 'pods?labelSelector=app%3Dweb');
        const addressesOf = async () => (await bench.api('GET', 'endpoints/web').catch(() => undefined))?.subsets?.[0];
        const subset = await bench.until('the address', async () =>
          (await addressesOf())?.addresses?.length === 1 ? addressesOf() : undefined,
        );
        expect(subset.addresses[0]).toMatchObject({ ip: items[0].status.podIP, targetRef: { kind: 'Pod', name: items[0].metadata.name } });
        expect(subset.ports.map(({ name, port }: Answer) => [name, port]).sort()).toEqual([
          ['http', 8080],
          ['other', 9090],
        ]);
        const slices = await bench.api('GET', `${endpointSlices}?labelSelector=kubernetes.io%2Fservice-name%3Dweb`);
        expect(slices.items[0].endpoints).toMatchObject([{ addresses: [items[0].status.podIP], conditions: { ready: true } }]);
        await bench.ok(['scale', 'deployment/web', '--replicas=0']);
        await bench.until('no address', async () => ((await addressesOf())?.addresses ?? []).length === 0);
      },
    },
    {
      name: 'pods reach a Service by its name, in their own namespace and in others',
      needs: ['controllers', 'pods'],
      kubectl: ['expose'],
      fields: { PodSpec: 'enableServiceLinks' },
      async run(bench) {
        await startWeb(bench, 'web', 'hello', { replicas: 2 });
        await bench.ok(['expose', 'deployment', 'web', '--port=80', '--target-port=http']);
        const names = ['web', `web.${bench.namespace}`, `web.${bench.namespace}.svc`, `web.${bench.namespace}.svc.cluster.local`];
        expect(await outputOf(bench, pod(bench, 'p', names.map((name) => asking(name)).join('; ')))).toBe('hello\n'.repeat(4));
        expect(await outputOf(bench, pod(bench, 'q', asking('$WEB_SERVICE_HOST'), {}, { enableServiceLinks: true }))).toBe('hello\n');
        expect(
          await outputOf(bench, pod(bench, 'r', 'echo "<$WEB_SERVICE_HOST><$KUBERNETES_SERVICE_PORT>"', {}, { enableServiceLinks: false })),
        ).toBe('<><443>\n');
      },
    },
    {
      name: 'a headless Service names its pods, each by its own host name, unready ones too where it says so',
      needs: ['controllers', 'pods'],
      fields: { ServiceSpec: 'publishNotReadyAddresses clusterIP', PodSpec: 'hostname subdomain' },
      async run(bench) {
        await bench.api(
          'POST',
          'services',
          service('set', { clusterIP: 'None', selector: { app: 'x' }, publishNotReadyAddresses: true, ports: [{ port: 8080 }] }),
        );
        const never = { readinessProbe: { exec: { command: ['test', '-e', '/never'] } } };
        await bench.api(
          'POST',
          'pods',
          pod(bench, 'one', serving('one'), never, { hostname: 'first', subdomain: 'set' }, { labels: { app: 'x' } }),
        );
        expect(await outputOf(bench, pod(bench, 'p', asking(`first.set.${bench.namespace}.svc.cluster.local`, 8080)))).toBe('one\n');
      },
    },
    {
      name: 'an ExternalName is another name, and Endpoints written by hand lead where they say',
      needs: ['controllers', 'pods'],
      verbs: { endpoints: 'create' },
      fields: {
        ServiceSpec: 'externalName',
        Endpoints: 'subsets',
        EndpointSubset: 'addresses ports notReadyAddresses',
        EndpointAddress: 'ip hostname',
        'EndpointSubset.ports': 'port name',
      },
      async run(bench) {
        await startWeb(bench, 'web', 'hello');
        const { items } = await bench.api('GET', 'pods?labelSelector=app%3Dweb');
        const ip = items[0].status.podIP;
        await bench.api('POST', 'services', service('manual', { ports: [{ name: 'http', port: 80 }] }));
        const subsets = [{ addresses: [{ ip, hostname: 'one' }], ports: [{ name: 'http', port: 8080 }] }];
        await bench.api('POST', 'endpoints', { metadata: { name: 'manual' }, subsets });
        await bench.api(
          'POST',
          'services',
          service('alias', { type: 'ExternalName', externalName: `manual.${bench.namespace}.svc.cluster.local` }),
        );
        expect(await outputOf(bench, pod(bench, 'p', `${asking('manual')}; ${asking(`alias.${bench.namespace}.svc.cluster.local`)}`))).toBe(
          'hello\nhello\n',
        );
      },
    },
    {
      name: 'an Ingress is checked: its hosts, paths and backends',
      verbs: { 'networking.k8s.io/ingresses': 'create get' },
      async run(bench) {
        const paths = (path: object) => ({ rules: [{ host: 'a.example.com', http: { paths: [path] } }] });
        const backend = { service: { name: 'web', port: { number: 80 } } };
        const attempt = async (spec: object) => (await bench.refused('POST', ingresses, { metadata: { name: 'i' }, spec })).message;
        expect(await attempt({})).toContain('either `defaultBackend` or `rules` must be specified');
        expect(await attempt(paths({ path: '/', backend }))).toContain('pathType: Required value');
        expect(await attempt(paths({ path: 'x', pathType: 'Prefix', backend }))).toContain('must be an absolute path');
        await bench.api('POST', ingresses, { metadata: { name: 'i' }, spec: paths({ path: '/', pathType: 'Prefix', backend }) });
        expect(await bench.ok(['get', 'ingress', 'i'])).toMatch(
          /NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\ni +\S+ +a\.example\.com +(?:\S+ +)?80/,
        );
      },
    },
    {
      name: 'an Ingress leads a host’s paths to Services, the longest first',
      needs: ['controllers', 'pods', 'ingress'],
      fields: {
        IngressSpec: 'rules ingressClassName tls defaultBackend',
        IngressRule: 'host http',
        HTTPIngressRuleValue: 'paths',
        HTTPIngressPath: 'path pathType backend',
        IngressBackend: 'service',
        IngressServiceBackend: 'name port',
        ServiceBackendPort: 'name number',
        IngressTLS: 'hosts secretName',
        IngressClassSpec: 'controller',
      },
      async run(bench) {
        for (const name of ['front', 'back']) {
          await startWeb(bench, name, name);
          await bench.ok(['expose', 'deployment', name, '--port=80', '--target-port=http']);
        }
        const host = `${bench.unique}.example.com`;
        const to = (path: string, pathType: string, name: string, port: object) => ({
          path,
          pathType,
          backend: { service: { name, port } },
        });
        const { items } = await bench.api('GET', '/apis/networking.k8s.io/v1/ingressclasses');
        await bench.api('PATCH', 'services/back', { spec: { ports: [{ port: 80, name: 'http' }] } }, patchType.strategic);
        const http = { paths: [to('/', 'Prefix', 'front', { number: 80 }), to('/deep', 'Prefix', 'back', { name: 'http' })] };
        const secure = `tls-${bench.unique}.example.com`;
        const spec = {
          ingressClassName: items[0].metadata.name,
          rules: [
            { host, http },
            { host: secure, http },
          ],
          tls: [{ hosts: [secure], secretName: 'certificate' }],
        };
        await bench.api('POST', ingresses, { metadata: { name: 'i' }, spec });
        await bench.until('the Ingress to serve', async () => (await ask(bench, host, '/')).body.trim() === 'front');
        expect((await ask(bench, host, '/deep/')).body.trim()).toBe('back');
        expect((await ask(bench, `other-${host}`, '/')).status).toBe(404);
        const { status, location } = await ask(bench, secure, '/');
        expect([status, location]).toEqual([308, expect.stringMatching(`^https://${secure}(:[0-9]+)?/$`)]);
      },
    },
  ],
};
