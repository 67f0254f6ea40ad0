import { registerSecret } from '@desp/runtime';
import { z } from 'zod';
import { OciError, type RefusedCall } from '../errors.ts';
import { type HttpConnections, readAnswer } from './http.ts';
import { refusedCall } from './refused.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
}

const TokenReply = z.object({ token: z.string().optional(), access_token: z.string().optional(), expires_in: z.number().optional() });

interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** `Scheme key="value",…` (RFC 9110, section 11.6.1), as far as registries use it. */
export function parseChallenge(header: string): Challenge | undefined {
  const [, scheme, rest = ''] = /^\s*([A-Za-z]+)\s*(.{0,4096})$/.exec(header) ?? [];
  if (!scheme) return undefined;
  const parameters: Record<string, string> = {};
  for (const [, key = '', quoted, plain] of rest.matchAll(/([a-zA-Z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters[key.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
  }
  return { scheme: scheme.toLowerCase(), parameters };
}

/**
 * Answers a registry's challenges: Basic, or a token per scope from the service that the challenge names.
 *
 * A password goes to the registry's own origin and to the token service that this origin names, never in clear text when
 * the registry itself is encrypted, and never along a redirect.
 */
export class Credentials {
  readonly #registry: URL;
  readonly #credentials: RegistryCredentials | undefined;
  readonly #connections: HttpConnections;
  readonly #tokens = new Map<string, { header: string; until: number }>();
  #basic = false;

  constructor(registry: URL, credentials: RegistryCredentials | undefined, connections: HttpConnections) {
    this.#registry = registry;
    this.#credentials = credentials;
    this.#connections = connections;
    if (credentials) registerSecret(credentials.password);
  }

  #basicHeader(): string | undefined {
    return this.#credentials && `Basic ${Buffer.from(`${this.#credentials.username}:${this.#credentials.password}`).toString('base64')}`;
  }

  /** The header to begin with, if one is known to be right for these scopes. */
  known(scopes: readonly string[]): string | undefined {
    if (this.#basic) return this.#basicHeader();
    const token = this.#tokens.get(scopes.join(' '));
    return token && token.until > performance.now() ? token.header : undefined;
  }

  /** The header that answers a 401, or undefined when we have nothing (else) to show. */
  async answer(
    challenges: string | undefined,
    scopes: readonly string[],
    signal?: AbortSignal,
    wanted?: RefusedCall['wanted'],
  ): Promise<string | undefined> {
    const challenge = parseChallenge(challenges ?? '');
    if (challenge?.scheme === 'basic') {
      if (this.#basic) return undefined;
      this.#basic = this.#credentials !== undefined;
      return this.#basicHeader();
    }
    if (challenge?.scheme !== 'bearer') return undefined;
    return this.#fetchToken(challenge, scopes, signal, wanted);
  }

  async #fetchToken(
    { parameters }: Challenge,
    scopes: readonly string[],
    signal?: AbortSignal,
    wanted?: RefusedCall['wanted'],
  ): Promise<string> {
    const protocolError = (why: string, cause?: unknown) =>
      new OciError('UPSTREAM_PROTOCOL', `The registry ${this.#registry.origin} ${why}.`, { kind: 'upstream', cause });
    if (!URL.canParse(parameters['realm'] ?? '')) throw protocolError('names no token service in its challenge');
    const realm = new URL(parameters['realm']!);
    if (!['http:', 'https:'].includes(realm.protocol)) throw protocolError(`names a token service of the kind ${realm.protocol}`);
    if (this.#registry.protocol === 'https:' && realm.protocol !== 'https:')
      throw protocolError('is encrypted but names a token service that is not');
    if (parameters['service']) realm.searchParams.set('service', parameters['service']);
    const asked = scopes.length > 0 ? scopes : (parameters['scope'] ?? '').split(' ').filter(Boolean);
    for (const scope of asked) realm.searchParams.append('scope', scope);
    const basic = this.#basicHeader();
    if (this.#credentials) realm.searchParams.set('account', this.#credentials.username);
    const answer = await this.#connections.call({ method: 'GET', url: realm, headers: basic ? { authorization: basic } : {}, signal });
    const body = await readAnswer(answer, 1024 * 1024);
    if (answer.status !== 200) {
      throw new OciError('UNAUTHORIZED', `The token service of ${this.#registry.origin} refused the credentials (${answer.status}).`, {
        cure: 'Log in with a valid account, robot or token.',
        refused: refusedCall(answer, body.toString('utf8'), wanted),
      });
    }
    let reply: z.infer<typeof TokenReply>;
    try {
      reply = TokenReply.parse(JSON.parse(body.toString('utf8')));
    } catch (cause) {
      throw protocolError('has a token service that does not answer with a token', cause);
    }
    const token = reply.token ?? reply.access_token;
    if (!token || !/^[\x21-\x7e]+$/.test(token)) throw protocolError('has a token service that does not answer with a token');
    registerSecret(token);
    const header = `Bearer ${token}`;
    // A token that is nearly over would fail in the middle of a long push.
    const seconds = Math.max(0, (reply.expires_in ?? 60) - 10);
    this.#tokens.set(scopes.join(' '), { header, until: performance.now() + seconds * 1000 });
    return header;
  }
}
