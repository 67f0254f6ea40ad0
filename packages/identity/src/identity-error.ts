import { DespError } from '@desp/runtime';

/** What identity refuses or cannot do. That somebody is nobody, or may not, is no error here: it is an answer. */
export type IdentityErrorCode = 'TOO_MANY_TRIES' | 'PROVIDER_UNREACHABLE' | 'KEYS';

export class IdentityError extends DespError<IdentityErrorCode> {}
