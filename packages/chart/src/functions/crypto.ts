/**
 * The cryptography that template functions need, synchronous as templates are. Node's comes from `@desp/chart/node`;
 * a browser passes a library of its own. Functions that need one which is not given fail by saying so.
 */
export interface Crypto {
  /** Cryptographically random bytes. */
  randomBytes(length: number): Uint8Array;
  digest?(algorithm: 'sha1' | 'sha256' | 'sha512', data: Uint8Array): Uint8Array;
  /** AES-256-CBC of whole blocks, without padding. */
  aes256cbc?(direction: 'encrypt' | 'decrypt', key: Uint8Array, iv: Uint8Array, data: Uint8Array): Uint8Array;
  scrypt?(password: Uint8Array, salt: Uint8Array, cost: number, blockSize: number, parallelism: number, length: number): Uint8Array;
  hmacSha256?(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Keys and certificates as PEM. */
  certificates?: Certificates;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly ips: readonly string[];
  readonly dnsNames: readonly string[];
  readonly days: number;
  readonly isCa: boolean;
  readonly now: Date;
  /** PEM of the key to certify; a new RSA-2048 key where absent. */
  readonly key?: string;
  /** The signer; self-signed where absent. */
  readonly signer?: { readonly certificate: string; readonly key: string };
}

export interface Certificates {
  generateKey(type: string): string;
  /** Throws with the reason where the PEM text is no private key. */
  checkKey(key: string): void;
  issue(request: CertificateRequest): { certificate: string; key: string };
  /** Throws with the reason where the PEM texts are no certificate and key. */
  check(certificate: string, key: string): void;
}

/** Randomness of the platform and nothing else: what every JavaScript runtime has. */
export const platformCrypto: Crypto = {
  randomBytes(length) {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 65_536) globalThis.crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
    return bytes;
  },
};
