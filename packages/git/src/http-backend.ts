import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename, dirname } from 'node:path';
import type { Duplex, Readable, Writable } from 'node:stream';
import { gitEnvironment } from './git-command.ts';
import type { GitRoute } from './repository-path.ts';

export interface TransferLimits {
  /** Bytes of one request's body as they come over the wire. */
  readonly maxBodyBytes: number;
  /** Bytes of one push's pack (git-receive-pack(1), `receive.maxInputSize`). */
  readonly maxPackBytes: number;
  /** Milliseconds for one request. */
  readonly timeoutMs: number;
}

export const standardTransferLimits: TransferLimits = {
  maxBodyBytes: 512 * 1024 * 1024,
  maxPackBytes: 512 * 1024 * 1024,
  timeoutMs: 10 * 60_000,
};

/** Settings that hold for every request, whatever a repository's own configuration says. */
function settings(limits: TransferLimits, hooksFolder: string): [string, string][] {
  return [
    ['core.hooksPath', hooksFolder],
    ['core.logAllRefUpdates', 'always'],
    ['core.fsync', 'committed,loose-object,reference'],
    ['http.receivepack', 'true'],
    ['transfer.fsckObjects', 'true'],
    ['receive.maxInputSize', String(limits.maxPackBytes)],
    ['receive.autogc', 'false'],
    ['receive.denyDeleteCurrent', 'refuse'],
    ['uploadpack.allowFilter', 'true'],
    ['gc.auto', '0'],
  ];
}

export interface BackendRequest {
  readonly folder: string;
  readonly route: GitRoute;
  readonly remoteUser: string | undefined;
  readonly limits: TransferLimits;
  readonly hooksFolder: string;
  /** Gets the server's end of the hooks' channel; only for a push. */
  readonly onChannel: (channel: Duplex) => void;
}

/**
 * Serves one request by `git http-backend` as a CGI program (git-http-backend(1), RFC 3875). Resolves when the program
 * has ended and the answer is out.
 */
export function serveByBackend(request: IncomingMessage, response: ServerResponse, options: BackendRequest): Promise<void> {
  const { folder, route, limits } = options;
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    ...gitEnvironment,
    GIT_PROJECT_ROOT: dirname(folder),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${basename(folder)}/${route.kind === 'advertise' ? 'info/refs' : route.service}`,
    QUERY_STRING: route.kind === 'advertise' ? `service=${route.service}` : '',
    REQUEST_METHOD: route.kind === 'advertise' ? 'GET' : 'POST',
    CONTENT_TYPE: plainHeader(request.headers['content-type']),
    REMOTE_ADDR: '127.0.0.1',
  };
  if (options.remoteUser !== undefined) env['REMOTE_USER'] = options.remoteUser.replace(/[^A-Za-z0-9_.@-]/g, '_').slice(0, 100);
  const protocol = plainHeader(request.headers['git-protocol']);
  if (/^[a-z0-9=:.-]{1,100}$/.test(protocol)) env['GIT_PROTOCOL'] = protocol;
  if (request.headers['content-encoding'] === 'gzip') env['HTTP_CONTENT_ENCODING'] = 'gzip';
  if (/^\d{1,15}$/.test(request.headers['content-length'] ?? '')) env['CONTENT_LENGTH'] = request.headers['content-length'] as string;
  const pairs = settings(limits, options.hooksFolder);
  env['GIT_CONFIG_COUNT'] = String(pairs.length);
  for (const [index, [key, value]] of pairs.entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  const isPush = route.kind === 'call' && route.service === 'git-receive-pack';
  return new Promise((resolve) => {
    const child = spawn('git', ['http-backend'], { env, detached: true, stdio: ['pipe', 'pipe', 'ignore', isPush ? 'pipe' : 'ignore'] });
    const [stdin, stdout] = [child.stdin as Writable, child.stdout as Readable];
    if (isPush) options.onChannel(child.stdio[3] as Duplex);
    const stop = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    };
    const fail = (status: number, text: string) => {
      if (!response.headersSent) answerText(response, status, text);
      else response.destroy();
      stop();
    };
    const timer = setTimeout(() => fail(503, `The transfer took longer than ${limits.timeoutMs / 1000} s.`), limits.timeoutMs);
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limits.maxBodyBytes) {
        request.pause();
        fail(413, `The transfer is larger than ${limits.maxBodyBytes} bytes.`);
      } else if (!stdin.write(chunk)) {
        request.pause();
        stdin.once('drain', () => request.resume());
      }
    });
    request.on('end', () => stdin.end());
    // A pusher who hangs up before the end leaves a short body, on which Git gives up by itself; after it, the push counts.
    request.on('close', () => (request.complete ? undefined : stop()));
    response.on('close', () => (isPush ? stdout.resume() : stop()));
    stdin.on('error', () => request.resume());
    pipeAnswer(stdout, response);
    child.on('error', () => fail(500, 'Git could not be started.'));
    child.on('close', () => {
      clearTimeout(timer);
      if (!response.headersSent) answerText(response, 500, 'Git ended without an answer.');
      else if (!response.writableEnded) response.end();
      resolve();
    });
  });
}

/** CGI's header block becomes the response's (RFC 3875, section 6); the body follows with back-pressure. */
function pipeAnswer(stdout: Readable, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0 && head.length < 64 * 1024) return;
    stdout.off('data', onData);
    if (response.headersSent || response.destroyed) return void stdout.resume();
    let status = 200;
    const headers: Record<string, string> = {};
    for (const line of head.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n')) {
      const colon = line.indexOf(':');
      if (colon <= 0) continue;
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10) || 500;
      else headers[name] = value;
    }
    response.writeHead(end < 0 ? 500 : status, headers);
    response.write(head.subarray(end + 4));
    stdout.pipe(response, { end: false });
  };
  stdout.on('data', onData);
}

/** A short plain answer; Git shows it behind `remote:` for some statuses. */
export function answerText(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache', ...headers });
  response.end(`${text}\n`);
}

const plainHeader = (value: string | string[] | undefined): string =>
  typeof value === 'string' && /^[\x20-\x7e]{0,200}$/.test(value) ? value : '';
