import { type Duplex, Readable } from 'node:stream';
import { messageOf } from '@desp/runtime';
import Docker from 'dockerode';
import { NodeError } from './errors.ts';

/** A container as the node needs to see it. */
export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly state: 'created' | 'running' | 'exited';
  readonly exitCode: number;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly pid: number;
  /** Addresses by network. */
  readonly addresses: Readonly<Record<string, string>>;
  readonly tty: boolean;
}

export interface PullAuth {
  readonly username: string;
  readonly password: string;
}

/**
 * The part of the Docker Engine API that the node uses, at a Unix socket; Podman's and Docker's alike.
 * All methods throw NodeError ENGINE_UNREACHABLE or ENGINE_REFUSED.
 */
export interface Engine {
  list(labels: Readonly<Record<string, string>>): Promise<EngineContainer[]>;
  inspect(id: string): Promise<EngineContainer | undefined>;
  create(name: string, config: Docker.ContainerCreateOptions): Promise<string>;
  start(id: string): Promise<void>;
  /** SIGTERM, then SIGKILL after `graceSeconds`; 0 kills at once. Returns when it has ended. */
  stop(id: string, graceSeconds: number): Promise<void>;
  remove(id: string): Promise<void>;
  imageId(reference: string): Promise<string | undefined>;
  /** Who the image's processes are where nobody says otherwise, as in its configuration: a number, a name, `1000:1000`, or empty. */
  imageUser(id: string): Promise<string>;
  pull(reference: string, auth: PullAuth | undefined): Promise<void>;
  loadImage(archive: Buffer): Promise<void>;
  logs(
    id: string,
    options: { follow: boolean; timestamps: boolean; tail?: number; since?: number },
    signal: AbortSignal,
  ): Promise<Readable>;
  exec(id: string, options: { command: string[]; tty: boolean; stdin: boolean }): Promise<EngineExec>;
  ensureNetwork(name: string, subnet: string, gateway: string): Promise<void>;
  removeNetwork(name: string): Promise<void>;
  /** Calls with the labels of each container that starts or ends, until the signal aborts; resolves when the stream ends. */
  events(onEvent: (labels: Readonly<Record<string, string>>) => void, signal: AbortSignal): Promise<void>;
}

export interface EngineExec {
  readonly stream: Duplex;
  resize(size: { width: number; height: number }): Promise<void>;
  exitCode(): Promise<number>;
}

