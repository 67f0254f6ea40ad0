import type { RepositoryReader } from './reader.ts';
import type { RepositoryPath } from './repository-path.ts';

/** One ref that a push changes; `zeroId` stands for "is not there" (githooks(5), pre-receive). */
export interface RefUpdate {
  readonly ref: string;
  readonly old: string;
  readonly new: string;
  readonly kind: 'create' | 'update' | 'delete';
  /** True when a branch's old commit is no ancestor of the new one, or a tag is moved. */
  readonly forced: boolean;
}

export const zeroId = '0'.repeat(40);

/** Who pushes; `name` appears in Git's reflog and in our log. */
export interface GitPrincipal {
  readonly name: string;
}

/** A push before it counts: `reader` sees the new objects in their quarantine (git-receive-pack(1)). */
export interface Push<Principal extends GitPrincipal> {
  readonly repository: RepositoryPath;
  readonly principal: Principal;
  readonly updates: readonly RefUpdate[];
  readonly defaultBranch: string | undefined;
  readonly reader: RepositoryReader;
}

export type PushDecision = { readonly kind: 'accept' } | { readonly kind: 'reject'; readonly message: string };

export const acceptPush: PushDecision = { kind: 'accept' };
export const rejectPush = (message: string): PushDecision => ({ kind: 'reject', message });

/** What was pushed and now stands. `principal` is the pusher's name: the person may be gone when a notice is repeated. */
export interface ReceivedPush {
  readonly repository: RepositoryPath;
  readonly principal: string;
  readonly updates: readonly RefUpdate[];
}
