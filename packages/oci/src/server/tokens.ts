import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@desp/runtime';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { RegistryAction, RegistryPrincipal } from './types.ts';

/** Seconds that a token lives; clients ask anew for each run. */
export const tokenSeconds = 300;

const actions = z.enum(['pull', 'push', 'delete', '*']);
const Claims = z.object({
  principal: z.object({ kind: z.enum(['person', 'job', 'robot', 'platform']), name: z.string() }),
  access: z.array(z.object({ type: z.string(), name: z.string(), actions: z.array(actions) })),
  exp: z.number(),
});

/** One entry of a token's `access` (distribution's token specification, "Docker Registry v2 authentication"). */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly (RegistryAction | '*')[];
}

export interface TokenClaims {
  readonly principal: RegistryPrincipal;
  readonly access: readonly Access[];
}

/** Reads the signing key of the store's folder, or makes it (Ed25519, PKCS #8, mode 0600). */
async function signingKey(folder: string): Promise<KeyObject> {
  const path = join(folder, 'token-key.pem');
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known) return createPrivateKey(known);
  const { privateKey } = generateKeyPairSync('ed25519');
  const handle = await open(`${path}.new`, 'w', 0o600);
  await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await handle.sync();
  await handle.close();
  await rename(`${path}.new`, path);
  return privateKey;
}

/** Signs and checks the tokens of one registry; a token of another registry of the same store is refused by its audience. */
export class Tokens {
  readonly #clock: Clock;
  readonly #audience: string;
  readonly #issuer = 'desp-registry-token';
  readonly #key: KeyObject;
  readonly #publicKey: KeyObject;
  /** Checked tokens by their hash: a push of many small blobs shows the same one at every request. */
  readonly #checked = new Map<string, TokenClaims & { exp: number }>();

  private constructor(clock: Clock, registry: string, key: KeyObject) {
    this.#clock = clock;
    this.#audience = `harbor-registry/${registry}`;
    this.#key = key;
    this.#publicKey = createPublicKey(key);
  }

  static async open(folder: string, registry: string, clock: Clock): Promise<Tokens> {
    return new Tokens(clock, registry, await signingKey(folder));
  }

  async issue(principal: RegistryPrincipal, access: readonly Access[]): Promise<{ token: string; issuedAt: Date }> {
    const issuedAt = this.#clock.now();
    const seconds = Math.floor(issuedAt.getTime() / 1000);
    const token = await new SignJWT({ principal: { kind: principal.kind, name: principal.name }, access })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
      .setIssuer(this.#issuer)
      .setSubject(principal.name)
      .setAudience(this.#audience)
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + tokenSeconds)
      .sign(this.#key);
    return { token, issuedAt };
  }

  /** What the token grants, or undefined when it is not ours, not for this registry, or over. */
  async check(token: string): Promise<TokenClaims | undefined> {
    const now = this.#clock.now();
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#checked.get(key);
    if (known) return known.exp * 1000 > now.getTime() ? known : undefined;
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: ['EdDSA'],
        issuer: this.#issuer,
        audience: this.#audience,
        currentDate: now,
        clockTolerance: 0,
      });
      const claims = Claims.parse(payload);
      if (this.#checked.size >= 1000) this.#checked.clear();
      this.#checked.set(key, claims);
      return claims;
    } catch {
      return undefined;
    }
  }
}
