export { type DataFolder, leastFreeBytes, openDataFolder, writeFileDurably } from './data-folder.ts';
export { type Database, openDatabase, type Sql, type SqlTransaction } from './database.ts';
export { createJobs, type Jobs, type QueueOptions, type SendOptions } from './jobs.ts';
export type { Schema } from './schema.ts';
export { StorageError, type StorageErrorCode } from './storage-error.ts';
