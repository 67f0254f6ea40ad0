import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Clock, messageOf } from '@desp/runtime';
import { calculateJwkThumbprint, exportJWK, FlattenedSign } from 'jose';
import { z } from 'zod';
import { AcmeError, type AcmeErrorCode } from './errors.ts';

/** An ACME client for HTTP-01, as the certificate controller needs it. */
export interface AcmeClient {
  /** Registers the account, or finds it. @returns its URL */
  register(contact: readonly string[]): Promise<string>;
  /**
   * Orders a certificate and waits for it.
   *
   * @param order.csr DER
   * @param order.present makes the challenge answerable; called once a name, before the authority asks
   * @returns PEM, leaf first
   * @throws AcmeError with the authority's reason
   */
  order(order: {
    readonly names: readonly string[];
    readonly csr: Uint8Array;
    readonly onOrder?: (url: string) => Promise<void>;
    readonly present: (challenge: { domain: string; token: string; keyAuthorization: string; url: string }) => Promise<void>;
  }): Promise<string>;
}

export interface AcmeClientOptions {
  readonly directory: string;
  /** PKCS #8 PEM of an EC P-256 key. */
  readonly accountKey: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const Directory = z.object({ newNonce: z.url(), newAccount: z.url(), newOrder: z.url() });
const Problem = z.object({ type: z.string(), detail: z.string().default('') });
const OrderBody = z.object({
  status: z.string(),
  authorizations: z.array(z.url()).max(100),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: Problem.optional(),
});
const AuthorizationBody = z.object({
  status: z.string(),
  identifier: z.object({ value: z.string() }),
  challenges: z.array(
    z
      .object({ type: z.string(), url: z.url(), token: z.string().regex(/^[\w-]{1,256}$/), error: Problem.optional() })
      .partial({ token: true }),
  ),
});

const wait = { tries: 60, firstMs: 100, mostMs: 2000 } as const;
const maxAnswerBytes = 1024 * 1024;

export async function createAcmeClient(options: AcmeClientOptions): Promise<AcmeClient> {
  const { clock, signal } = options;
  const key: KeyObject = createPrivateKey(options.accountKey);
  const jwk = await exportJWK(createPublicKey(options.accountKey));
  const thumbprint = await calculateJwkThumbprint(jwk);
  let directory: z.infer<typeof Directory> | undefined;
  let account: string | undefined;
  let nonce: string | undefined;

  async function send(url: string, init: RequestInit): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(url, { ...init, redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(30_000)]) });
      const text = await response.text();
      if (text.length > maxAnswerBytes) throw new Error('the answer is too long');
      nonce = response.headers.get('replay-nonce') ?? nonce;
      return { response, text };
    } catch (cause) {
      throw new AcmeError('upstream', `${url} does not answer: ${messageOf(cause)}`, { kind: 'upstream', retryable: true, cause });
    }
  }

  async function endpoints(): Promise<z.infer<typeof Directory>> {
    directory ??= parse(Directory, (await send(options.directory, {})).text, options.directory);
    return directory;
  }

  /** A signed POST; `payload` undefined is POST-as-GET. A refused nonce is tried again, as RFC 8555 section 6.5 asks. */
  async function post(url: string, payload: unknown): Promise<{ response: Response; text: string }> {
    for (let attempt = 0; ; attempt += 1) {
      if (nonce === undefined) await send((await endpoints()).newNonce, { method: 'HEAD' });
      const used = nonce ?? '';
      nonce = undefined;
      const signed = await new FlattenedSign(Buffer.from(payload === undefined ? '' : JSON.stringify(payload)))
        .setProtectedHeader({ alg: 'ES256', nonce: used, url, ...(account === undefined ? { jwk } : { kid: account }) })
        .sign(key);
      const answer = await send(url, {
        method: 'POST',
        body: JSON.stringify(signed),
        headers: { 'content-type': 'application/jose+json' },
      });
      if (answer.response.ok) return answer;
      const problem = Problem.safeParse(tryJson(answer.text));
      const error = refused(problem.success ? problem.data : { type: '', detail: `status ${answer.response.status}` });
      if (error.code !== 'badNonce' || attempt >= 5) throw error;
    }
  }

  async function until<T extends { status: string }>(url: string, schema: z.ZodType<T>, done: readonly string[]): Promise<T> {
    let delay: number = wait.firstMs;
    for (let attempt = 0; attempt < wait.tries; attempt += 1) {
      const body = parse(schema, (await post(url, undefined)).text, url);
      if (done.includes(body.status)) return body;
      await clock.sleep(delay, signal);
      delay = Math.min(wait.mostMs, delay * 1.5);
    }
    throw new AcmeError('upstream', `${url} did not become ${done.join(' or ')} in time.`, { kind: 'upstream', retryable: true });
  }

  async function authorize(url: string, present: Parameters<AcmeClient['order']>[0]['present']): Promise<void> {
    const authorization = parse(AuthorizationBody, (await post(url, undefined)).text, url);
    if (authorization.status === 'valid') return;
    const domain = authorization.identifier.value;
    const challenge = authorization.challenges.find(({ type }) => type === 'http-01');
    if (challenge?.token === undefined) throw new AcmeError('notSupported', `The authority offers no HTTP-01 challenge for ${domain}.`);
    const { token } = challenge;
    await present({ domain, token, keyAuthorization: `${token}.${thumbprint}`, url: challenge.url });
    await post(challenge.url, {});
    const ended = await until(url, AuthorizationBody, ['valid', 'invalid']);
    const error = ended.challenges.find((one) => one.type === 'http-01')?.error;
    if (ended.status === 'invalid') throw refused(error ?? { type: '', detail: `the authorization of ${domain} failed` });
  }

  return {
    async register(contact) {
      if (account !== undefined) return account;
      const { response } = await post((await endpoints()).newAccount, { termsOfServiceAgreed: true, contact });
      account = response.headers.get('location') ?? undefined;
      if (account === undefined) throw new AcmeError('upstream', 'The authority names no account URL.', { kind: 'upstream' });
      return account;
    },
    async order({ names, csr, onOrder, present }) {
      const { response, text } = await post((await endpoints()).newOrder, { identifiers: names.map((value) => ({ type: 'dns', value })) });
      const url = response.headers.get('location') ?? '';
      await onOrder?.(url);
      const order = parse(OrderBody, text, url);
      for (const authorization of order.authorizations) await authorize(authorization, present);
      const ready = await until(url, OrderBody, ['ready', 'valid', 'invalid']);
      if (ready.status === 'ready') await post(order.finalize, { csr: Buffer.from(csr).toString('base64url') });
      const ended = await until(url, OrderBody, ['valid', 'invalid']);
      if (ended.certificate === undefined) throw refused(ended.error ?? { type: '', detail: 'the order is invalid' });
      return (await post(ended.certificate, undefined)).text;
    },
  };
}

const codes = new Set<string>([
  'accountDoesNotExist',
  'badCSR',
  'badNonce',
  'badPublicKey',
  'badSignatureAlgorithm',
  'connection',
  'malformed',
] satisfies AcmeErrorCode[]);
const moreCodes = new Set<string>([
  'orderNotReady',
  'rateLimited',
  'rejectedIdentifier',
  'unauthorized',
  'unsupportedIdentifier',
] satisfies AcmeErrorCode[]);

function refused({ type, detail }: { type: string; detail: string }): AcmeError {
  const name = type.replace('urn:ietf:params:acme:error:', '');
  const code = codes.has(name) || moreCodes.has(name) ? (name as AcmeErrorCode) : 'upstream';
  return new AcmeError(code, detail, { kind: code === 'upstream' ? 'upstream' : 'user' });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parse<T>(schema: z.ZodType<T>, text: string, url: string): T {
  const parsed = schema.safeParse(tryJson(text));
  if (!parsed.success) throw new AcmeError('upstream', `${url} answered with something that is no ACME.`, { kind: 'upstream' });
  return parsed.data;
}
