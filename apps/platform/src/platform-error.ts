import { DespError } from '@desp/runtime';

/** What the control plane refuses or cannot do; `api/problem.ts` says which HTTP status each becomes. */
export type PlatformErrorCode =
  | 'NOT_FOUND'
  | 'NOT_ALLOWED'
  | 'NOT_AUTHENTICATED'
  | 'INVALID'
  | 'CONFLICT'
  | 'GATE_CLOSED'
  | 'NOT_BUILT'
  | 'NO_ENGINE'
  | 'UNAVAILABLE'
  | 'CONFIG';

export class PlatformError extends DespError<PlatformErrorCode> {}
