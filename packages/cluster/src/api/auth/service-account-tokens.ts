import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@desp/runtime';
import {
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import { ApiError } from '../errors.ts';
import { type ApiObject, at, isRecord, numberAt, textAt, textsAt, timestamp } from '../object.ts';
import { writePrivate } from '../private-file.ts';
import type { Store } from '../store/store.ts';
import type { UserInfo } from '../types.ts';

/** Tokens of ServiceAccounts: signed here, bound to uids, worthless once the account or the bound pod is gone. */

export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';
const algorithm = 'ES256';
const keyFile = 'service-account.key';

interface BoundObject {
  readonly kind: 'Pod' | 'Secret';
  readonly name: string;
  readonly uid: string;
}

export class ServiceAccountTokens {
  #key: CryptoKey;
  #publicKey: CryptoKey;
  #jwk: JWK;
  #store: Store;
  #clock: Clock;

  private constructor(key: CryptoKey, publicKey: CryptoKey, jwk: JWK, store: Store, clock: Clock) {
    this.#key = key;
    this.#publicKey = publicKey;
    this.#jwk = jwk;
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads the signing key of the data folder, or makes one (mode 0600). */
  static async open(dataFolder: string, store: Store, clock: Clock): Promise<ServiceAccountTokens> {
    const file = join(dataFolder, keyFile);
    let pem = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (pem === undefined) {
      pem = await exportPKCS8((await generateKeyPair(algorithm, { extractable: true })).privateKey);
      await writePrivate(file, pem);
    }
    const key = await importPKCS8(pem, algorithm, { extractable: true });
    const { d: _private, ...publicKey } = await exportJWK(key);
    const jwk: JWK = { ...publicKey, use: 'sig', alg: algorithm, kid: await calculateJwkThumbprint(publicKey) };
    return new ServiceAccountTokens(key, (await importJWK(jwk, algorithm)) as CryptoKey, jwk, store, clock);
  }

  /** `/openid/v1/jwks` */
  keySet(): { keys: JWK[] } {
    return { keys: [this.#jwk] };
  }

  /** `/.well-known/openid-configuration` */
  configuration(url: string): object {
    return {
      issuer: serviceAccountIssuer,
      jwks_uri: `${url}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [algorithm],
    };
  }

  /**
   * Answers a TokenRequest on a ServiceAccount.
   * @throws ApiError Invalid, NotFound, Conflict
   */
  async issue(account: ApiObject, request: unknown): Promise<ApiObject> {
    const { name, namespace = '', uid = '' } = account.metadata;
    const requested = numberAt(request, 'spec', 'expirationSeconds') ?? 3600;
    if (!Number.isInteger(requested) || requested < 600) {
      const message = `TokenRequest.authentication.k8s.io "${name}" is invalid: spec.expirationSeconds: Invalid value: ${requested}: may not specify a duration less than 10 minutes`;
      throw new ApiError('Invalid', message);
    }
    const lifetime = Math.min(requested, 24 * 3600);
    const asked = textsAt(request, 'spec', 'audiences');
    const audiences = asked.length === 0 ? [serviceAccountIssuer] : asked;
    const bound = this.#bound(namespace, name, request);
    const now = Math.floor(this.#clock.now().getTime() / 1000);
    const token = await new SignJWT({
      'kubernetes.io': {
        namespace,
        serviceaccount: { name, uid },
        ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
      },
    })
      .setProtectedHeader({ alg: algorithm, kid: this.#jwk.kid })
      .setIssuer(serviceAccountIssuer)
      .setSubject(`system:serviceaccount:${namespace}:${name}`)
      .setAudience(audiences)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(now + lifetime)
      .setJti(randomUUID())
      .sign(this.#key);
    return {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: timestamp(this.#clock.now()) },
      spec: {
        audiences,
        expirationSeconds: lifetime,
        boundObjectRef: isRecord(at(request, 'spec', 'boundObjectRef')) ? at(request, 'spec', 'boundObjectRef') : null,
      },
      status: { token, expirationTimestamp: timestamp(new Date((now + lifetime) * 1000)) },
    };
  }

  #bound(namespace: string, account: string, request: unknown): BoundObject | undefined {
    const reference = at(request, 'spec', 'boundObjectRef');
    if (!isRecord(reference)) return undefined;
    const kind = textAt(reference, 'kind');
    const name = textAt(reference, 'name') ?? '';
    if (kind !== 'Pod' && kind !== 'Secret') {
      throw new ApiError('BadRequest', `cannot bind token to object of type ${String(kind)}: only Pod and Secret are supported`);
    }
    const object = this.#store.get(kind === 'Pod' ? 'pods' : 'secrets', namespace, name);
    if (object === undefined)
      throw new ApiError('NotFound', `${kind.toLowerCase()}s "${name}" not found`, { name, kind: `${kind.toLowerCase()}s` });
    const uid = textAt(reference, 'uid');
    if (uid && uid !== object.metadata.uid) {
      throw new ApiError(
        'Conflict',
        `the UID in the bound object reference (${uid}) does not match the UID in record (${object.metadata.uid})`,
      );
    }
    if (kind === 'Pod' && (textAt(object, 'spec', 'serviceAccountName') ?? 'default') !== account) {
      throw new ApiError(
        'BadRequest',
        `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name`,
      );
    }
    return { kind, name, uid: object.metadata.uid ?? '' };
  }

  /**
   * Who a token stands for, or undefined when it is none of ours, expired, for another audience, or revoked.
   * @param audiences one of these must be in the token; default: this server
   */
  async verify(
    token: string,
    audiences: readonly string[] = [serviceAccountIssuer],
  ): Promise<{ user: UserInfo; audiences: string[] } | undefined> {
    if (token.split('.').length !== 3 || token.length > 8192) return undefined;
    let claims: Record<string, unknown>;
    try {
      const verified = await jwtVerify(token, this.#publicKey, {
        issuer: serviceAccountIssuer,
        algorithms: [algorithm],
        audience: [...audiences],
        currentDate: this.#clock.now(),
        requiredClaims: ['exp', 'sub'],
      });
      claims = verified.payload;
    } catch {
      return undefined;
    }
    const user = this.#userOf(claims);
    const inToken = Array.isArray(claims['aud']) ? claims['aud'].map(String) : [String(claims['aud'])];
    return user && { user, audiences: audiences.filter((audience) => inToken.includes(audience)) };
  }

  #userOf(claims: Record<string, unknown>): UserInfo | undefined {
    const own = claims['kubernetes.io'];
    const namespace = textAt(own, 'namespace') ?? '';
    const name = textAt(own, 'serviceaccount', 'name') ?? '';
    const uid = textAt(own, 'serviceaccount', 'uid') ?? '';
    const account = this.#store.get('serviceaccounts', namespace, name);
    if (account === undefined || account.metadata.uid !== uid) return undefined;
    const extra: Record<string, readonly string[]> = { 'authentication.kubernetes.io/credential-id': [`JTI=${String(claims['jti'])}`] };
    for (const [claim, storage] of [
      ['pod', 'pods'],
      ['secret', 'secrets'],
    ] as const) {
      const bound = at(own, claim);
      if (bound === undefined) continue;
      const boundName = textAt(bound, 'name') ?? '';
      if (this.#store.get(storage, namespace, boundName)?.metadata.uid !== textAt(bound, 'uid')) return undefined;
      if (claim === 'pod') {
        extra['authentication.kubernetes.io/pod-name'] = [boundName];
        extra['authentication.kubernetes.io/pod-uid'] = [textAt(bound, 'uid') ?? ''];
      }
    }
    return {
      username: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      extra,
    };
  }
}

/** SHA-256, for comparing secrets of any length in constant time. */
export const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
