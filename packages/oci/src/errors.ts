import { DespError, type ErrorDetails } from '@desp/runtime';

/**
 * Closed list. The first block are the distribution specification's own codes (section "Error Codes"), the second
 * Harbor's, the third what only we tell apart; `server/wire.ts` maps each to a status and to the code on the wire.
 */
export type OciErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'PROJECTPOLICYVIOLATION'
  | 'PRECONDITION'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'BAD_REQUEST'
  | 'TAG_INVALID'
  | 'RANGE_INVALID'
  | 'CONTENT_TOO_LARGE'
  | 'CONTENT_MISMATCH'
  | 'STORE_DAMAGED'
  | 'STORE_FULL'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_PROTOCOL'
  | 'ARCHIVE_INVALID'
  | 'ARCHIVE_UNSAFE'
  | 'ARCHIVE_TOO_LARGE';

/** A request that another registry, or its token service, did not grant. */
export interface RefusedCall {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** In the specification's form, where the answer has it. */
  readonly errors: readonly { readonly code: string; readonly message?: string | undefined }[];
  /** Of a token service: the request that the token was for. */
  readonly wanted?: Pick<RefusedCall, 'method' | 'url'>;
}

interface OciErrorDetails extends Partial<ErrorDetails> {
  readonly headers?: Readonly<Record<string, string>>;
  readonly refused?: RefusedCall;
}

/** Every failure of this package. */
export class OciError extends DespError<OciErrorCode> {
  /** Headers that must accompany the answer: a challenge, the range that an upload stands at. */
  readonly headers: Readonly<Record<string, string>>;
  /** With an answer of another registry. */
  readonly refused: RefusedCall | undefined;

  constructor(code: OciErrorCode, message: string, details: OciErrorDetails = {}) {
    super(code, message, { kind: 'user', ...details });
    this.headers = details.headers ?? {};
    this.refused = details.refused;
  }
}
