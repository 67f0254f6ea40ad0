import { expect } from 'vitest';
import { type Answer, type Area, patchType } from '../case.ts';
import { configMap, outputOf, pod, shell } from './objects.ts';

const needs = ['controllers', 'pods'] as const;
const mount = (name: string, more: object = {}) => ({ volumeMounts: [{ name, mountPath: `/${name}`, ...more }] });

export const podFiles: Area = {
  title: 'Pods: volumes, probes, rights',
  cases: [
    {
      name: 'ConfigMaps and Secrets become files, all or chosen ones, with their modes',
      needs,
      fields: {
        Volume: 'configMap secret',
        ConfigMapVolumeSource: 'name items defaultMode optional',
        SecretVolumeSource: 'secretName items defaultMode optional',
        KeyToPath: 'key path mode',
      },
      async run(bench) {
        await bench.api('POST', 'configmaps', { ...configMap('m', { one: '1', two: '2' }), binaryData: { raw: 'AAEC' } });
        await bench.api('POST', 'secrets', { metadata: { name: 's' }, stringData: { key: 'hidden' } });
        const volumes = [
          { name: 'm', configMap: { name: 'm', defaultMode: 0o440 } },
          { name: 'n', configMap: { name: 'm', items: [{ key: 'two', path: 'deep/file', mode: 0o600 }] } },
          { name: 's', secret: { secretName: 's', defaultMode: 0o400, items: [{ key: 'key', path: 'key' }] } },
          { name: 'x', configMap: { name: 'none', optional: true } },
          { name: 'y', secret: { secretName: 'none', optional: true } },
        ];
        const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
        const script = 'cat /m/one /n/deep/file /s/key; echo; wc -c < /m/raw; ls /m /n /x /y; stat -L -c %a /m/one /n/deep/file /s/key';
        const output = await outputOf(bench, pod(bench, 'p', script, { volumeMounts }, { volumes }));
        expect(output.split('\n').filter(Boolean)).toEqual([
          ...['12hidden', '3', '/m:', 'one', 'raw', 'two', '/n:', 'deep', '/x:', '/y:', '440', '600', '400'],
        ]);
      },
    },
    {
      name: 'a changed ConfigMap reaches the pod that runs',
      needs,
      kubectl: ['exec'],
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('m', { key: 'old' }));
        await bench.api(
          'POST',
          'pods',
          pod(bench, 'p', 'exec sleep 1000', mount('m'), { volumes: [{ name: 'm', configMap: { name: 'm' } }] }),
        );
        await bench.ready('p');
        await bench.api('PATCH', 'configmaps/m', { data: { key: 'new' } }, patchType.merge);
        // A real kubelet looks only once a minute unless the pod itself changes.
        await bench.api('PATCH', 'pods/p', { metadata: { annotations: { look: 'now' } } }, patchType.merge);
        await bench.until('the new content', async () => (await bench.ok(['exec', 'p', '--', 'cat', '/m/key'])) === 'new');
      },
    },
    {
      name: 'a pod reads about itself in files',
      needs,
      fields: {
        Volume: 'downwardAPI',
        DownwardAPIVolumeSource: 'items defaultMode',
        DownwardAPIVolumeFile: 'path fieldRef resourceFieldRef mode',
      },
      async run(bench) {
        const items = [
          { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
          { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'requests.cpu', divisor: '1m' }, mode: 0o444 },
        ];
        const volumes = [{ name: 'd', downwardAPI: { items, defaultMode: 0o644 } }];
        const body = pod(
          bench,
          'p',
          'cat /d/labels; echo; cat /d/cpu',
          { ...mount('d'), resources: { requests: { cpu: '7m' } } },
          { volumes },
          { labels: { a: 'b', c: 'd' } },
        );
        expect(await outputOf(bench, body)).toBe('a="b"\nc="d"\n7');
      },
    },
    {
      name: 'several sources share a projected volume; a ServiceAccount’s token among them is accepted by the API',
      needs,
      fields: {
        Volume: 'projected',
        ProjectedVolumeSource: 'sources defaultMode',
        VolumeProjection: 'configMap secret downwardAPI serviceAccountToken',
        ConfigMapProjection: 'name items optional',
        SecretProjection: 'name items optional',
        DownwardAPIProjection: 'items',
        ServiceAccountTokenProjection: 'path audience expirationSeconds',
        PodSpec: 'serviceAccountName serviceAccount automountServiceAccountToken',
      },
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('m', { one: '1' }));
        await bench.api('POST', 'secrets', { metadata: { name: 's' }, stringData: { two: '2' } });
        await bench.api('POST', 'serviceaccounts', { metadata: { name: 'mine' } });
        const sources = [
          { configMap: { name: 'm', items: [{ key: 'one', path: 'first' }], optional: false } },
          { secret: { name: 's', items: [{ key: 'two', path: 'second' }], optional: false } },
          { downwardAPI: { items: [{ path: 'third', fieldRef: { fieldPath: 'metadata.name' } }] } },
          { serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
          { serviceAccountToken: { path: 'other', audience: 'somebody', expirationSeconds: 600 } },
        ];
        const spec = {
          serviceAccountName: 'mine',
          automountServiceAccountToken: false,
          volumes: [{ name: 'v', projected: { sources, defaultMode: 0o644 } }],
        };
        const script =
          'cat /v/first /v/second /v/third; echo; cat /v/token; echo; cat /v/other; echo; ls /var/run/secrets 2>/dev/null | wc -l';
        const [content, token = '', other = '', mounted] = (await outputOf(bench, pod(bench, 'p', script, mount('v'), spec))).split('\n');
        expect([content, mounted?.trim()]).toEqual(['12p', '0']);
        expect((await bench.api('GET', 'pods/p')).spec.serviceAccount).toBe('mine');
        const review = (of: string, audiences: string[] = []) =>
          bench.api('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenReview',
            spec: { token: of, ...(audiences.length > 0 ? { audiences } : {}) },
          });
        expect((await review(token)).status).toMatchObject({
          authenticated: true,
          user: { username: `system:serviceaccount:${bench.namespace}:mine` },
        });
        expect((await review(other)).status.authenticated ?? false).toBe(false);
        expect((await review(other, ['somebody'])).status.authenticated).toBe(true);
      },
    },
    {
      name: 'every pod gets the token of its ServiceAccount unless it wants none',
      needs,
      verbs: { serviceaccounts: 'create' },
      fields: {
        ServiceAccount: 'automountServiceAccountToken imagePullSecrets',
        PodSpec: 'imagePullSecrets',
        LocalObjectReference: 'name',
      },
      async run(bench) {
        const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
        expect(await outputOf(bench, pod(bench, 'with', `cat ${folder}/namespace; ls ${folder} | wc -l`))).toMatch(
          new RegExp(`^${bench.namespace} *3\\n$`),
        );
        await bench.api('POST', 'serviceaccounts', {
          metadata: { name: 'mute' },
          automountServiceAccountToken: false,
          imagePullSecrets: [{ name: 'pull' }],
        });
        const body = pod(bench, 'without', `ls ${folder} 2>/dev/null | wc -l`, {}, { serviceAccountName: 'mute' });
        expect((await outputOf(bench, body)).trim()).toBe('0');
        expect((await bench.api('GET', 'pods/without')).spec.imagePullSecrets).toEqual([{ name: 'pull' }]);
      },
    },
    {
      name: 'an empty folder is shared by the containers of a pod; one in memory has its size',
      needs,
      fields: { Volume: 'emptyDir', EmptyDirVolumeSource: 'medium sizeLimit' },
      async run(bench) {
        const volumes = [
          { name: 'v', emptyDir: {} },
          { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ];
        const volumeMounts = [...mount('v').volumeMounts, ...mount('m').volumeMounts];
        const body = pod(
          bench,
          'p',
          'while ! test -e /v/said; do sleep 0.1; done; cat /v/said; grep " /m " /proc/mounts | cut -d" " -f1,4',
          { volumeMounts },
          { volumes },
        );
        body.spec.containers.push(shell(bench, 'echo hello > /v/said', { name: 'd', volumeMounts }));
        expect(await outputOf(bench, body)).toMatch(/^hello\ntmpfs .*size=1024k/);
      },
    },
    {
      name: 'part of a volume is mounted, by a path that may hold variables; a read-only mount cannot be written',
      needs,
      fields: { VolumeMount: 'subPath subPathExpr readOnly' },
      async run(bench) {
        const volumeMounts = [
          { name: 'v', mountPath: '/whole' },
          { name: 'v', mountPath: '/part', subPath: 'a/b' },
          { name: 'v', mountPath: '/mine', subPathExpr: '$(NAME)/x' },
          { name: 'v', mountPath: '/read', readOnly: true },
        ];
        const env = [{ name: 'NAME', value: 'n' }];
        const script = 'echo 1 > /part/f; echo 2 > /mine/f; cat /whole/a/b/f /whole/n/x/f; echo 3 > /read/f || echo refused';
        const output = await outputOf(bench, pod(bench, 'p', script, { volumeMounts, env }, { volumes: [{ name: 'v', emptyDir: {} }] }));
        expect(output).toContain('1\n2\n');
        expect(output).toContain('refused');
      },
    },
    {
      name: 'a container whose liveness fails is started again, with the probe’s own grace',
      needs,
      fields: {
        Container: 'livenessProbe',
        Probe: 'exec periodSeconds failureThreshold initialDelaySeconds timeoutSeconds successThreshold terminationGracePeriodSeconds',
      },
      async run(bench) {
        const livenessProbe = {
          exec: { command: ['cat', '/tmp/alive'] },
          ...{
            periodSeconds: 1,
            failureThreshold: 1,
            initialDelaySeconds: 1,
            timeoutSeconds: 2,
            successThreshold: 1,
            terminationGracePeriodSeconds: 1,
          },
        };
        const spec = { restartPolicy: 'Always', terminationGracePeriodSeconds: 600 };
        await bench.api(
          'POST',
          'pods',
          pod(
            bench,
            'p',
            'trap "" TERM; echo x > /tmp/alive; sleep 2; rm /tmp/alive; while true; do sleep 1; done',
            { livenessProbe },
            spec,
          ),
        );
        bench.after(() => bench.api('DELETE', 'pods/p?gracePeriodSeconds=0'));
        await bench.until('a restart', async () => (await bench.api('GET', 'pods/p')).status.containerStatuses?.[0].restartCount > 0);
        expect(await bench.ok(['describe', 'pod', 'p'])).toMatch(/Liveness probe failed[\s\S]*will be restarted/);
      },
    },
    {
      name: 'readiness is asked over HTTP, by the port’s name, with headers; it goes and comes',
      needs,
      fields: {
        Container: 'readinessProbe ports',
        ContainerPort: 'name containerPort protocol',
        Probe: 'httpGet',
        HTTPGetAction: 'path port scheme httpHeaders',
        HTTPHeader: 'name value',
      },
      async run(bench) {
        const httpGet = { path: '/ready', port: 'http', scheme: 'HTTP', httpHeaders: [{ name: 'X-Who', value: 'probe' }] };
        const container = {
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          readinessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 },
        };
        await bench.api('POST', 'pods', pod(bench, 'p', 'mkdir /tmp/w; echo x > /tmp/w/ready; exec httpd -f -p 8080 -h /tmp/w', container));
        await bench.ready('p');
        await bench.ok(['exec', 'p', '--', 'rm', '/tmp/w/ready']);
        await bench.until('it to be unready', async () => {
          const { status } = await bench.api('GET', 'pods/p');
          return status.conditions.some(({ type, status: is }: Answer) => type === 'Ready' && is === 'False');
        });
        await bench.ok(['exec', 'p', '--', 'sh', '-c', 'echo x > /tmp/w/ready']);
        await bench.ready('p');
      },
    },
    {
      name: 'a startup probe over TCP holds the other probes back',
      needs,
      fields: { Container: 'startupProbe', Probe: 'tcpSocket', TCPSocketAction: 'port' },
      async run(bench) {
        const container = {
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 30 },
          livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
        };
        await bench.api('POST', 'pods', pod(bench, 'p', 'sleep 3; exec httpd -f -p 8080 -h /tmp', container, { restartPolicy: 'Always' }));
        const { status } = await bench.ready('p');
        expect([status.containerStatuses[0].started, status.containerStatuses[0].restartCount]).toEqual([true, 0]);
      },
    },
    {
      name: 'processes run as the user and groups that the pod says, and cannot gain privileges',
      needs,
      fields: {
        PodSpec: 'securityContext',
        PodSecurityContext: 'runAsUser runAsGroup runAsNonRoot supplementalGroups fsGroup',
        Container: 'securityContext',
        SecurityContext: 'runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem capabilities seccompProfile',
        Capabilities: 'drop',
      },
      async run(bench) {
        const securityContext = { runAsUser: 1234, runAsGroup: 99, runAsNonRoot: true, supplementalGroups: [77], fsGroup: 88 };
        const own = {
          readOnlyRootFilesystem: true,
          seccompProfile: { type: 'RuntimeDefault' },
          allowPrivilegeEscalation: false,
          capabilities: { drop: ['ALL'] },
          runAsUser: 1235,
          runAsGroup: 98,
          runAsNonRoot: true,
        };
        const script =
          'exec 2>&1; id; touch /x || echo cannot; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; touch /v/mine; stat -c %g /v/mine';
        const body = pod(
          bench,
          'p',
          script,
          { ...mount('v'), securityContext: own },
          { securityContext, volumes: [{ name: 'v', emptyDir: {} }] },
        );
        const output = await outputOf(bench, body);
        expect(output).toMatch(/uid=1235\S* gid=98\S*.*77.*\n/);
        expect(output).toMatch(/cannot\n[\s\S]*NoNewPrivs:\s+1\n/);
        expect(output).toMatch(/CapEff:\s+0{16}\n/);
        expect(output).toMatch(/Seccomp:\s+2\n/);
        expect(output.trim().split('\n').at(-1)).toBe('88');
      },
    },
    {
      name: 'an image that would run as root does not start where the pod forbids it',
      needs,
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'id', { securityContext: { runAsNonRoot: true } }));
        const { waiting } = await bench.until('the refusal', async () => {
          const { status } = await bench.api('GET', 'pods/p');
          return status.containerStatuses?.[0].state.waiting?.reason === 'CreateContainerConfigError' && status.containerStatuses[0].state;
        });
        expect(waiting.message).toContain('image will run as root');
      },
    },
    {
      name: 'a pod has the names, name servers and hosts that it asks for',
      needs,
      fields: {
        PodSpec: 'hostname subdomain hostAliases dnsPolicy dnsConfig',
        HostAlias: 'ip hostnames',
        PodDNSConfig: 'nameservers searches options',
        PodDNSConfigOption: 'name value',
      },
      async run(bench) {
        const spec = {
          hostname: 'one',
          subdomain: 'sub',
          hostAliases: [{ ip: '192.0.2.7', hostnames: ['alias.example.com'] }],
          dnsPolicy: 'None',
          dnsConfig: { nameservers: ['192.0.2.53'], searches: ['example.org'], options: [{ name: 'ndots', value: '2' }] },
        };
        const output = await outputOf(bench, pod(bench, 'p', 'hostname; cat /etc/hosts /etc/resolv.conf', {}, spec));
        expect(output).toMatch(/^one\n/);
        expect(output).toContain(`one.sub.${bench.namespace}.svc.`);
        expect(output).toMatch(/192\.0\.2\.7\s+alias\.example\.com/);
        expect(output).toMatch(/nameserver 192\.0\.2\.53\n/);
        expect(output).toMatch(/search example\.org/);
        expect(output).toMatch(/ndots:2/);
      },
    },
    {
      name: 'containers of a pod share its network and its host name',
      needs,
      async run(bench) {
        const body = pod(bench, 'p', 'while ! nc 127.0.0.1 8080 </dev/null 2>/dev/null; do sleep 0.1; done; hostname');
        body.spec.containers.push(shell(bench, 'httpd -p 8080 -h /tmp; sleep 3', { name: 'd' }));
        expect(await outputOf(bench, body)).toBe('p\n');
      },
    },
  ],
};
