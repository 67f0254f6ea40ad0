import { connect, createServer, type Server, type Socket } from 'node:net';
import { type InformerSet, type KubeClient, keyOf, runController, type Service, type ServicePort, serviceType, source } from '@desp/kube';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import type { ClusterNames } from './names.ts';

/** Milliseconds until an endpoint must have taken a connection before the next one is tried. */
const connectMs = 3000;

export interface ServiceProxyOptions {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly names: ClusterNames;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Answers at each Service's address, which this machine has claimed, and hands TCP connections on to its ready endpoints, in
 * turn. Resolves when the signal has aborted and nothing answers any more.
 *
 * The source address that an endpoint sees is the node's. Connections end with the proxy, as with a restarted node.
 */
export async function runServiceProxy(options: ServiceProxyOptions): Promise<void> {
  const { informers, names, log } = options;
  const services = new Map<string, { address: string; servers: Map<number, Server> }>();
  const sockets = new Set<Socket>();

  async function reconcile(key: string): Promise<void> {
    const service = informers.of(serviceType).get(key);
    const address = clusterAddress(service);
    const known = services.get(key);
    if (known !== undefined && known.address !== address) release(key);
    if (service === undefined || address === undefined) return;
    const entry = services.get(key) ?? { address, servers: new Map<number, Server>() };
    services.set(key, entry);
    const wanted = new Map(
      (service.spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP').map((port) => [port.port, port]),
    );
    for (const [port, server] of entry.servers) {
      if (wanted.has(port)) continue;
      server.close();
      entry.servers.delete(port);
    }
    for (const port of wanted.keys()) if (!entry.servers.has(port)) entry.servers.set(port, await listenAt(key, address, port));
  }

  async function listenAt(key: string, address: string, port: number): Promise<Server> {
    let turn = 0;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      turn += 1;
      handOn(socket, endpointsFor(names, informers.of(serviceType).get(key), port), turn).catch((error) => {
        log.debug({ service: key, port, error: messageOf(error) }, 'a connection to a Service failed');
        socket.resetAndDestroy();
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        server.off('error', reject);
        resolve();
      });
    });
    return server;
  }

  function release(key: string): void {
    const entry = services.get(key);
    if (entry === undefined) return;
    services.delete(key);
    for (const server of entry.servers.values()) server.close();
  }

  await runController({
    ...options,
    name: 'service-proxy',
    sources: [source(serviceType, (service) => [keyOf(service)])],
    concurrency: 1,
    backOff: { baseMs: 200, maxMs: 30_000 },
    reconcile,
  });
  for (const key of [...services.keys()]) release(key);
  for (const socket of sockets) socket.destroy();
}

/** A Service's own address, where it has one. */
function clusterAddress(service: Service | undefined): string | undefined {
  const address = service?.spec.clusterIP;
  return service?.spec.type === 'ExternalName' || address === undefined || address === '' || address === 'None' ? undefined : address;
}

/** Where a Service's port leads now: ready endpoints only. */
export function endpointsFor(names: ClusterNames, service: Service | undefined, port: number): { host: string; port: number }[] {
  const wanted: ServicePort | undefined = service?.spec.ports?.find((each) => each.port === port);
  if (service === undefined || wanted === undefined) return [];
  const only = service.spec.ports?.length === 1;
  return (names.endpoints(service)?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const target = ports.find(({ name }) => (name ?? '') === (wanted.name ?? '')) ?? (only && ports.length === 1 ? ports[0] : undefined);
    return target === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port: target.port }));
  });
}

async function handOn(socket: Socket, endpoints: readonly { host: string; port: number }[], turn: number): Promise<void> {
  socket.on('error', () => socket.destroy());
  if (endpoints.length === 0) throw new Error('the Service has no ready endpoints');
  let failure: unknown;
  for (let index = 0; index < endpoints.length; index += 1) {
    try {
      const upstream = await open(endpoints[(turn + index) % endpoints.length]!);
      upstream.on('error', () => socket.destroy());
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
      socket.pipe(upstream);
      upstream.pipe(socket);
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function open(endpoint: { host: string; port: number }): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...endpoint, allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(new Error(`${endpoint.host}:${endpoint.port} did not answer`)), connectMs);
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
