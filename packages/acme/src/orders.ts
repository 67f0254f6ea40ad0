import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, messageOf } from '@desp/runtime';
import type { Authority } from './authority.ts';
import { AcmeError } from './errors.ts';

/**
 * Asks for `http://DOMAIN/.well-known/acme-challenge/TOKEN` and returns the body. Whoever gives this function decides
 * how the name is resolved; in a rehearsal it never leaves loopback.
 */
export type FetchChallenge = (domain: string, token: string, signal: AbortSignal) => Promise<string>;

export interface Authorization {
  readonly id: string;
  readonly domain: string;
  readonly token: string;
  status: 'pending' | 'valid' | 'invalid';
  challenge: 'pending' | 'processing' | 'valid' | 'invalid';
  validated?: string;
  error?: AcmeError;
}

export interface Order {
  readonly id: string;
  readonly account: string;
  readonly names: readonly string[];
  readonly authorizations: readonly Authorization[];
  readonly expires: Date;
  /** Set while and after the certificate is made. */
  issuing?: 'processing' | 'valid' | 'invalid';
  certificate?: string;
  error?: AcmeError;
}

export interface Orders {
  create(account: string, names: readonly string[]): Order;
  /** Of that account and not expired. @throws AcmeError notFound */
  get(id: string, account: string): Order;
  authorization(id: string, account: string): { order: Order; authorization: Authorization };
  /** Begins the validation unless it was begun; returns at once. */
  validate(authorization: Authorization, thumbprint: string): void;
  finalize(order: Order, csr: Uint8Array): Promise<void>;
}

const limits = { perAccount: 300, all: 10_000, lifetimeMs: 24 * 3600_000, tries: 5, retryMs: 400, fetchMs: 5000 } as const;
const id = (): string => randomBytes(16).toString('base64url');

/** Orders live as long as the process: a client whose order is gone makes a new one. */
export function createOrders(options: { authority: Authority; fetchChallenge: FetchChallenge; clock: Clock; signal: AbortSignal }): Orders {
  const { clock, signal } = options;
  const orders = new Map<string, Order>();
  const byAuthorization = new Map<string, { order: Order; authorization: Authorization }>();
  const isLive = (order: Order): boolean => order.expires > clock.now();

  function forgetExpired(): void {
    for (const order of orders.values()) {
      if (isLive(order)) continue;
      orders.delete(order.id);
      for (const authorization of order.authorizations) byAuthorization.delete(authorization.id);
    }
  }

  function get(orderId: string, account: string): Order {
    const order = orders.get(orderId);
    if (order === undefined || order.account !== account || !isLive(order))
      throw new AcmeError('notFound', 'There is no such order of this account.');
    return order;
  }

  async function prove(authorization: Authorization, thumbprint: string): Promise<void> {
    const { domain, token } = authorization;
    let failure = new AcmeError('connection', `${domain} was not asked.`);
    for (let attempt = 0; attempt < limits.tries && !signal.aborted; attempt += 1) {
      if (attempt > 0) await clock.sleep(limits.retryMs * 2 ** (attempt - 1), signal);
      try {
        const body = await options.fetchChallenge(domain, token, AbortSignal.any([signal, AbortSignal.timeout(limits.fetchMs)]));
        if (isSame(body.trimEnd(), `${token}.${thumbprint}`)) {
          authorization.status = authorization.challenge = 'valid';
          authorization.validated = clock.now().toISOString();
          return;
        }
        failure = new AcmeError(
          'unauthorized',
          `http://${domain}/.well-known/acme-challenge/${token} does not answer with the key authorization of this account.`,
        );
      } catch (cause) {
        failure = new AcmeError(
          'connection',
          `http://${domain}/.well-known/acme-challenge/${token} could not be asked: ${messageOf(cause)}`,
          { cause },
        );
      }
    }
    authorization.error = failure;
    authorization.status = authorization.challenge = 'invalid';
  }

  return {
    get,
    create(account, names) {
      forgetExpired();
      const open = [...orders.values()].filter((order) => order.account === account).length;
      if (orders.size >= limits.all || open >= limits.perAccount)
        throw new AcmeError('rateLimited', 'Too many orders are open; they end after a day.');
      const authorizations = names.map(
        (domain): Authorization => ({
          id: id(),
          domain,
          token: randomBytes(32).toString('base64url'),
          status: 'pending',
          challenge: 'pending',
        }),
      );
      const order: Order = { id: id(), account, names, authorizations, expires: new Date(clock.now().getTime() + limits.lifetimeMs) };
      orders.set(order.id, order);
      for (const authorization of authorizations) byAuthorization.set(authorization.id, { order, authorization });
      return order;
    },
    authorization(authorizationId, account) {
      const found = byAuthorization.get(authorizationId);
      if (found === undefined) throw new AcmeError('notFound', 'There is no such authorization of this account.');
      get(found.order.id, account);
      return found;
    },
    validate(authorization, thumbprint) {
      if (authorization.challenge !== 'pending') return;
      authorization.challenge = 'processing';
      prove(authorization, thumbprint).catch((cause) => {
        authorization.error = new AcmeError('serverInternal', 'The validation was broken off.', { cause });
        authorization.status = authorization.challenge = 'invalid';
      });
    },
    async finalize(order, csr) {
      if (statusOf(order) !== 'ready') throw new AcmeError('orderNotReady', `The order is ${statusOf(order)}, not ready.`);
      order.issuing = 'processing';
      try {
        order.certificate = await options.authority.issue(csr, order.names);
        order.issuing = 'valid';
      } catch (error) {
        // A bad request does not spoil the order: the client may send a better one (RFC 8555 section 7.4).
        delete order.issuing;
        throw error;
      }
    },
  };
}

/** RFC 8555 section 7.1.6. */
export function statusOf(order: Order): 'pending' | 'ready' | 'processing' | 'valid' | 'invalid' {
  if (order.issuing !== undefined) return order.issuing;
  if (order.authorizations.some(({ status }) => status === 'invalid')) return 'invalid';
  return order.authorizations.every(({ status }) => status === 'valid') ? 'ready' : 'pending';
}

function isSame(a: string, b: string): boolean {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length === two.length && timingSafeEqual(one, two);
}
