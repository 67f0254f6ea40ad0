import { fromBase64, ownBytes, toBase64, toHex } from '../encoding.ts';
import { SecurityError } from '../errors.ts';

/**
 * Signing keys, through WebCrypto: ECDSA on P-256 with SHA-256 (signatures as DER, which is what DSSE's other
 * implementations and OpenSSL use) or Ed25519. A key's ID is the SHA-256 of its SubjectPublicKeyInfo, in hex.
 */
export type KeyAlgorithm = 'ecdsa-p256' | 'ed25519';

export interface Signer {
  readonly keyId: string;
  sign(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

export interface Verifier {
  readonly keyId: string;
  verify(data: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

export interface KeyPairPem {
  /** PKCS#8 (RFC 5958); a secret. */
  readonly privateKey: string;
  /** SubjectPublicKeyInfo (RFC 5280). */
  readonly publicKey: string;
  readonly keyId: string;
}

interface Parameters {
  readonly key: { readonly name: string; readonly namedCurve?: string };
  readonly signature: { readonly name: string; readonly hash?: string };
}

const parameters: Readonly<Record<KeyAlgorithm, Parameters>> = {
  'ecdsa-p256': { key: { name: 'ECDSA', namedCurve: 'P-256' }, signature: { name: 'ECDSA', hash: 'SHA-256' } },
  ed25519: { key: { name: 'Ed25519' }, signature: { name: 'Ed25519' } },
};

const toPem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${(toBase64(new Uint8Array(der)).match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

function fromPem(label: string, pem: string): Uint8Array<ArrayBuffer> {
  const match = new RegExp(`^\\s*-----BEGIN ${label}-----\\r?\\n([A-Za-z0-9+/=\\r\\n]{1,4096})-----END ${label}-----\\s*$`).exec(pem);
  if (!match) throw new SecurityError('KEY_INVALID', `The key is no PEM text of one "${label}".`);
  try {
    return fromBase64((match[1] as string).replace(/[\r\n]/g, ''));
  } catch (cause) {
    throw new SecurityError('KEY_INVALID', `The PEM text of the "${label}" cannot be decoded.`, { cause });
  }
}

const keyIdOf = async (spki: Uint8Array<ArrayBuffer>): Promise<string> =>
  toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', spki)));

/** A new key pair as PEM texts. */
export async function generateKeyPair(algorithm: KeyAlgorithm = 'ecdsa-p256'): Promise<KeyPairPem> {
  const pair = (await crypto.subtle.generateKey(parameters[algorithm].key, true, ['sign', 'verify'])) as CryptoKeyPair;
  const spki = await crypto.subtle.exportKey('spki', pair.publicKey);
  return {
    privateKey: toPem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', pair.privateKey)),
    publicKey: toPem('PUBLIC KEY', spki),
    keyId: await keyIdOf(new Uint8Array(spki)),
  };
}

async function importAny(
  format: 'pkcs8' | 'spki',
  der: Uint8Array<ArrayBuffer>,
  extractable: boolean,
): Promise<{ key: CryptoKey; algorithm: KeyAlgorithm }> {
  for (const algorithm of ['ecdsa-p256', 'ed25519'] as const) {
    try {
      const key = await crypto.subtle.importKey(format, der, parameters[algorithm].key, extractable, [
        format === 'spki' ? 'verify' : 'sign',
      ]);
      return { key, algorithm };
    } catch {
      // The next algorithm may take it.
    }
  }
  throw new SecurityError('KEY_INVALID', 'The key is neither ECDSA on P-256 nor Ed25519.', {
    cure: 'Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  });
}

/** A verifier from a public key's PEM text. */
export async function importPublicKey(pem: string): Promise<Verifier> {
  const spki = fromPem('PUBLIC KEY', pem);
  const { key, algorithm } = await importAny('spki', spki, true);
  return {
    // From the exported form, so that one key has one ID whatever encoding it came in.
    keyId: await keyIdOf(new Uint8Array(await crypto.subtle.exportKey('spki', key))),
    async verify(data, signature) {
      const raw = algorithm === 'ecdsa-p256' ? derToRaw(signature) : signature;
      return raw !== undefined && (await crypto.subtle.verify(parameters[algorithm].signature, key, ownBytes(raw), ownBytes(data)));
    },
  };
}

/** A signer from a pair's PEM texts; fails unless they belong together. */
export async function importKeyPair(pair: Pick<KeyPairPem, 'privateKey' | 'publicKey'>): Promise<Signer & Verifier> {
  const verifier = await importPublicKey(pair.publicKey);
  const { key, algorithm } = await importAny('pkcs8', fromPem('PRIVATE KEY', pair.privateKey), false);
  const sign = async (data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> => {
    const raw = new Uint8Array(await crypto.subtle.sign(parameters[algorithm].signature, key, ownBytes(data)));
    return algorithm === 'ecdsa-p256' ? rawToDer(raw) : raw;
  };
  const probe = new Uint8Array(32);
  if (!(await verifier.verify(probe, await sign(probe)))) {
    throw new SecurityError('KEY_INVALID', 'The private key and the public key do not belong together.');
  }
  return { keyId: verifier.keyId, verify: verifier.verify, sign };
}

const half = 32;

/** WebCrypto's r and s, 32 bytes each, as `Ecdsa-Sig-Value` (RFC 3279, section 2.2.3). */
function rawToDer(raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const integer = (bytes: Uint8Array): number[] => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start++;
    const body = [...bytes.subarray(start)];
    if ((body[0] as number) & 0x80) body.unshift(0);
    return [0x02, body.length, ...body];
  };
  const body = [...integer(raw.subarray(0, half)), ...integer(raw.subarray(half))];
  return new Uint8Array([0x30, body.length, ...body]);
}

/** The reverse, for exactly the encoding that DER allows; undefined for anything else. */
function derToRaw(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const raw = new Uint8Array(2 * half);
  if (der.length < 8 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  let at = 2;
  for (const end of [half, 2 * half]) {
    const length = der[at + 1];
    if (der[at] !== 0x02 || length === undefined || length < 1 || length > half + 1 || at + 2 + length > der.length) return undefined;
    let body = der.subarray(at + 2, at + 2 + length);
    if ((body[0] as number) & 0x80) return undefined;
    if (body.length > 1 && body[0] === 0) {
      if (((body[1] as number) & 0x80) === 0) return undefined;
      body = body.subarray(1);
    }
    if (body.length > half) return undefined;
    raw.set(body, end - body.length);
    at += 2 + length;
  }
  return at === der.length ? raw : undefined;
}
