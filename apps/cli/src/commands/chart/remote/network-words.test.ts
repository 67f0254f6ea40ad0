import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issue } from '../test-data/certificates.ts';
import { download } from './http.ts';
import { networkReason } from './network-words.ts';

/**
 * Servers that fail on loopback, each in its own way. The words are those that Helm 3.22.0 and 4.3.1 say to the same,
 * but for a connection's ports and a certificate's times.
 */

const ca = issue('ca');
const servers: Server[] = [];
const sockets = new Set<Socket>();

function open(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

const answering = (text: string): Promise<number> => open(createServer((socket) => socket.once('data', () => socket.end(text))));

const secure = (pair: ReturnType<typeof issue>, options: ServerOptions = {}): Promise<number> =>
  open(createSecureServer({ cert: pair.certificate, key: pair.key, ...options }, (_request, response) => response.end()));

let before: string | undefined;
beforeAll(() => {
  before = process.env['NO_PROXY'];
  process.env['NO_PROXY'] = '127.0.0.1,localhost';
});
afterAll(() => {
  if (before === undefined) delete process.env['NO_PROXY'];
  else process.env['NO_PROXY'] = before;
  for (const server of servers) server.close();
  for (const socket of sockets) socket.destroy();
});

async function wordsOf(url: string): Promise<string> {
  const failure = await download(url, 1000, { ca: ca.certificate }).then(
    () => new Error('nothing failed'),
    (error: unknown) => error as Error,
  );
  return failure.message;
}

describe('a server that', () => {
  const untrusted = 'tls: failed to verify certificate: x509: ';
  const toItself = { ips: ['127.0.0.1'], signer: ca };

  test.each<[string, string, () => Promise<number>, string]>([
    ['says nothing', 'http', () => open(createServer((socket) => socket.end())), 'EOF'],
    [
      'resets',
      'http',
      () => open(createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))),
      'read: connection reset by peer',
    ],
    [
      'talks nonsense',
      'http',
      () => answering('non"sense\r\n\r\n'),
      'net/http: HTTP/1.x transport connection broken: malformed HTTP response "non\\"sense"',
    ],
    ['speaks no TLS', 'https', () => answering('HTTP/1.1 200 OK\r\n\r\n'), 'http: server gave HTTP response to HTTPS client'],
    ['hangs up within the handshake', 'https', () => open(createServer((socket) => socket.end())), 'EOF'],
    [
      'is vouched for by nobody',
      'https',
      () => secure(issue('self', { ips: ['127.0.0.1'] })),
      `${untrusted}certificate signed by unknown authority`,
    ],
    [
      'is vouched for by a stranger',
      'https',
      () => secure(issue('other', { ips: ['127.0.0.1'], signer: issue('stranger') })),
      `${untrusted}certificate signed by unknown authority`,
    ],
    [
      'is another address',
      'https',
      () => secure(issue('other', { ips: ['127.0.0.2', '::1'], signer: ca })),
      `${untrusted}certificate is valid for 127.0.0.2, ::1, not 127.0.0.1`,
    ],
    [
      'has a name and no address',
      'https',
      () => secure(issue('named', { dnsNames: ['example.org'], signer: ca })),
      `${untrusted}cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs`,
    ],
    [
      'has expired',
      'https',
      () => secure(issue('old', { ...toItself, now: new Date('2020-01-01') })),
      `${untrusted}certificate has expired or is not yet valid`,
    ],
    [
      'wants a certificate',
      'https',
      () => secure(issue('strict', toItself), { requestCert: true, ca: ca.certificate }),
      'remote error: tls: certificate required',
    ],
    [
      'only knows an old TLS',
      'https',
      () => secure(issue('ancient', toItself), { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }),
      'remote error: tls: protocol version not supported',
    ],
  ])('%s', async (_what, scheme, start, words) => {
    const url = `${scheme}://127.0.0.1:${await start()}/a.tgz`;
    expect(await wordsOf(url)).toBe(`Get ${JSON.stringify(url)}: ${words}`);
  });

  test('has another name', async () => {
    const [named, unnamed] = [issue('named', { dnsNames: ['example.org', '*.example.net'], signer: ca }), issue('unnamed', toItself)];
    const [first, second] = [`https://localhost:${await secure(named)}/`, `https://localhost:${await secure(unnamed)}/`];
    expect(await wordsOf(first)).toContain(`${untrusted}certificate is valid for example.org, *.example.net, not localhost`);
    expect(await wordsOf(second)).toContain(`${untrusted}certificate is not valid for any names, but wanted to match localhost`);
  });

  test('stops half way', async () => {
    const port = await answering('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
    expect(await wordsOf(`http://127.0.0.1:${port}/a.tgz`)).toBe('unexpected EOF');
  });

  test('is not there', async () => {
    const port = await open(createServer());
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    const url = `http://127.0.0.1:${port}/a.tgz`;
    expect(await wordsOf(url)).toBe(`Get "${url}": dial tcp 127.0.0.1:${port}: connect: connection refused`);
  });
});

/** What cannot be had on loopback. */
test.each([
  [{ code: 'ECONNREFUSED', syscall: 'connect', address: '::1', port: 80 }, 'dial tcp [::1]:80: connect: connection refused'],
  [{ code: 'EHOSTUNREACH', syscall: 'connect', address: '10.0.0.1', port: 443 }, 'dial tcp 10.0.0.1:443: connect: no route to host'],
  [{ code: 'ENETUNREACH', syscall: 'connect', address: '10.0.0.1', port: 443 }, 'dial tcp 10.0.0.1:443: connect: network is unreachable'],
  [{ code: 'ETIMEDOUT', syscall: 'connect', address: '10.0.0.1', port: 443 }, 'dial tcp 10.0.0.1:443: connect: connection timed out'],
  [{ code: 'ENOTFOUND', hostname: 'nope.example' }, 'dial tcp: lookup nope.example: no such host'],
  [{ code: 'EAI_AGAIN', hostname: 'nope.example' }, 'dial tcp: lookup nope.example: Temporary failure in name resolution'],
  [{ code: 'SOMETHING' }, 'as it is'],
])('%j', (failure, words) => {
  const error = Object.assign(new Error('as it is'), failure);
  expect(networkReason(error)).toBe(words);
  expect(networkReason(new AggregateError([error, new Error('the second')]))).toBe(words);
});
