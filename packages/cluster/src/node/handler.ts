import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import type { Container, Handler, HttpGet } from '@desp/kube';
import { messageOf, run } from '@desp/runtime';

/** A running container that can be asked. */
export interface HandlerTarget {
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/**
 * Does what a probe or a lifecycle hook asks for. Nobody but the pod itself is ever asked: the node stands in the platform's own network.
 *
 * @returns what is wrong, in the kubelet's words; undefined when all is well
 */
export async function handle(
  handler: Handler,
  target: HandlerTarget,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  try {
    if (handler.exec !== undefined) return await runCommand(handler.exec.command, target, timeoutMs, signal);
    const port = portOf((handler.httpGet ?? handler.tcpSocket)?.port, target.container);
    if (port === undefined) return 'it names a port that the container does not have';
    if (handler.httpGet !== undefined) return await askHttp(handler.httpGet, target.podIp, port, timeoutMs);
    if (handler.tcpSocket !== undefined) return await connectTcp(target.podIp, port, timeoutMs);
    return 'it has no action that the rehearsal knows';
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * `runc exec`, not the engine's: each command through the engine's API leaves a process behind for five minutes. runc
 * gives the command the container's user, capabilities, filter and limits, which entering its namespaces would not.
 */
async function runCommand(
  command: readonly string[],
  { containerId }: HandlerTarget,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const result = await run(['runc', 'exec', containerId, ...command], { timeoutMs, signal, maxBytes: 64 * 1024, cwd: '/' });
  if (result.code === 0) return undefined;
  return (result.stdout.toString('utf8') + result.stderr).slice(0, 1024).trim() || `the command ended with exit code ${result.code}`;
}

function askHttp(action: HttpGet, host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  const secure = action.scheme?.toUpperCase() === 'HTTPS';
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${secure ? 'https' : 'http'}://${host}:${port}${path}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.32', accept: '*/*', connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    // A pod's certificate is its own affair: the kubelet does not verify it either.
    const send = secure ? httpsGet : httpGet;
    const request = send(
      { host, port, path, headers, agent: false, timeout: timeoutMs, ...(secure ? { rejectUnauthorized: false } : {}) },
      (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
      },
    );
    const timer = setTimeout(
      () => request.destroy(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')),
      timeoutMs,
    );
    request.on('error', (error: NodeJS.ErrnoException) => {
      const refused = error.code === 'ECONNREFUSED' ? `dial tcp ${host}:${port}: connect: connection refused` : error.message;
      resolve(`Get "${url}": ${refused}`);
    });
    request.on('close', () => clearTimeout(timer));
  });
}

function connectTcp(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('timeout', () => socket.destroy(new Error('i/o timeout')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(`dial tcp ${host}:${port}: ${error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message}`),
    );
  });
}

function portOf(port: number | string | undefined, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  if (port !== undefined && /^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name !== undefined && name === port)?.containerPort;
}
