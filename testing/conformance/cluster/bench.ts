import { randomInt } from 'node:crypto';
import { createKubeClient, isKubeError, type KubeClient, type KubeClientOptions, KubeError } from '@desp/kube';
import { run, systemClock } from '@desp/runtime';
import type { Answer, Bench } from './case.ts';

const letters = 'bcdfghjklmnpqrstvwxz2456789';
const patienceMs = 45_000;

export interface BenchParts {
  readonly options: KubeClientOptions;
  readonly client: KubeClient;
  readonly kubeconfig: string;
  /** For kubectl's cache. */
  readonly folder: string;
  readonly hasControllers: boolean;
  readonly image: string;
  readonly storageClass: string;
  readonly ingress: string;
}

/** Every namespace of the suite bears this label, so that none can be left behind unseen. */
export const suiteLabel = 'desp.space/acceptance';

/** Runs a case in a namespace of its own, which is deleted afterwards. */
export async function withBench(parts: BenchParts, work: (bench: Bench) => Promise<void>): Promise<void> {
  const { client } = parts;
  const unique = Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
  const namespace = `acceptance-${unique}`;
  const cleaning: (() => Promise<unknown>)[] = [];
  await client.raw('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels: { [suiteLabel]: 'yes' } } });
  const bench = createBench(parts, namespace, unique, cleaning);
  try {
    if (parts.hasControllers)
      await bench.until('the default ServiceAccount', () => client.raw('GET', bench.path('serviceaccounts/default')).catch(isMissing));
    await work(bench);
  } finally {
    for (const clean of cleaning.reverse()) await clean().catch(() => {});
    await client.raw('DELETE', `/api/v1/namespaces/${namespace}`);
    // Nobody else would finish it.
    if (!parts.hasControllers) await finalizeNamespace(client, namespace);
  }
}

/** Waits until every namespace of the suite is gone. */
export async function allGone({ client }: BenchParts): Promise<void> {
  const left = async () =>
    ((await client.raw('GET', `/api/v1/namespaces?labelSelector=${encodeURIComponent(suiteLabel)}`)) as Answer).items;
  const end = systemClock.monotonic() + 120_000;
  for (let items = await left(); items.length > 0; items = await left()) {
    if (systemClock.monotonic() > end) throw new Error(`Namespaces stay: ${JSON.stringify(items[0], null, 1)}`);
    await systemClock.sleep(250);
  }
}

/** Ends a namespace that is being deleted and that no controller will ever end. */
export async function finalizeNamespace(client: KubeClient, name: string): Promise<void> {
  const namespace = (await client.raw('GET', `/api/v1/namespaces/${name}`)) as Answer;
  await client.raw('PUT', `/api/v1/namespaces/${name}/finalize`, { ...namespace, spec: { finalizers: [] } });
}

const isMissing = (error: unknown): undefined => {
  if (!isKubeError(error, 'NotFound')) throw error;
};

function createBench(
  parts: BenchParts,
  namespace: string,
  unique: string,
  cleaning: (() => Promise<unknown>)[],
): Bench & { path(of: string): string } {
  const { client } = parts;
  const path = (of: string): string => {
    if (of.startsWith('/')) return of;
    const [, group, version, rest] = /^(?:([a-z0-9.]+)\/(v\d[0-9a-z]*)\/)?(.*)$/.exec(of)!;
    return `${group === undefined ? '/api/v1' : `/apis/${group}/${version}`}/namespaces/${namespace}/${rest}`;
  };
  const api: Bench['api'] = (method, of, body, contentType) => client.raw(method, path(of), body, contentType);

  const kubectl: Bench['kubectl'] = async (args, stdin) => {
    const env = { KUBECONFIG: parts.kubeconfig, KUBECACHEDIR: parts.folder, HOME: parts.folder };
    const input = stdin === undefined ? {} : { stdin: typeof stdin === 'string' ? stdin : JSON.stringify(stdin) };
    const program = process.env['DESP_ACCEPTANCE_KUBECTL'] ?? 'kubectl';
    const { code, stdout, stderr } = await run([program, '-n', namespace, ...args], { env, timeoutMs: 90_000, ...input });
    return { code, out: stdout.toString('utf8'), err: stderr };
  };
  const until: Bench['until'] = async (what, look) => {
    const end = systemClock.monotonic() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (systemClock.monotonic() > end) throw new Error(`Waited ${patienceMs / 1000} s for ${what}.\n${await whatIsThere(api)}`);
      await systemClock.sleep(60);
    }
  };
  const pod = (what: string, name: string, holds: (status: Answer) => boolean) =>
    until(`the pod ${name} to be ${what}`, async () => {
      const found = await api('GET', `pods/${name}`).catch(isMissing);
      return found !== undefined && holds(found.status) && found;
    });
  return {
    client,
    namespace,
    unique,
    image: parts.image,
    storageClass: parts.storageClass,
    ingress: parts.ingress,
    path,
    api,
    kubectl,
    until,
    async refused(method, of, body, contentType) {
      try {
        await api(method, of, body, contentType);
      } catch (error) {
        if (error instanceof KubeError) return { reason: error.code, message: error.message };
        throw error;
      }
      throw new Error(`${method} ${of} was not refused.`);
    },
    async ok(args, stdin) {
      const { code, out, err } = await kubectl(args, stdin);
      if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${out}${err}`);
      return out;
    },
    ready: (name) =>
      pod('ready', name, ({ conditions = [] }) => conditions.some((each: Answer) => each.type === 'Ready' && each.status === 'True')),
    ended: (name) => pod('over', name, ({ phase }) => phase === 'Succeeded' || phase === 'Failed'),
    as: (token) => {
      const { clientCertificate: _certificate, clientKey: _key, tokenSource: _source, ...options } = parts.options;
      const other = createKubeClient({ ...options, token });
      cleaning.push(async () => other.close());
      return other;
    },
    after: (clean) => void cleaning.push(clean),
  };
}

/** The namespace's pods and events, for the message of a case that waited in vain. */
async function whatIsThere(api: Bench['api']): Promise<string> {
  const pods = (await api('GET', 'pods')).items.map(({ metadata, status }: Answer) => ({ name: metadata.name, ...status }));
  const events = (await api('GET', 'events')).items.map(
    ({ involvedObject, reason, message }: Answer) => `${involvedObject.name}: ${reason} ${message}`,
  );
  return JSON.stringify({ pods, events }, null, 1).slice(0, 8000);
}
