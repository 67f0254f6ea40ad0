import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GitAccount } from '../gitlab/access.ts';
import { createGitHost, type GitHost, type GitHostOptions } from '../gitlab/host.ts';

/** An embedded GitLab on loopback for this package's tests; tokens are `token-NAME`, and `token-platform` is the administrator's. */
export interface TestHost {
  readonly folder: string;
  readonly url: string;
  readonly host: GitHost;
  /** One call of the API as `as`; `nobody` sends no token. */
  call(method: string, path: string, options?: { as?: string; body?: unknown; form?: Record<string, string> }): Promise<ApiAnswer>;
  /** Ends the process' part of it, as a stop or a kill does, and begins anew on the same folder and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of many shapes
  readonly json: any;
  readonly headers: Headers;
}

const accountOf = (token: string): GitAccount | undefined => {
  const [, name] = /^token-([a-z-]+)$/.exec(token) ?? [];
  if (name === undefined) return undefined;
  if (name === 'platform') return { kind: 'admin', name: '$platform' };
  return name === 'job' ? { kind: 'token', name: 'job of alice', project: 'DESP/APP/app', level: 20 } : { kind: 'user', name };
};

export async function startTestHost(options: Partial<GitHostOptions> = {}): Promise<TestHost> {
  const folder = mkdtempSync(join(tmpdir(), 'desp-gitlab-'));
  let port = 0;
  let http: Server;
  let host: GitHost;
  const begin = async () => {
    const server = createServer((request, response) => void host.handler(request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    http = server;
    host = createGitHost({
      root: join(folder, 'git'),
      url: `http://127.0.0.1:${port}`,
      authenticate: (_username, password) => accountOf(password),
      authenticateToken: accountOf,
      ...options,
    });
    await host.start();
  };
  const end = async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    await host.close();
  };
  await begin();
  return {
    folder,
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    get host() {
      return host;
    },
    async call(method, path, { as = 'platform', body, form } = {}) {
      const response = await fetch(`http://127.0.0.1:${port}/api/v4${path}`, {
        method,
        headers: {
          ...(as === 'nobody' ? {} : { 'private-token': `token-${as}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...(form ? { body: new URLSearchParams(form) } : {}),
      });
      const text = await response.text();
      return { status: response.status, text, json: text ? JSON.parse(text) : undefined, headers: response.headers };
    },
    async restart() {
      await end();
      await begin();
    },
    async stop() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A receiver of webhooks: answers by `respond`, keeps what came. */
export interface Receiver {
  readonly url: string;
  readonly calls: { headers: IncomingMessage['headers']; body: Record<string, unknown> }[];
  respond: () => { status: number; body?: string };
  /** Resolves when at least `count` calls have come. */
  until(count: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const waiting: { count: number; wake: () => void }[] = [];
  const receiver = { calls: [] as Receiver['calls'], respond: () => ({ status: 200 }) as { status: number; body?: string } };
  const http = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      receiver.calls.push({ headers: request.headers, body: JSON.parse(Buffer.concat(pieces).toString('utf8')) });
      const { status, body = '' } = receiver.respond();
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      for (const one of waiting) if (receiver.calls.length >= one.count) one.wake();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/hook`,
    until: (count: number) =>
      receiver.calls.length >= count ? Promise.resolve() : new Promise<void>((wake) => waiting.push({ count, wake })),
    stop: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  });
}
