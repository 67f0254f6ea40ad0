import { DespError } from '@desp/runtime/errors';

export type CliErrorCode = 'USAGE' | 'NO_PLATFORM' | 'NOT_LOGGED_IN' | 'API' | 'REFUSED' | 'NOT_STARTED' | 'FILE';

export class CliError extends DespError<CliErrorCode> {}
