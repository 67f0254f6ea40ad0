import { DespError, type ErrorDetails } from '@desp/runtime/errors';

export type ReleaseErrorCode =
  /** An entry or a record breaks its own form. */
  | 'RECORD_INVALID'
  /** A version is no SemVer, is not higher, or cannot be decided. */
  | 'VERSION_REFUSED'
  /** A manifest names an image that no verdict of the release covers. */
  | 'IMAGE_UNCOVERED'
  | 'MANIFEST_INVALID';

export class ReleaseError extends DespError<ReleaseErrorCode> {
  constructor(code: ReleaseErrorCode, message: string, details: Partial<ErrorDetails> = {}) {
    super(code, message, { kind: 'user', ...details });
  }
}
