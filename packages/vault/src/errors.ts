import { DespError, type ErrorDetails } from '@desp/runtime';

export type VaultErrorCode =
  | 'INVALID_REQUEST'
  | 'PERMISSION_DENIED'
  | 'NOT_FOUND'
  | 'UNSUPPORTED_OPERATION'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_LARGE'
  | 'POLICY_INVALID'
  | 'STORE_DAMAGED'
  | 'UPSTREAM_UNREACHABLE'
  | 'UPSTREAM_REFUSED'
  | 'UPSTREAM_PROTOCOL';

/** Every failure of this package. On the server's side the message is the very text of Vault's answer. */
export class VaultError extends DespError<VaultErrorCode> {
  /** The HTTP status that a client saw, or that the server will send when it is not the code's usual one. */
  readonly status: number | undefined;
  /** What the answer's `errors` said, word for word; on a client's side only. */
  readonly answered: readonly string[];

  constructor(
    code: VaultErrorCode,
    message: string,
    details: Partial<ErrorDetails> & { status?: number; answered?: readonly string[] } = {},
  ) {
    super(code, message, { kind: 'user', ...details });
    this.status = details.status;
    this.answered = details.answered ?? [];
  }
}

/** Vault's rendering of a list with one error (go-multierror), to the letter: tools match on it. */
export const oneError = (text: string): string => `1 error occurred:\n\t* ${text}\n\n`;

export const permissionDenied = (): VaultError => new VaultError('PERMISSION_DENIED', oneError('permission denied'));
export const invalidRequest = (text: string): VaultError => new VaultError('INVALID_REQUEST', text);
export const unsupportedOperation = (): VaultError => new VaultError('UNSUPPORTED_OPERATION', oneError('unsupported operation'));
/** Vault's 404 has an empty list of errors. */
export const notFound = (text = ''): VaultError => new VaultError('NOT_FOUND', text);
