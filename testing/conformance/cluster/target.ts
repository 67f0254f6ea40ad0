import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type EmbeddedCluster, startEmbeddedCluster } from '@desp/cluster';
import { startIngress, startStorage } from '@desp/controllers';
import { detectEngine, type EngineService, startEngineService } from '@desp/engine';
import { createKubeClient, type KubeClient, optionsFromKubeconfig, serviceAccountType } from '@desp/kube';
import { profileNamed } from '@desp/procedure';
import { run, runOk, silentLogger, systemClock } from '@desp/runtime';
import { type BenchParts, finalizeNamespace, suiteLabel } from './bench.ts';
import type { Answer, Capability } from './case.ts';

/** The cluster under test, and why it lacks what it lacks. */
export interface Target extends BenchParts {
  readonly description: string;
  /** Why rows that need it are skipped; what is not in here is there. */
  readonly lacks: ReadonlyMap<Capability, string>;
  stop(): Promise<void>;
}

/** The cluster that `KUBECONFIG` names, else an embedded one with everything that the platform puts beside it. */
export const openTarget = (): Promise<Target> => (process.env['KUBECONFIG'] ? openOutside(process.env['KUBECONFIG']) : openEmbedded());

const kubectl = process.env['DESP_ACCEPTANCE_KUBECTL'] ?? 'kubectl';

/** Why no case at all can run; undefined when they can. */
export function whyNotAtAll(): string | undefined {
  return spawnSync(kubectl, ['version', '--client']).status === 0 ? undefined : `${kubectl} is not on this machine`;
}

/** What this kubectl is too old for. */
function lackingKubectl(): [Capability, string][] {
  const told = spawnSync(kubectl, ['version', '--client', '--output=json'], { encoding: 'utf8' }).stdout;
  const { gitVersion } = JSON.parse(told).clientVersion as { gitVersion: string };
  const minor = Number(/^v1\.(\d+)/.exec(gitVersion)?.[1] ?? 0);
  return minor >= 27 ? [] : [['schemas', `kubectl ${gitVersion} reads no schemas of OpenAPI v3`]];
}

const imageVariable = 'DESP_ACCEPTANCE_IMAGE';
const classVariable = 'DESP_ACCEPTANCE_STORAGE_CLASS';
const ingressVariable = 'DESP_ACCEPTANCE_INGRESS';

