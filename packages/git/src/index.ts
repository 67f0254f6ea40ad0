export {
  createGitLabClient,
  type DesiredMember,
  type GitLabClient,
  type GitLabClientOptions,
  type GitLabGroup,
  type GitLabProject,
} from './client/gitlab-client.ts';
export { GitError, type GitErrorCode } from './errors.ts';
export type { GitAccount } from './gitlab/access.ts';
export { accessLevels, type MemberLevel, type TagLevel } from './gitlab/access-level.ts';
export { createGitHost, type GitHost, type GitHostOptions, type SeedProject } from './gitlab/host.ts';
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
