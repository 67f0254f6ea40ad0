import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@desp/runtime';
import { createApiServer } from './server.ts';
import type { ApiServer, ApiServerOptions } from './types.ts';

/** A server in a folder of its own, and a plain HTTP client for it: for this package's tests. */

export const adminToken = 'admin-token-of-the-tests';

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers freely
  readonly json: any;
}

export interface AskOptions {
  readonly token?: string | null;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

export interface Watching {
  // biome-ignore lint/suspicious/noExplicitAny: tests read events freely
  readonly events: any[];
  readonly status: number;
  /** Waits until so many events came, at most five seconds. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read events freely
  until(count: number): Promise<any[]>;
  readonly ended: Promise<void>;
  stop(): void;
}

export class TestCluster {
  readonly server: ApiServer;
  readonly folder: string;
  readonly url: string;
  #agent: Agent;

  private constructor(server: ApiServer, folder: string, url: string) {
    this.server = server;
    this.folder = folder;
    this.url = url;
    this.#agent = new Agent({ ca: server.certificateAuthority, keepAlive: true });
  }

  static async start(options: Partial<ApiServerOptions> = {}): Promise<TestCluster> {
    const folder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'cluster-api-')));
    const server = await createApiServer({
      name: 'test',
      dataFolder: folder,
      clock: systemClock,
      log: silentLogger,
      adminToken,
      ...options,
    });
    const { url } = await server.listen(0, ['127.0.0.1']);
    return new TestCluster(server, folder, url);
  }

  /** Closes the server; the folder goes too unless it is to be opened again. */
  async stop(keep = false): Promise<void> {
    this.#agent.destroy();
    await this.server.close();
    if (!keep) await rm(this.folder, { recursive: true, force: true });
  }

  ask(method: string, path: string, body?: unknown, options: AskOptions = {}): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = httpsRequest({
        ...this.#address,
        path,
        method,
        agent: this.#agent,
        headers: this.#headers(options, text !== undefined),
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const content = Buffer.concat(chunks).toString('utf8');
          const isJson =
            String(response.headers['content-type']).startsWith('application/json') && response.headers['content-encoding'] === undefined;
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: content,
            json: isJson && content ? JSON.parse(content) : undefined,
          });
        });
      });
      // Node sends the body of a DELETE without its length unless told.
      if (text !== undefined) request.setHeader('Content-Length', Buffer.byteLength(text));
      request.end(text);
    });
  }

  /** As `ask`, for what must work. */
  async must(method: string, path: string, body?: unknown, options: AskOptions = {}): Promise<Answer['json']> {
    const answer = await this.ask(method, path, body, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  watch(path: string, options: AskOptions = {}): Promise<Watching> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest({ ...this.#address, path, agent: this.#agent, headers: this.#headers(options, false) });
      request.on('error', reject);
      request.on('response', (response) => {
        const events: Answer['json'][] = [];
        const waiting = new Set<() => void>();
        let rest = '';
        response.setEncoding('utf8');
        response.on('error', () => {});
        response.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop()!;
          events.push(...lines.map((line) => JSON.parse(line)));
          for (const wake of [...waiting]) wake();
        });
        const ended = new Promise<void>((done) => response.on('close', done));
        resolve({
          events,
          status: response.statusCode ?? 0,
          ended,
          stop: () => request.destroy(),
          until: (count) => reached(events, count, waiting),
        });
      });
      request.end();
    });
  }

  /** The path goes as it is: a URL would be tidied up on the way. */
  get #address(): { host: string; port: string } {
    const { hostname, port } = new URL(this.url);
    return { host: hostname, port };
  }

  #headers({ token = adminToken, type = 'application/json', headers = {} }: AskOptions, hasBody: boolean): Record<string, string> {
    return { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(hasBody ? { 'content-type': type } : {}), ...headers };
  }
}

function reached(events: Answer['json'][], count: number, waiting: Set<() => void>): Promise<Answer['json'][]> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      waiting.delete(check);
      reject(new Error(`waited for ${count} events, got ${JSON.stringify(events)}`));
    }, 5000);
    const check = () => {
      if (events.length < count) return;
      clearTimeout(late);
      waiting.delete(check);
      resolve(events);
    };
    waiting.add(check);
    check();
  });
}

export const configMap = (name: string, data: Record<string, string> = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

export const configMaps = '/api/v1/namespaces/default/configmaps';