export function createEngine(socketPath: string): Engine {
  const docker = new Docker({ socketPath });

  async function call<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      const status = statusOf(cause);
      if (status === undefined) {
        throw new NodeError('ENGINE_UNREACHABLE', `The container engine at ${socketPath} did not answer (${what}): ${messageOf(cause)}`, {
          cause,
        });
      }
      throw new NodeError(status === 404 ? 'NOT_FOUND' : 'ENGINE_REFUSED', `${what}: ${messageOf(cause)}`, { cause });
    }
  }

  async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof NodeError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async function inspect(id: string): Promise<EngineContainer | undefined> {
    const info = await orUndefined(call('inspect a container', docker.getContainer(id).inspect()));
    return info === undefined ? undefined : toContainer(info);
  }

  return {
    inspect,
    async list(labels) {
      const filters = { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
      const found = await call('list containers', docker.listContainers({ all: true, filters }));
      const details = await Promise.all(found.map(({ Id }) => inspect(Id)));
      return details.filter((container) => container !== undefined);
    },
    async create(name, config) {
      return (await call(`create the container ${name}`, docker.createContainer({ name, ...config }))).id;
    },
    start: async (id) => {
      await call('start a container', docker.getContainer(id).start());
    },
    async stop(id, graceSeconds) {
      const container = docker.getContainer(id);
      try {
        if (graceSeconds <= 0) await call('kill a container', container.kill({ signal: 'SIGKILL' }));
        else await call('stop a container', container.stop({ t: Math.ceil(graceSeconds) }));
      } catch (error) {
        // It ended by itself, or is gone: that is what was wanted.
        const now = await inspect(id);
        if (now?.state === 'running') throw error;
      }
    },
    remove: async (id) => {
      await orUndefined(call('remove a container', docker.getContainer(id).remove({ force: true, v: true })));
    },
    async imageId(reference) {
      return (await orUndefined(call(`look for the image ${reference}`, docker.getImage(reference).inspect())))?.Id;
    },
    async imageUser(id) {
      return (await call(`look at the image ${id}`, docker.getImage(id).inspect())).Config?.User ?? '';
    },
    async pull(reference, auth) {
      const options = auth === undefined ? {} : { authconfig: { ...auth, serveraddress: reference.split('/')[0] ?? '' } };
      const stream = await call(`pull ${reference}`, docker.pull(reference, options));
      await new Promise<void>((resolve, reject) => {
        // A failed pull is an answer with status 200 that holds an error.
        docker.modem.followProgress(stream, (error: Error | null, items: { error?: string }[] | undefined) => {
          const failed = error?.message ?? items?.find((item) => item.error !== undefined)?.error;
          if (failed === undefined) resolve();
          else reject(new NodeError('PULL_FAILED', failed));
        });
      });
    },
    async loadImage(archive) {
      const answer = await call('load an image', docker.loadImage(Readable.from([archive])));
      await new Promise<void>((resolve, reject) =>
        answer
          .on('data', () => {})
          .on('end', resolve)
          .on('error', reject),
      );
    },
    async logs(id, options, signal) {
      const query = {
        stdout: true,
        stderr: true,
        timestamps: options.timestamps,
        // dockerode sends undefined as an empty text, which the engine refuses.
        ...(options.tail === undefined ? {} : { tail: options.tail }),
        ...(options.since === undefined ? {} : { since: options.since }),
        abortSignal: signal,
      };
      const container = docker.getContainer(id);
      // With `follow` the answer is a stream, without it one buffer.
      if (options.follow) return (await call('read a log', container.logs({ ...query, follow: true }))) as unknown as Readable;
      return Readable.from([await call('read a log', container.logs({ ...query, follow: false }))]);
    },
    async exec(id, { command, tty, stdin }) {
      const config = { Cmd: command, Tty: tty, AttachStdin: stdin, AttachStdout: true, AttachStderr: true };
      const exec = await call('prepare a command', docker.getContainer(id).exec(config));
      const stream = await call('start a command', exec.start({ hijack: true, stdin: true, Tty: tty }));
      return {
        stream,
        resize: async ({ width, height }) => {
          await call('resize a terminal', exec.resize({ w: width, h: height }));
        },
        exitCode: async () => (await call('ask for the exit code', exec.inspect())).ExitCode ?? -1,
      };
    },
    async ensureNetwork(name, subnet, gateway) {
      const known = await orUndefined(call('look for the network', docker.getNetwork(name).inspect()));
      const has = (known as { IPAM?: { Config?: { Subnet?: string }[] } } | undefined)?.IPAM?.Config?.some(
        (config) => config.Subnet === subnet,
      );
      if (has) return;
      if (known !== undefined) await call('remove the old network', docker.getNetwork(name).remove({ force: true }));
      const ipam = { Driver: 'default', Config: [{ Subnet: subnet, Gateway: gateway }] };
      await call(
        `create the network ${name}`,
        docker.createNetwork({ Name: name, Driver: 'bridge', IPAM: ipam, Options: { isolate: 'false' } }),
      );
    },
    removeNetwork: async (name) => {
      await orUndefined(call('remove the network', docker.getNetwork(name).remove({ force: true })));
    },
    async events(onEvent, signal) {
      const filters = { type: ['container' as const], event: ['start', 'died', 'die'] };
      const stream = (await call('follow the events', docker.getEvents({ filters, abortSignal: signal }))) as unknown as Readable;
      let rest = '';
      await new Promise<void>((resolve) => {
        stream.on('data', (chunk: Buffer) => {
          const lines = (rest + chunk.toString('utf8')).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            try {
              onEvent((JSON.parse(line) as { Actor?: { Attributes?: Record<string, string> } }).Actor?.Attributes ?? {});
            } catch {
              // Half a line of a stream that ended: the next look at all containers sees what it said.
            }
          }
        });
        stream.on('close', resolve);
        stream.on('error', () => resolve());
      });
    },
  };
}

function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === 'number' ? status : undefined;
}

function toContainer(info: Docker.ContainerInspectInfo): EngineContainer {
  const { State: state } = info;
  const running = state.Status === 'running' || state.Status === 'paused' || state.Status === 'stopping';
  const created = state.Status === 'created' || state.Status === 'configured' || state.Status === 'initialized';
  const networks = Object.entries(info.NetworkSettings?.Networks ?? {});
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    labels: info.Config.Labels ?? {},
    image: info.Image,
    state: running ? 'running' : created ? 'created' : 'exited',
    exitCode: state.ExitCode,
    startedAt: dateOf(state.StartedAt),
    finishedAt: dateOf(state.FinishedAt),
    pid: state.Pid,
    addresses: Object.fromEntries(networks.map(([name, network]) => [name, network.IPAddress]).filter(([, address]) => address)),
    tty: info.Config.Tty,
  };
}

function dateOf(text: string): Date | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1971 ? undefined : date;
}
