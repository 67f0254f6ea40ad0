import { DespError } from '@desp/runtime/errors';

/** `PROFILE_UNKNOWN`: no profile has this name. `PROFILE_INVALID`: its data are malformed. `ENVIRONMENT_UNKNOWN`: the profile has no such environment. `REPOSITORY_TOO_LARGE`: more files or bytes than a check reads. */
export type ProcedureErrorCode = 'PROFILE_UNKNOWN' | 'PROFILE_INVALID' | 'ENVIRONMENT_UNKNOWN' | 'REPOSITORY_TOO_LARGE';

export class ProcedureError extends DespError<ProcedureErrorCode> {
  constructor(code: ProcedureErrorCode, message: string, cure: string) {
    super(code, message, { kind: 'user', cure });
  }
}
