import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type RunResult, run } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeAccess } from '../node-access.ts';
import { adminToken, TestCluster } from './test-cluster.ts';

/**
 * The real client against the server. The machine's own `kubectl`; Debian's 1.20, which `script/bootstrap test` fetches; and where
 * they lie beside it or in KUBECTL_FOLDER, older and newer ones, which speak other dialects (SPDY, protobuf, OpenAPI v2).
 */
const folders = [
  join(import.meta.dirname, '../../../../.cache/kubectl'),
  ...(process.env['KUBECTL_FOLDER'] ?? '').split(':'),
  ...(process.env['PATH'] ?? '').split(':'),
  '/usr/lib/google-cloud-sdk/bin',
].filter(Boolean);
const found = (name: string): string | undefined =>
  folders
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
const names = ['kubectl', 'kubectl.1.20', 'kubectl.1.27', 'kubectl.1.33'];
const clients = names.flatMap((name) => {
  const file = found(name);
  return file === undefined ? [] : [{ name, file }];
});

/** Stands for a node: a log of one line, and commands that echo. */
const echoNode: NodeAccess = {
  logs: async ({ pod, container }) => Readable.from([`log of ${pod}/${container}\n`]),
  exec: async ({ command, stdin, stdout, stderr }) => {
    let size = 0;
    for await (const chunk of stdin ?? []) {
      size += chunk.length;
      stdout?.write(chunk);
    }
    stdout?.write(`ran ${command.join(' ')} with ${size} bytes\n`);
    stderr?.write('told on standard error\n');
    return command[0] === 'false' ? 3 : 0;
  },
};