async function openOutside(file: string): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'desp-acceptance-'));
  const options = optionsFromKubeconfig(await readFile(file, 'utf8'), undefined, dirname(file));
  const client = createKubeClient(options);
  const image = process.env[imageVariable] ?? '';
  const ingress = process.env[ingressVariable] ?? '';
  const storageClass = process.env[classVariable] ?? (await defaultClass(client)) ?? '';
  const version = ((await client.raw('GET', '/version')) as Answer).gitVersion;
  const lacks = new Map<Capability, string>(lackingKubectl());
  if (!version.endsWith('+rehearsal')) lacks.set('rehearsal', 'it is no rehearsal cluster');
  if (!(await hasControllers(client))) lacks.set('controllers', 'no controller acts: a new namespace gets no ServiceAccount');
  if (!(await hasReadyNode(client))) lacks.set('pods', 'no node is ready');
  else if (image === '') lacks.set('pods', `${imageVariable} names no image with a shell (as busybox)`);
  if (storageClass === '') lacks.set('storage', `${classVariable} names no storage class, and none is the default`);
  if (ingress === '') lacks.set('ingress', `${ingressVariable} names no address of an ingress controller (http://HOST:PORT)`);
  return {
    description: `${version} at ${options.server}`,
    options,
    client,
    kubeconfig: file,
    folder,
    image,
    storageClass,
    ingress,
    lacks,
    hasControllers: !lacks.has('controllers'),
    async stop() {
      client.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether somebody acts upon a namespace that is made now: what lies about may be of a controller that has long ended. */
async function hasControllers(client: KubeClient): Promise<boolean> {
  const name = `acceptance-probe-${process.pid}`;
  await client.raw('POST', '/api/v1/namespaces', { metadata: { name, labels: { [suiteLabel]: 'yes' } } });
  try {
    const end = systemClock.monotonic() + 5000;
    while (systemClock.monotonic() < end) {
      if ((await client.get(serviceAccountType, 'default', name)) !== undefined) return true;
      await systemClock.sleep(100);
    }
  } finally {
    await client.raw('DELETE', `/api/v1/namespaces/${name}`);
  }
  await finalizeNamespace(client, name);
  return false;
}

async function hasReadyNode(client: KubeClient): Promise<boolean> {
  const { items } = (await client.raw('GET', '/api/v1/nodes')) as Answer;
  return items.some(({ status }: Answer) => status?.conditions?.some((each: Answer) => each.type === 'Ready' && each.status === 'True'));
}

async function defaultClass(client: KubeClient): Promise<string | undefined> {
  const { items } = (await client.raw('GET', '/apis/storage.k8s.io/v1/storageclasses')) as Answer;
  const isDefault = ({ metadata }: Answer) => metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
  return items.find(isDefault)?.metadata.name;
}

const image = 'localhost/desp-acceptance:1';
const classes = profileNamed('procedure-2023').storageClasses;

async function openEmbedded(): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'desp-acceptance-'));
  const missing = detectEngine().missing.map(({ what }) => what);
  if (spawnSync('/bin/busybox', ['true']).status !== 0) missing.push('/bin/busybox');
  let engine: EngineService | undefined;
  if (missing.length === 0) {
    engine = await startEngineService({ dataFolder: folder });
    await importImage(engine, folder);
  }
  const cluster = await startEmbeddedCluster({
    name: 'acceptance',
    dataFolder: join(folder, 'cluster'),
    port: 0,
    podSubnet: '10.238.1.0/24',
    serviceSubnet: '10.238.2.0/24',
    engineSocket: engine?.socket,
    admission: { admit: async () => ({ pullReference: image }) },
    clock: systemClock,
    log: silentLogger,
  });
  if (engine !== undefined) await cluster.nodeReady();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, cluster.kubeconfig(), { mode: 0o600 });
  const beside = await startBeside(cluster);
  const because = `this machine lacks ${missing.join(', ')}`;
  return {
    description: `the embedded cluster${missing.length === 0 ? '' : ` without pods (${because})`}`,
    options: optionsFromKubeconfig(cluster.kubeconfig()),
    client: cluster.client,
    kubeconfig,
    folder,
    image,
    storageClass: classes[0]!.name,
    ingress: beside.ingress,
    hasControllers: true,
    lacks: new Map([...lackingKubectl(), ...(missing.length === 0 ? [] : [['pods', because] as const])]),
    async stop() {
      await beside.stop();
      await cluster.purge();
      await engine?.purge();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The controllers that the platform runs beside a cluster, as far as they are kinds of Kubernetes itself. */
async function startBeside(cluster: EmbeddedCluster): Promise<{ ingress: string; stop(): Promise<void> }> {
  const stopping = new AbortController();
  const parts = { client: cluster.client, clock: systemClock, log: silentLogger, signal: stopping.signal };
  const storage = startStorage({ ...parts, classes, volumesFolder: cluster.volumesFolder });
  const proxy = await startIngress({
    ...parts,
    resolveService: cluster.resolveService,
    listen: { host: '127.0.0.1', http: 0, https: 0 },
    answerChallenge: () => undefined,
  });
  return {
    ingress: `http://127.0.0.1:${proxy.http}`,
    async stop() {
      stopping.abort(new Error('the suite has ended'));
      await Promise.all([storage.done, proxy.done]);
    },
  };
}

/** Puts an image made from scratch, with this machine's busybox in it, into the engine's store. */
async function importImage({ podman }: EngineService, folder: string): Promise<void> {
  const root = join(folder, 'image');
  await mkdir(join(root, 'bin'), { recursive: true });
  for (const part of ['tmp', 'etc']) await mkdir(join(root, part));
  await runOk(['cp', '-L', '/bin/busybox', join(root, 'bin', 'busybox')]);
  const applets = [
    'sh',
    'sleep',
    'cat',
    'ls',
    'echo',
    'httpd',
    'nslookup',
    'id',
    'nc',
    'env',
    'stat',
    'wc',
    'test',
    'kill',
    'hostname',
    'grep',
    'cut',
    'mkdir',
    'chmod',
    'rm',
    'touch',
    'printf',
  ];
  for (const name of applets) await symlink('busybox', join(root, 'bin', name));
  const archive = join(folder, 'image.tar');
  await runOk(['tar', '-C', root, '-cf', archive, '.']);
  const imported = await run(
    ['podman', ...podman.globalArguments, 'import', '--change', 'CMD ["/bin/sh"]', '--change', 'ENV PATH=/bin', archive, image],
    {
      env: { ...podman.environment },
      cwd: join(podman.folder, 'work'),
      timeoutMs: 60_000,
    },
  );
  if (imported.code !== 0) throw new Error(`The image could not be imported: ${imported.stderr}`);
}
