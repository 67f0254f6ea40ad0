import { type Clock, messageOf } from '@desp/runtime';
import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { IdentityError } from '../identity-error.ts';

/** Whom a token speaks of; what that person may do is in our own records. */
export interface Subject {
  readonly issuer: string;
  readonly subject: string;
}

export interface AccessTokens {
  /**
   * The subject of an access token that the issuer signed for us and that is not over; undefined for any other text.
   *
   * @throws IdentityError PROVIDER_UNREACHABLE when the issuer's keys cannot be had: nobody is let in then.
   */
  verify(token: string): Promise<Subject | undefined>;
}

export interface AccessTokenOptions {
  readonly issuer: string;
  /** What `aud` must hold: at Keycloak an audience mapper adds it. */
  readonly audience: string;
  readonly clock: Clock;
  readonly fetch?: typeof fetch;
}

const longestToken = 8_192;
const fetchTimeoutMs = 5_000;
const mostBytes = 256 * 1024;
const clockToleranceSeconds = 5;
/** How long a failed discovery is taken as the answer, so that a flood of tokens makes no flood of requests. */
const retryAfterMs = 5_000;
const discoverAgainMs = 600_000;
/** Asymmetric only: with `HS256` a public key would pass as the secret (RFC 8725, section 2.1). */
const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];
/** RFC 9068 asks for `at+jwt`; Keycloak still writes `JWT`. The audience keeps ID tokens out. */
const types = [undefined, 'at+jwt', 'application/at+jwt', 'JWT'];

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * Verifies the access tokens of one issuer by its discovery document and key set (OpenID Connect Discovery 1.0, RFC 7517),
 * whoever runs it: the embedded provider is asked over HTTP as Keycloak is.
 */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { issuer, audience, clock } = options;
  const get = bounded(options.fetch ?? fetch);
  let known: { keys: Promise<JWTVerifyGetKey>; until: number } | undefined;

  const discover = async (): Promise<JWTVerifyGetKey> => {
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await get(address, { signal: AbortSignal.timeout(fetchTimeoutMs), redirect: 'error' });
    if (!response.ok) throw new Error(`${address} answered ${response.status}`);
    const document = Discovery.parse(await response.json());
    // Discovery 1.0, section 4.3: else one issuer could pass its keys off as another's.
    if (document.issuer !== issuer) throw new Error(`${address} speaks for ${document.issuer.slice(0, 200)}`);
    return createRemoteJWKSet(new URL(document.jwks_uri), {
      timeoutDuration: fetchTimeoutMs,
      cooldownDuration: 30_000,
      cacheMaxAge: discoverAgainMs,
      [customFetch]: get,
    });
  };
  const keys = (): Promise<JWTVerifyGetKey> => {
    if (!known || known.until <= clock.monotonic()) {
      const attempt = { keys: discover(), until: Number.POSITIVE_INFINITY };
      const keep = (ms: number) => () => {
        attempt.until = clock.monotonic() + ms;
      };
      attempt.keys.then(keep(discoverAgainMs), keep(retryAfterMs));
      known = attempt;
    }
    return known.keys;
  };
  const unreachable = (cause: unknown) =>
    new IdentityError('PROVIDER_UNREACHABLE', `The identity provider ${issuer} could not be asked for its keys: ${messageOf(cause)}`, {
      kind: 'upstream',
      retryable: true,
      cure: 'Check that it runs and that identity.issuer in desp.config.yaml is its address.',
      cause,
    });

  return {
    async verify(token) {
      if (token.length > longestToken || issuerOf(token) !== issuer) return undefined;
      let keySet: JWTVerifyGetKey;
      try {
        keySet = await keys();
      } catch (cause) {
        throw unreachable(cause);
      }
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keySet, {
          issuer,
          audience,
          algorithms,
          requiredClaims: ['sub', 'exp'],
          currentDate: clock.now(),
          clockTolerance: clockToleranceSeconds,
        });
        return types.includes(protectedHeader.typ) && payload.sub ? { issuer, subject: payload.sub } : undefined;
      } catch (cause) {
        if (cause instanceof errors.JOSEError && !unreachableCodes.has(cause.code)) return undefined;
        throw unreachable(cause);
      }
    },
  };
}

/** Codes of jose that tell of the key set's server, not of the token. */
const unreachableCodes: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID']);

/** Read before anything is believed or fetched: a text that does not even claim to be the issuer's costs nothing. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

/** `fetch` whose answers end at a size: what a wrong address sends must not fill the memory. */
function bounded(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += (chunk as Uint8Array).length;
      if (size > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
      chunks.push(chunk as Uint8Array);
    }
    return new Response(Buffer.concat(chunks), { status: response.status, headers: response.headers });
  };
}
