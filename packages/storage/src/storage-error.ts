import { DespError } from '@desp/runtime';

/** Everything that storage refuses or cannot do. */
export type StorageErrorCode =
  | 'DATA_FOLDER_IN_USE'
  | 'DATA_FOLDER_NOT_USABLE'
  | 'DISK_FULL'
  | 'DATABASE_UNREACHABLE'
  | 'DATABASE_TOO_OLD'
  | 'DATABASE_TOO_NEW'
  | 'MIGRATION_CHANGED'
  | 'CONFLICT'
  | 'NOT_FOUND';

export class StorageError extends DespError<StorageErrorCode> {}
