import { randomBytes } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerPlainly, socketAnswer } from './answers.ts';
import type { ProxySettings } from './types.ts';

/** One request to one upstream, streamed both ways. */

export interface Destination {
  readonly address: string;
  readonly port: number;
  /** Path and query to ask for. */
  readonly target: string;
  readonly settings: ProxySettings;
  /** The port and scheme by which the client came. */
  readonly publicPort: number;
  readonly scheme: 'http' | 'https';
}

/** RFC 9110 section 7.6.1, and what only this connection may say. */
const hopByHop = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ],
]);

function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/));
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value;
  }
  return kept;
}

/** As ingress-nginx: what a client claims about its way is replaced by what we know. */
function forwardedHeaders(request: IncomingMessage, destination: Destination): Record<string, string | string[]> {
  const client = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[\w.-]{1,128}$/.test(given) ? given : randomBytes(16).toString('hex');
  return {
    ...endToEnd(request.headers),
    'x-request-id': id,
    'x-real-ip': client,
    'x-forwarded-for': client,
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-port': String(destination.publicPort),
    'x-forwarded-proto': destination.scheme,
    'x-forwarded-scheme': destination.scheme,
    'x-scheme': destination.scheme,
  };
}

function open(request: IncomingMessage, destination: Destination, headers: Record<string, string | string[]>): ClientRequest {
  const { address, port, target, settings } = destination;
  const outgoing = httpRequest({
    host: address,
    port,
    method: request.method ?? 'GET',
    path: target,
    headers,
    agent: false,
    setHost: false,
  });
  outgoing.on('socket', (socket) => {
    const timer = setTimeout(() => outgoing.destroy(new UpstreamTimeout('connect')), settings.connectTimeoutMs);
    const settle = () => clearTimeout(timer);
    socket.once('connect', settle).once('close', settle);
  });
  return outgoing;
}

class UpstreamTimeout extends Error {}

/** Answers the request with what the upstream says; 413, 502 or 504 where that fails before an answer began. */
export function forward(request: IncomingMessage, response: ServerResponse, destination: Destination): void {
  const { settings } = destination;
  const limit = settings.maxBodyBytes;
  if (limit > 0 && Number(request.headers['content-length'] ?? 0) > limit) {
    tooLarge(request, response, limit);
    return;
  }
  const headers = forwardedHeaders(request, destination);
  // Without a length the body is passed on in pieces.
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  const outgoing = open(request, destination, headers);
  let received = 0;

  request.setTimeout(settings.sendTimeoutMs);
  // From here on the upstream is who may be slow; a client that reads slowly makes it wait, and meets its time.
  request.on('end', () => request.setTimeout(0));
  request.on('data', (piece: Buffer) => {
    received += piece.length;
    if (limit === 0 || received <= limit) return;
    outgoing.destroy();
    tooLarge(request, response, limit);
  });
  request.pipe(outgoing);
  request.on('aborted', () => outgoing.destroy());
  response.on('close', () => outgoing.destroy());

  outgoing.setTimeout(settings.readTimeoutMs, () => outgoing.destroy(new UpstreamTimeout('read')));
  outgoing.on('error', (error) => {
    if (response.headersSent) response.destroy();
    else if (error instanceof UpstreamTimeout) answerPlainly(response, 504, 'The service did not answer in time.');
    else answerPlainly(response, 502, 'The service could not be reached, or broke off before it answered.');
  });
  // Interim answers such as 100 Continue are Node's own affair; an upgrade that was not asked for is none.
  outgoing.on('upgrade', (_answer, socket) => {
    socket.destroy();
    answerPlainly(response, 502, 'The service switched protocols without being asked.');
  });
  outgoing.on('response', (answer) => {
    if (response.headersSent || response.destroyed) return answer.destroy();
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.headers));
    answer.on('error', () => response.destroy());
    answer.on('aborted', () => response.destroy());
    answer.pipe(response);
    return undefined;
  });
}

function tooLarge(request: IncomingMessage, response: ServerResponse, limit: number): void {
  request.unpipe();
  if (!response.headersSent) response.setHeader('connection', 'close');
  answerPlainly(response, 413, `The request is larger than ${limit} bytes, which is what the Ingress allows (proxy-body-size).`);
  request.resume();
}

/** Passes a protocol switch (WebSocket) through, and then bytes in both directions. */
export function forwardUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, destination: Destination): void {
  const headers = { ...forwardedHeaders(request, destination), connection: 'Upgrade', upgrade: request.headers.upgrade ?? '' };
  const outgoing = open(request, destination, headers);
  const failed = (status: number, text: string) => socket.end(socketAnswer(status, text));
  socket.on('error', () => outgoing.destroy());
  socket.on('close', () => outgoing.destroy());
  outgoing.setTimeout(destination.settings.readTimeoutMs, () => outgoing.destroy(new UpstreamTimeout('read')));
  outgoing.on('error', (error) =>
    error instanceof UpstreamTimeout
      ? failed(504, 'The service did not answer in time.')
      : failed(502, 'The service could not be reached.'),
  );
  outgoing.on('response', (answer) => {
    // It declined: its answer goes back and the connection ends.
    socket.write(rawHead(answer, { ...endToEnd(answer.headers), connection: 'close' }));
    answer.pipe(socket);
  });
  outgoing.on('upgrade', (answer, upstream, upstreamHead) => {
    outgoing.setTimeout(0);
    socket.write(rawHead(answer, { ...endToEnd(answer.headers), connection: 'Upgrade', upgrade: answer.headers.upgrade ?? '' }));
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstream.write(head);
    const end = () => {
      socket.destroy();
      upstream.destroy();
    };
    upstream.setTimeout(destination.settings.readTimeoutMs, end);
    upstream.on('error', end).on('close', end);
    socket.on('error', end).on('close', end);
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  outgoing.end();
}

function rawHead(answer: IncomingMessage, headers: Record<string, string | string[]>): string {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
  return [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`, ...lines, '', ''].join('\r\n');
}
