import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRegistry, digestOf, openRegistryStore } from '@desp/oci';
import { run } from '@desp/runtime';

/** Medians over the rounds; a rate per second each, and ours divided by Debian's docker-registry in the same run. */
export interface RegistryBench {
  readonly rounds: number;
  readonly largePushMBs: Comparison;
  readonly largePullMBs: Comparison;
  readonly smallPushes: Comparison;
  readonly smallPulls: Comparison;
}

interface Comparison {
  readonly ours: number;
  /** Undefined where docker-registry is not on the machine. */
  readonly dockerRegistry: number | undefined;
  readonly ratio: number | undefined;
}

const connections = 8;
const authorization = `Basic ${Buffer.from('bench:bench').toString('base64')}`;

/**
 * Pushes and pulls 8 × 64 MiB and 2,000 × 4 KiB blobs over 8 connections, against our registry (which authenticates and
 * authorizes every request) and against docker-registry without authentication, in turns.
 *
 * @param options.rounds an odd number; the closing figures take 5.
 */
export async function bench(options: { rounds?: number; log?: (line: string) => void } = {}): Promise<RegistryBench> {
  const { rounds = 5, log = () => {} } = options;
  const folder = await mkdtemp(join(tmpdir(), 'registry-bench-'));
  const ours = await startOurs(join(folder, 'ours'));
  const theirs = await startDockerRegistry(join(folder, 'theirs'));
  const figures = { ours: [] as Figures[], theirs: [] as Figures[] };
  try {
    for (let round = 0; round < rounds; round += 1) {
      const large = Array.from({ length: 8 }, () => randomBytes(64 * 1024 * 1024));
      const small = Array.from({ length: 2000 }, () => randomBytes(4096));
      figures.ours.push(await measure(ours.url, large, small));
      if (theirs) figures.theirs.push(await measure(theirs.url, large, small));
      log(`round ${round + 1}: ours ${JSON.stringify(figures.ours.at(-1))}, docker-registry ${JSON.stringify(figures.theirs.at(-1))}`);
    }
  } finally {
    await ours.stop();
    theirs?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const compare = (key: keyof Figures): Comparison => {
    const own = median(figures.ours.map((one) => one[key]));
    const other = figures.theirs.length > 0 ? median(figures.theirs.map((one) => one[key])) : undefined;
    return { ours: own, dockerRegistry: other, ratio: other === undefined ? undefined : Math.round((own / other) * 100) / 100 };
  };
  return {
    rounds,
    largePushMBs: compare('largePush'),
    largePullMBs: compare('largePull'),
    smallPushes: compare('smallPush'),
    smallPulls: compare('smallPull'),
  };
}

interface Figures {
  readonly largePush: number;
  readonly largePull: number;
  readonly smallPush: number;
  readonly smallPull: number;
}

const median = (values: readonly number[]) => Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!);

async function measure(url: string, large: Buffer[], small: Buffer[]): Promise<Figures> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const client = { agent, url };
  const digests = { large: large.map((bytes) => digestOf(bytes)), small: small.map((bytes) => digestOf(bytes)) };
  const largeMegabytes = large.reduce((sum, bytes) => sum + bytes.length, 0) / 1e6;
  const rate = async (amount: number, count: number, each: (index: number) => Promise<void>) => {
    const begun = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        for (let index = next++; index < count; index = next++) await each(index);
      }),
    );
    return Math.round(amount / ((performance.now() - begun) / 1000));
  };
  const largePush = await rate(largeMegabytes, large.length, (index) => push(client, digests.large[index]!, large[index]!));
  const largePull = await rate(largeMegabytes, large.length, (index) => pull(client, digests.large[index]!, large[index]!.length));
  const smallPush = await rate(small.length, small.length, (index) => push(client, digests.small[index]!, small[index]!));
  const smallPull = await rate(small.length, small.length, (index) => pull(client, digests.small[index]!, small[index]!.length));
  agent.destroy();
  return { largePush, largePull, smallPush, smallPull };
}

interface Client {
  readonly agent: Agent;
  readonly url: string;
}

function send({ agent, url }: Client, method: string, path: string, body?: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-length': body?.length ?? 0, 'content-type': 'application/octet-stream' };
    request(new URL(path, url), { method, agent, headers }, resolve).on('error', reject).end(body);
  });
}

async function drain(response: IncomingMessage): Promise<number> {
  let total = 0;
  for await (const piece of response as AsyncIterable<Buffer>) total += piece.length;
  return total;
}

/** POST, then PUT with all bytes: what both registries take. */
async function push(client: Client, digest: string, bytes: Buffer): Promise<void> {
  const started = await send(client, 'POST', '/v2/bench/blobs/blobs/uploads/');
  await drain(started);
  const location = new URL(started.headers.location ?? '', client.url);
  location.searchParams.set('digest', digest);
  const done = await send(client, 'PUT', location.href, bytes);
  await drain(done);
  if (done.statusCode !== 201) throw new Error(`${client.url} answered a push with ${done.statusCode}.`);
}

async function pull(client: Client, digest: string, size: number): Promise<void> {
  const response = await send(client, 'GET', `/v2/bench/blobs/blobs/${digest}`);
  const total = await drain(response);
  if (total !== size) throw new Error(`${client.url} answered a pull with ${response.statusCode} and ${total} bytes.`);
}

/** In a process of its own, as docker-registry is. */
async function startOurs(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [import.meta.filename, '--serve', folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line) => resolve(String(line).trim()));
    child.once('exit', (code) => reject(new Error(`The registry ended with ${code} before it listened.`)));
  });
  return {
    url,
    stop: async () => {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function serve(folder: string): Promise<void> {
  const store = await openRegistryStore({ folder });
  const registry = await createRegistry({
    name: 'bench',
    store,
    authenticate: (username, password) => (username === 'bench' && password === 'bench' ? { kind: 'job', name: 'bench' } : undefined),
    authorize: () => true,
  });
  await registry.ensureProject('bench', { tags: 'mutable' });
  process.stdout.write(`${(await registry.listen({ port: 0 })).url}\n`);
}

async function startDockerRegistry(folder: string): Promise<{ url: string; stop: () => void } | undefined> {
  const known = await run(['docker-registry', '--version']).catch(() => undefined);
  if (!known) return undefined;
  const port = await freePort();
  const config = `${folder}.yml`;
  await writeFile(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { cache: { blobdescriptor: inmemory }, filesystem: { rootdirectory: ${folder} } }\nhttp: { addr: "127.0.0.1:${port}" }\n`,
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(`${url}/v2/`).catch(() => undefined);
    if (answer?.ok) return { url, stop: () => child.kill('SIGKILL') };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error('docker-registry did not answer within 5 s.');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

if (process.argv[2] === '--serve' && process.argv[3]) await serve(process.argv[3]);
