import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { mask, messageOf } from '@desp/runtime';
import { HelmError } from '../helm-command.ts';
import type { Login } from './credentials.ts';
import { networkReason } from './network-words.ts';
import { proxySettings } from './proxy.ts';
import type { TlsSettings } from './tls-files.ts';

/** How a server is trusted and who we are to it. */
export interface Connection extends Partial<TlsSettings> {
  readonly login?: Login | undefined;
  /** The only origin that sees the login, unless `everywhere`. */
  readonly origin?: string;
  readonly everywhere?: boolean;
}

const maxRedirects = 10;
const idleMs = 30_000;
const totalMs = 300_000;

/**
 * Downloads over HTTP into memory.
 *
 * A login goes to its own origin only, also along redirects; a redirect never leads from an encrypted address to one
 * that is not, nor to another scheme than http and https. Time and size are bounded.
 *
 * @throws HelmError
 */
export async function download(address: string, limit: number, connection: Connection = {}): Promise<Buffer> {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new HelmError(`could not find protocol handler for: ${address.split(':')[0] ?? ''}`);
  const signal = AbortSignal.timeout(totalMs);
  let url = new URL(address);
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const answer = await call(url, connection, signal);
    const { location } = answer.headers;
    if ([301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) && location !== undefined) {
      answer.destroy();
      url = nextAddress(url, location);
      continue;
    }
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new HelmError(`failed to fetch ${shown(url)} : ${answer.statusCode} ${answer.statusMessage}`);
    }
    return read(answer, limit, url);
  }
  throw new HelmError(`Get ${JSON.stringify(shown(url))}: stopped after ${maxRedirects} redirects`);
}

function nextAddress(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new HelmError(`failed to fetch ${shown(from)} : it redirects to what is no address`);
  const next = new URL(location, from);
  if (next.protocol !== 'https:' && next.protocol !== 'http:')
    throw new HelmError(`failed to fetch ${shown(from)} : it redirects to ${next.protocol}//, which is not followed`);
  if (from.protocol === 'https:' && next.protocol !== 'https:')
    throw new HelmError(`failed to fetch ${shown(from)} : it redirects to ${shown(next)}, which is not encrypted`);
  return next;
}

/** An address without what may be secret in it. */
const shown = (url: URL): string => mask(`${url.origin}${url.pathname}`);

function call(url: URL, connection: Connection, signal: AbortSignal): Promise<IncomingMessage> {
  const { login, origin, everywhere, ca, cert, key, insecure } = connection;
  const headers: Record<string, string> = { 'user-agent': 'desp', accept: '*/*' };
  if (login && (everywhere || origin === url.origin))
    headers['authorization'] = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const isSecure = url.protocol === 'https:';
  const proxy = proxySettings(url, process.env);
  const agent = isSecure
    ? new HttpsAgent({
        ...proxy,
        ...(ca ? { ca } : {}),
        ...(cert && key ? { cert, key } : {}),
        ...(insecure ? { rejectUnauthorized: false } : {}),
      })
    : new HttpAgent(proxy);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new HelmError(`Get ${JSON.stringify(shown(url))}: ${proxy.proxyEnv ? 'proxyconnect tcp: ' : ''}${mask(networkReason(cause))}`),
      );
    const request = (isSecure ? httpsRequest : httpRequest)(url, { headers, agent, signal }, resolve);
    request.setTimeout(idleMs, () => request.destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
    request.on('error', fail);
    request.end();
  });
}

async function read(answer: IncomingMessage, limit: number, url: URL): Promise<Buffer> {
  const tooLarge = (): HelmError => new HelmError(`failed to fetch ${shown(url)} : it is larger than ${limit} bytes`);
  if (Number(answer.headers['content-length'] ?? 0) > limit) {
    answer.destroy();
    throw tooLarge();
  }
  const pieces: Buffer[] = [];
  let total = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      total += piece.length;
      if (total > limit) throw tooLarge();
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof HelmError) throw error;
    // Nothing more comes: the server has gone before it had sent what it announced.
    throw new HelmError(messageOf(error) === 'aborted' ? 'unexpected EOF' : `failed to fetch ${shown(url)} : ${messageOf(error)}`);
  } finally {
    answer.destroy();
  }
  return Buffer.concat(pieces);
}
