import { DespError } from '@desp/runtime';

export type IdentityErrorCode =
  | 'NOT_ALLOWED'
  | 'NOT_AUTHENTICATED'
  | 'UNKNOWN_PERSON'
  | 'TOO_MANY_TRIES'
  | 'EXPIRED'
  | 'PROVIDER_UNREACHABLE';

export class IdentityError extends DespError<IdentityErrorCode> {}
