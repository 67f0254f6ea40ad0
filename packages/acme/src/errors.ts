import { DespError, type ErrorDetails } from '@desp/runtime';

/** The error types of RFC 8555 section 6.7 that we use, and four of our own. */
export type AcmeErrorCode =
  | 'accountDoesNotExist'
  | 'badCSR'
  | 'badNonce'
  | 'badPublicKey'
  | 'badSignatureAlgorithm'
  | 'connection'
  | 'incorrectResponse'
  | 'malformed'
  | 'orderNotReady'
  | 'rateLimited'
  | 'rejectedIdentifier'
  | 'serverInternal'
  | 'unauthorized'
  | 'unsupportedIdentifier'
  | 'notFound'
  | 'notSupported'
  | 'storeDamaged'
  | 'upstream';

const statuses: Partial<Record<AcmeErrorCode, number>> = {
  unauthorized: 403,
  orderNotReady: 403,
  rateLimited: 429,
  rejectedIdentifier: 400,
  serverInternal: 500,
  storeDamaged: 500,
  notFound: 404,
  notSupported: 501,
};

/** A refusal of the CA, on either side of the wire. */
export class AcmeError extends DespError<AcmeErrorCode> {
  constructor(code: AcmeErrorCode, message: string, details: Partial<ErrorDetails> = {}) {
    super(code, message, { kind: 'user', ...details });
  }

  get status(): number {
    return statuses[this.code] ?? 400;
  }

  /** RFC 7807, as RFC 8555 section 6.7 wants it. */
  problem(): { type: string; detail: string; status: number } {
    const known =
      this.code === 'notFound' ? 'malformed' : this.code === 'notSupported' || this.code === 'storeDamaged' ? 'serverInternal' : this.code;
    return { type: `urn:ietf:params:acme:error:${known}`, detail: this.message, status: this.status };
  }
}
