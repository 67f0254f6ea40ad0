import { DespError, type ErrorDetails } from '@desp/runtime/errors';

/** What can go wrong in this package; whoever shows it maps the code, never the text. */
export type SecurityErrorCode =
  /** A tar or gzip stream breaks its format, or tries a path trick. */
  | 'ARCHIVE_INVALID'
  /** A stream or a file in it is larger, longer or more numerous than the limits allow. */
  | 'ARCHIVE_LIMIT'
  /** A compression or layout that nobody here can read; what it holds stays unassessed. */
  | 'ARCHIVE_UNSUPPORTED'
  /** A package database or manifest in an image cannot be read. */
  | 'CONTENT_INVALID'
  | 'ADVISORY_INVALID'
  | 'VECTOR_INVALID'
  | 'VERSION_INVALID'
  | 'POLICY_INVALID'
  | 'REPORT_INVALID'
  | 'KEY_INVALID'
  | 'ENVELOPE_INVALID'
  | 'ENVELOPE_UNTRUSTED'
  | 'JSON_INVALID';

/** A failure of this package: bad input is its sender's (`user`) unless said otherwise. */
export class SecurityError extends DespError<SecurityErrorCode> {
  constructor(code: SecurityErrorCode, message: string, details: Partial<ErrorDetails> = {}) {
    super(code, message, { kind: 'user', ...details });
  }
}
