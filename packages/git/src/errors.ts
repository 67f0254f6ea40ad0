import { DespError } from '@desp/runtime';

/** Every failure of this package. */
export type GitErrorCode =
  | 'GIT_MISSING'
  | 'GIT_FAILED'
  | 'INVALID_PATH'
  | 'INVALID_REF'
  | 'REPOSITORY_EXISTS'
  | 'REPOSITORY_NOT_FOUND'
  | 'REF_NOT_FOUND'
  | 'OBJECT_NOT_FOUND'
  | 'TOO_LARGE'
  | 'UNSAFE_TREE'
  | 'TAG_TAKEN'
  | 'REF_MOVED'
  | 'TABLE_UNREADABLE'
  | 'HOST_UNREACHABLE'
  | 'HOST_REFUSED'
  | 'HOST_PROTOCOL';

export class GitError extends DespError<GitErrorCode> {}
