import { DespError } from '@desp/runtime';
import type { Cause } from './types.ts';

/**
 * `TOO_DEEP`, `TOO_LARGE`: the input passes a limit (answer 400 or 413). `MALFORMED`: it is not what its media type says (400).
 * `TYPE_MISMATCH`: a field has another type than the schema's (400; 422 for patches). `PATCH_NOT_APPLICABLE`: a path is missing or a
 * test failed (422). `APPLY_CONFLICT`: other managers own what was applied (409, with causes). `APPLY_INVALID`: the configuration
 * cannot be applied (400). `UNSUPPORTED`: a protobuf kind we have no table for (415).
 */
export type SchemaErrorCode =
  | 'TOO_DEEP'
  | 'TOO_LARGE'
  | 'MALFORMED'
  | 'TYPE_MISMATCH'
  | 'PATCH_NOT_APPLICABLE'
  | 'APPLY_CONFLICT'
  | 'APPLY_INVALID'
  | 'UNSUPPORTED';

/** Input that cannot be taken; `message` is Kubernetes' own wording where it has one, ready for a Status. */
export class SchemaError extends DespError<SchemaErrorCode> {
  /** For `details.causes` of the Status; empty where there are none. */
  readonly causes: readonly Cause[];

  constructor(code: SchemaErrorCode, message: string, details: { cure?: string; causes?: readonly Cause[]; cause?: unknown } = {}) {
    super(code, message, { kind: 'user', cure: details.cure ?? 'Correct the request and send it again.', cause: details.cause });
    this.causes = details.causes ?? [];
  }
}