const manifest = (replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: example/web:1, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer, maximum: 10}}}}
`;

/** The version that a client says it is, as `1.20`. */
const versionOf = (file: string): string =>
  /v(\d+\.\d+)\./.exec(spawnSync(file, ['version', '--client'], { encoding: 'utf8', timeout: 20_000 }).stdout ?? '')?.[1] ?? 'unknown';
const oldest = clients.find(({ file }) => versionOf(file) === '1.20');

describe.skipIf(clients.length === 0)(`kubectl${clients.length === 0 ? ' (skipped: no kubectl on this machine)' : ''}`, () => {
  let cluster: TestCluster;
  let folder: string;
  beforeAll(async () => {
    cluster = await TestCluster.start({ node: echoNode });
    folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
    await cluster.server.writeKubeconfig(join(folder, 'config'), { token: adminToken, user: 'admin' });
    await writeFile(join(folder, 'definition.yaml'), definition);
  });
  afterAll(async () => {
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test.skipIf(!oldest)(
    `kubectl 1.20 reads this server's version${oldest ? '' : ' (skipped: no kubectl 1.20; script/bootstrap test fetches it on Debian)'}`,
    async () => {
      const { stdout } = await run([oldest?.file ?? '', '--kubeconfig', join(folder, 'config'), 'version', '--output=json'], {
        env: { HOME: folder },
      });
      expect(JSON.parse(stdout.toString())).toMatchObject({
        clientVersion: { minor: '20' },
        serverVersion: { gitVersion: expect.stringMatching(/\+rehearsal$/) },
      });
    },
  );

  describe.each(clients)('$name', ({ name, file }) => {
    const space = `in-${name.replaceAll('.', '-')}`;
    const ask = async (args: readonly string[], stdin?: string | Uint8Array): Promise<RunResult> =>
      await run([file, '--kubeconfig', join(folder, 'config'), '--cache-dir', join(folder, `cache-${name}`), '-n', space, ...args], {
        env: { HOME: folder, KUBECACHEDIR: join(folder, `cache-${name}`) },
        timeoutMs: 60_000,
        ...(stdin === undefined ? {} : { stdin }),
      });
    const kubectl = async (args: readonly string[], stdin?: string | Uint8Array): Promise<string> => {
      const { code, stdout, stderr } = await ask(args, stdin);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${code} ${stderr}`);
      return stdout.toString('utf8');
    };
    beforeAll(async () => {
      await kubectl(['create', 'namespace', space]);
      await kubectl(['create', 'serviceaccount', 'default']);
    });

    test('apply, diff, apply again, and on the server side', async () => {
      expect(await kubectl(['apply', '-f', '-'], manifest(2))).toBe('deployment.apps/web created\nservice/web created\n');
      expect(await kubectl(['apply', '-f', '-'], manifest(2))).toBe('deployment.apps/web unchanged\nservice/web unchanged\n');
      const diff = await ask(['diff', '-f', '-'], manifest(3));
      expect(diff.code, diff.stderr).toBe(1);
      expect(diff.stdout.toString()).toMatch(/-\s+replicas: 2\n\+\s+replicas: 3/);
      expect(await kubectl(['apply', '-f', '-'], manifest(3))).toContain('deployment.apps/web configured');
      expect(await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifest(4))).toContain('serverside-applied');
      expect(await kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}'])).toBe('4');
      expect((await ask(['diff', '--server-side', '--force-conflicts', '-f', '-'], manifest(4))).code).toBe(0);
    });

    test('create, get, describe, label, annotate, patch, scale, delete', async () => {
      await kubectl(['create', 'configmap', 'settings', '--from-literal=a=b']);
      await kubectl(['create', 'secret', 'generic', 'hidden', '--from-literal=password=geheim']);
      expect(await kubectl(['get', 'configmap,secret'])).toMatch(/configmap\/settings +1 +\d+s\n[\s\S]*secret\/hidden +Opaque +1/);
      expect(await kubectl(['describe', 'secret', 'hidden'])).toContain('password:  6 bytes');
      expect(await kubectl(['describe', 'deployment', 'web'])).toContain('4 desired');
      await kubectl(['label', 'configmap', 'settings', 'tier=x']);
      await kubectl(['annotate', 'configmap', 'settings', 'note=y']);
      expect(await kubectl(['get', 'configmap', '-l', 'tier=x', '-o', 'name'])).toBe('configmap/settings\n');
      await kubectl([
        'patch',
        'deployment',
        'web',
        '-p',
        '{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"example/web:2"}]}}}}',
      ]);
      expect(await kubectl(['get', 'deployment', 'web', '-o', 'wide'])).toMatch(/web +0\/4 +0 +0 +\w+ +c +example\/web:2 +app=web/);
      await kubectl(['scale', 'deployment/web', '--replicas=5']);
      await kubectl(['scale', 'deployment/web', '--current-replicas=5', '--replicas=1']);
      expect(await kubectl(['get', 'deployment', 'web'])).toMatch(/0\/1/);
      await kubectl(['delete', 'configmap', 'settings']);
      expect((await ask(['get', 'configmap', 'settings'])).stderr).toContain(
        'Error from server (NotFound): configmaps "settings" not found',
      );
    });

    test('get -w prints what happens', async () => {
      const enough = new AbortController();
      let printed = '';
      let creation: Promise<string> | undefined;
      const watching = run([file, '--kubeconfig', join(folder, 'config'), '-n', space, 'get', 'secrets', '-w'], {
        env: { HOME: folder, KUBECACHEDIR: join(folder, `cache-${name}`) },
        signal: enough.signal,
        onOutput: (chunk) => {
          printed += chunk.toString('utf8');
          if (printed.includes('hidden')) creation ??= kubectl(['create', 'secret', 'generic', 'watched']);
          if (/watched.*\n/.test(printed)) enough.abort();
        },
      });
      await expect(watching).rejects.toMatchObject({ code: 'CANCELED' });
      await creation;
      expect(printed).toMatch(/NAME +TYPE +DATA +AGE\n[\s\S]*hidden +Opaque +1 [\s\S]*watched +Opaque +0 /);
    });

    test('wait and rollout status follow what changes', async () => {
      const ready = kubectl(['wait', '--for=condition=Available', 'deployment/web', '--timeout=20s']);
      const path = `/apis/apps/v1/namespaces/${space}/deployments/web/status`;
      const { metadata } = await cluster.must('GET', path);
      const status = {
        observedGeneration: metadata.generation,
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [
          { type: 'Available', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', lastUpdateTime: '2026-01-01T00:00:00Z' },
        ],
      };
      await cluster.must('PATCH', path, { status }, { type: 'application/merge-patch+json' });
      expect(await ready).toContain('condition met');
      expect(await kubectl(['rollout', 'status', 'deployment/web', '--timeout=20s'])).toContain('successfully rolled out');
    });

    test('auth can-i asks the server’s own rules', async () => {
      expect(await kubectl(['auth', 'can-i', 'create', 'pods'])).toBe('yes\n');
      expect((await ask(['auth', 'can-i', 'create', 'pods', '--as', 'nobody'])).stdout.toString()).toBe('no\n');
      await kubectl(['create', 'rolebinding', 'viewers', '--clusterrole=view', '--user=vera']);
      expect(await kubectl(['auth', 'can-i', 'list', 'pods', '--as', 'vera'])).toBe('yes\n');
      expect((await ask(['auth', 'can-i', 'get', 'secrets', '--as', 'vera'])).stdout.toString()).toBe('no\n');
    });

    test('logs and exec, with standard input, a large one too, and the exit code', async () => {
      await kubectl(['apply', '-f', '-'], 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i}]}\n');
      expect(await kubectl(['logs', 'p'])).toBe('log of p/c\n');
      const plain = await ask(['exec', 'p', '--', 'ls', '-l']);
      expect([plain.code, plain.stdout.toString(), plain.stderr]).toEqual([
        0,
        'ran ls -l with 0 bytes\n',
        expect.stringContaining('told on standard error\n'),
      ]);
      const failed = await ask(['exec', 'p', '--', 'false']);
      expect([failed.code, failed.stderr]).toEqual([3, expect.stringContaining('exit code 3')]);
      const large = Buffer.alloc(1_500_000, 'abcdefgh\n');
      const echoed = await ask(['exec', '-i', 'p', '--', 'cat'], large);
      expect(echoed.stdout.subarray(0, large.length).equals(large)).toBe(true);
      expect(echoed.stdout.subarray(large.length).toString()).toBe('ran cat with 1500000 bytes\n');
      expect((await ask(['exec', 'p', '-c', 'none', '--', 'ls'])).stderr).toContain('container none is not valid for pod p');
    });

    test('custom resources: define, apply, get by short name, refuse, remove', async () => {
      await kubectl(['apply', '-f', join(folder, 'definition.yaml')]);
      await kubectl(['wait', '--for=condition=Established', 'crd/widgets.example.com', '--timeout=20s']);
      const widget = (size: number) => `apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: ${size}}\n`;
      expect(await kubectl(['apply', '-f', '-'], widget(1))).toBe('widget.example.com/w created\n');
      expect(await kubectl(['apply', '-f', '-'], widget(2))).toBe('widget.example.com/w configured\n');
      expect(await kubectl(['get', 'wd'])).toMatch(/NAME +SIZE\nw +2\n/);
      const refused = await ask(['apply', '-f', '-'], widget(11));
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('should be less than or equal to 10')]);
      await kubectl(['delete', 'crd', 'widgets.example.com', '--timeout=20s']);
    });

    test('what is stored only, and what is not served, is said', async () => {
      const policy = 'apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: policy}\nspec: {podSelector: {}}\n';
      expect((await ask(['apply', '-f', '-'], policy)).stderr).toContain('Warning: a NetworkPolicy is stored');
      expect((await ask(['get', 'flowschemas'])).stderr).toContain("the server doesn't have a resource type");
    });

    test('delete takes everything applied, and the namespace says Terminating', async () => {
      expect(await kubectl(['delete', '-f', '-', '--timeout=20s'], manifest(1))).toContain('deployment.apps "web" deleted');
      await kubectl(['delete', 'namespace', space, '--wait=false']);
      expect(await kubectl(['get', 'namespace', space])).toMatch(/Terminating/);
    });
  });
});
