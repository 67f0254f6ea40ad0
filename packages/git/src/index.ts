export { GitError, type GitErrorCode } from './errors.ts';
export { standardTransferLimits, type TransferLimits } from './http-backend.ts';
export {
  acceptPush,
  type GitPrincipal,
  type Push,
  type PushDecision,
  type ReceivedPush,
  type RefUpdate,
  rejectPush,
  zeroId,
} from './push.ts';
export { type ProtectionRules, standardRules } from './push-rules.ts';
export { type CommitEntry, type Ref, RepositoryReader, type TreeEntry, type TreeLimits } from './reader.ts';
export { isRepositoryPath, parseRepositoryPath, type RepositoryPath } from './repository-path.ts';
export { createGitServer, type GitAccess, type GitServer, type GitServerOptions } from './server.ts';
export type { Signature } from './writer.ts';
