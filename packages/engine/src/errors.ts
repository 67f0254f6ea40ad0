import { DespError } from '@desp/runtime';

/** Every failure of this package. */
export type EngineErrorCode =
  | 'ENGINE_MISSING'
  | 'ENGINE_FAILED'
  | 'BASE_IMAGE_UNKNOWN'
  | 'BASE_IMAGE_FAILED'
  | 'DOCKERFILE_INVALID'
  | 'BUILD_FAILED'
  | 'LIMIT_REACHED'
  | 'RESULT_INVALID'
  | 'JOB_UNKNOWN'
  | 'JOB_INVALID'
  | 'CANCELED';

export class EngineError extends DespError<EngineErrorCode> {}
