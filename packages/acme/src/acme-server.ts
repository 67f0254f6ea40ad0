import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, type Logger, messageOf } from '@desp/runtime';
import { z } from 'zod';
import { type Account, type Accounts, openAccounts } from './accounts.ts';
import { openAuthority } from './authority.ts';
import { AcmeError } from './errors.ts';
import { checkIdentifier } from './identifiers.ts';
import { readSigned, type SignedRequest } from './jws.ts';
import { type Authorization, createOrders, type FetchChallenge, type Order, type Orders, statusOf } from './orders.ts';

export interface AcmeServerOptions {
  /** Holds the authority (mode 0600) and the accounts; made if absent. */
  readonly dataFolder: string;
  /** Names are certified below these only, such as `desp.space`. */
  readonly allowedSuffixes: readonly string[];
  readonly fetchChallenge: FetchChallenge;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AcmeServer {
  /** PEM of the root that all its certificates verify against; also at `/root.pem`. */
  readonly root: string;
  /** Port 0 takes a free one. */
  listen(at: { host: string; port: number }): Promise<{ port: number; directory: string }>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly location?: string;
  readonly text?: { readonly type: string; readonly content: string };
  readonly headers?: Readonly<Record<string, string>>;
}

const limits = { bodyBytes: 64 * 1024, nonces: 10_000, names: 100 } as const;

const NewAccount = z.object({
  contact: z.array(z.string().max(320)).max(10).default([]),
  onlyReturnExisting: z.boolean().default(false),
});
const AccountUpdate = z.object({ contact: z.array(z.string().max(320)).max(10).optional(), status: z.literal('deactivated').optional() });
const NewOrder = z.object({
  identifiers: z
    .array(z.object({ type: z.string(), value: z.string() }))
    .min(1)
    .max(limits.names),
});
const Finalize = z.object({ csr: z.string().regex(/^[A-Za-z0-9_-]+$/) });

/** The rehearsal's certificate authority: RFC 8555 with HTTP-01, as a server of its own. */
export async function createAcmeServer(options: AcmeServerOptions): Promise<AcmeServer> {
  const stopping = new AbortController();
  const authority = await openAuthority(options.dataFolder, options.clock);
  const accounts = await openAccounts(options.dataFolder);
  const orders = createOrders({ ...options, authority, signal: stopping.signal });
  const nonces = new Set<string>();
  let base = '';

  function newNonce(): string {
    const nonce = randomBytes(16).toString('base64url');
    const [oldest] = nonces;
    if (nonces.size >= limits.nonces && oldest !== undefined) nonces.delete(oldest);
    nonces.add(nonce);
    return nonce;
  }

  async function answer(request: IncomingMessage, path: string): Promise<Answer> {
    const { method } = request;
    if (method === 'GET' || method === 'HEAD') {
      if (path === '/directory') return { status: 200, body: directoryOf(base) };
      if (path === '/root.pem') return { status: 200, text: { type: 'application/x-pem-file', content: authority.root } };
      if (path === '/acme/new-nonce') return { status: method === 'HEAD' ? 200 : 204 };
    }
    if (method !== 'POST') throw new AcmeError('malformed', `${method} ${path} is not served; requests are signed POSTs.`);
    if (!(request.headers['content-type'] ?? '').startsWith('application/jose+json')) {
      throw new AcmeError('malformed', 'The content type must be application/jose+json.');
    }
    const signed = await readSigned(await readBody(request), (kid) => accountOf(kid).key);
    if (!nonces.delete(signed.nonce))
      throw new AcmeError('badNonce', 'The nonce is unknown or was used; take the new one of this answer.', { retryable: true });
    if (signed.url !== base + path)
      throw new AcmeError('unauthorized', `The request was signed for ${signed.url}, not for ${base + path}.`);
    if (path === '/acme/new-account') return newAccount(signed, accounts, base);
    if (signed.kid === undefined) throw new AcmeError('malformed', 'This request must name its account (kid).');
    return answerAccount(signed, accountOf(signed.kid), path, { accounts, orders, base, allowedSuffixes: options.allowedSuffixes });
  }

  function accountOf(kid: string): Account {
    const prefix = `${base}/acme/account/`;
    const account = kid.startsWith(prefix) ? accounts.get(kid.slice(prefix.length)) : undefined;
    if (account === undefined) throw new AcmeError('accountDoesNotExist', 'There is no such account; register it.');
    if (account.status !== 'valid') throw new AcmeError('unauthorized', 'The account was deactivated.');
    return account;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let given: Answer;
    try {
      given = await answer(request, (request.url ?? '').split('?')[0] ?? '');
    } catch (error) {
      const known =
        error instanceof AcmeError
          ? error
          : new AcmeError('serverInternal', 'The certificate authority failed.', { kind: 'bug', cause: error });
      if (known.kind === 'bug') options.log.error({ error: messageOf(error) }, 'an ACME request failed');
      const problem = known.problem();
      given = { status: problem.status, text: { type: 'application/problem+json', content: JSON.stringify(problem) } };
    }
    const text = given.text ?? { type: 'application/json', content: given.body === undefined ? '' : JSON.stringify(given.body) };
    response.writeHead(given.status, {
      'content-type': text.type,
      'replay-nonce': newNonce(),
      'cache-control': 'no-store',
      link: `<${base}/directory>;rel="index"`,
      ...given.headers,
      ...(given.location === undefined ? {} : { location: given.location }),
    });
    response.end(request.method === 'HEAD' ? undefined : text.content);
  }

  const server = createServer((request, response) => void serve(request, response));
  server.requestTimeout = 30_000;
  return {
    root: authority.root,
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          const at = (server.address() as AddressInfo).port;
          base = `http://${host}:${at}`;
          resolve({ port: at, directory: `${base}/directory` });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        stopping.abort(new Error('the certificate authority stops'));
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function directoryOf(base: string): object {
  return {
    newNonce: `${base}/acme/new-nonce`,
    newAccount: `${base}/acme/new-account`,
    newOrder: `${base}/acme/new-order`,
    revokeCert: `${base}/acme/revoke-cert`,
    keyChange: `${base}/acme/key-change`,
    meta: { website: `${base}/root.pem`, externalAccountRequired: false },
  };
}

async function newAccount(signed: SignedRequest, accounts: Accounts, base: string): Promise<Answer> {
  const wish = payloadOf(NewAccount, signed);
  if (signed.kid !== undefined) throw new AcmeError('malformed', 'A new account brings its key (jwk).');
  const known = accounts.get(signed.thumbprint);
  if (known?.status === 'deactivated') throw new AcmeError('unauthorized', 'The account was deactivated.');
  if (known === undefined && wish.onlyReturnExisting) throw new AcmeError('accountDoesNotExist', 'There is no account with this key.');
  const account: Account = known ?? { id: signed.thumbprint, key: signed.key, contact: wish.contact, status: 'valid' };
  if (known === undefined) await accounts.put(account);
  return { status: known === undefined ? 201 : 200, body: accountBody(account), location: `${base}/acme/account/${account.id}` };
}

const accountBody = ({ status, contact }: Account): object => ({ status, contact });

interface Room {
  readonly accounts: Accounts;
  readonly orders: Orders;
  readonly base: string;
  readonly allowedSuffixes: readonly string[];
}

async function answerAccount(signed: SignedRequest, account: Account, path: string, room: Room): Promise<Answer> {
  const { orders, base } = room;
  const [, kind = '', id = '', action = ''] = /^\/acme\/([a-z-]+)(?:\/([\w-]+)(?:\/([a-z]+))?)?$/.exec(path) ?? [];
  switch (`${kind}${action === '' ? '' : `/${action}`}`) {
    case 'account': {
      if (id !== account.id) throw new AcmeError('unauthorized', 'This is not your account.');
      const changes = signed.payload === undefined ? {} : payloadOf(AccountUpdate, signed);
      const changed: Account = { ...account, contact: changes.contact ?? account.contact, status: changes.status ?? account.status };
      if (signed.payload !== undefined) await room.accounts.put(changed);
      return { status: 200, body: accountBody(changed) };
    }
    case 'new-order': {
      const { identifiers } = payloadOf(NewOrder, signed);
      const names = [...new Set(identifiers.map(({ type, value }) => checkIdentifier(type, value, room.allowedSuffixes)))];
      const order = orders.create(account.id, names);
      return { status: 201, body: orderBody(order, base), location: `${base}/acme/order/${order.id}` };
    }
    case 'order':
      return { status: 200, body: orderBody(orders.get(id, account.id), base) };
    case 'order/finalize': {
      const order = orders.get(id, account.id);
      await orders.finalize(order, Buffer.from(payloadOf(Finalize, signed).csr, 'base64url'));
      return { status: 200, body: orderBody(order, base), location: `${base}/acme/order/${order.id}` };
    }
    case 'certificate': {
      const { certificate } = orders.get(id, account.id);
      if (certificate === undefined) throw new AcmeError('notFound', 'This order has no certificate.');
      return { status: 200, text: { type: 'application/pem-certificate-chain', content: certificate } };
    }
    case 'authorization':
      return { status: 200, body: authorizationBody(orders.authorization(id, account.id), base) };
    case 'challenge': {
      const found = orders.authorization(id, account.id);
      if (signed.payload !== undefined) orders.validate(found.authorization, signed.thumbprint);
      const up = `<${base}/acme/authorization/${id}>;rel="up"`;
      return { status: 200, body: challengeBody(found.authorization, base), headers: { link: up } };
    }
    case 'revoke-cert':
    case 'key-change':
      throw new AcmeError('notSupported', `${kind} is not done by the rehearsal's certificate authority.`);
    default:
      throw new AcmeError('notFound', `${path} is not served.`);
  }
}

function orderBody(order: Order, base: string): object {
  const failed = order.authorizations.find(({ error }) => error !== undefined)?.error;
  return {
    status: statusOf(order),
    expires: order.expires.toISOString(),
    identifiers: order.names.map((value) => ({ type: 'dns', value })),
    authorizations: order.authorizations.map(({ id }) => `${base}/acme/authorization/${id}`),
    finalize: `${base}/acme/order/${order.id}/finalize`,
    ...(order.certificate === undefined ? {} : { certificate: `${base}/acme/certificate/${order.id}` }),
    ...(failed === undefined ? {} : { error: failed.problem() }),
  };
}

function authorizationBody({ order, authorization }: { order: Order; authorization: Authorization }, base: string): object {
  return {
    status: authorization.status,
    expires: order.expires.toISOString(),
    identifier: { type: 'dns', value: authorization.domain },
    challenges: [challengeBody(authorization, base)],
  };
}

function challengeBody({ id, token, challenge, validated, error }: Authorization, base: string): object {
  return {
    type: 'http-01',
    url: `${base}/acme/challenge/${id}`,
    token,
    status: challenge,
    ...(validated === undefined ? {} : { validated }),
    ...(error === undefined ? {} : { error: error.problem() }),
  };
}

function payloadOf<T>(schema: z.ZodType<T>, signed: SignedRequest): T {
  const parsed = schema.safeParse(signed.payload);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AcmeError('malformed', `The payload's ${issue?.path.join('.') || 'shape'} is not right: ${issue?.message}`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    size += (piece as Buffer).length;
    if (size > limits.bodyBytes) throw new AcmeError('malformed', `The request is larger than ${limits.bodyBytes} bytes.`);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString('utf8');
}
