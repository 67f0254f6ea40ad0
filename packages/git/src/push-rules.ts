import { parseSemVer } from '@desp/model';
import { acceptPush, type PushDecision, type RefUpdate, rejectPush } from './push.ts';

/** The rules that the host keeps whatever the platform's own policy says; the words are GitLab's. */
export interface ProtectionRules {
  /** Who may create tags that are SemVer versions: everybody with write access, or the platform alone (which writes past HTTP). */
  readonly versionTags: 'writers' | 'platform';
  /** Branches besides the default one that keep their history. */
  readonly protectedBranches: readonly string[];
}

export const standardRules: ProtectionRules = { versionTags: 'writers', protectedBranches: [] };

const branchPrefix = 'refs/heads/';
const tagPrefix = 'refs/tags/';

function judgeUpdate(update: RefUpdate, defaultBranch: string | undefined, rules: ProtectionRules): string | undefined {
  if (update.ref.startsWith(tagPrefix)) {
    if (update.kind === 'update') return 'Protected tags cannot be updated.';
    if (update.kind === 'delete') return 'Protected tags cannot be deleted.';
    const version = parseSemVer(update.ref.slice(tagPrefix.length));
    if (version && rules.versionTags === 'platform') return 'You are not allowed to create this tag as it is protected.';
    return undefined;
  }
  if (!update.ref.startsWith(branchPrefix)) return `You can push branches and tags only, not ${update.ref}.`;
  const branch = update.ref.slice(branchPrefix.length);
  if (branch === defaultBranch && update.kind === 'delete') return 'The default branch of a project cannot be deleted.';
  if (branch !== defaultBranch && !rules.protectedBranches.includes(branch)) return undefined;
  if (update.kind === 'delete') return 'You are not allowed to delete protected branches from this project.';
  if (update.forced) return 'You are not allowed to force push code to a protected branch on this project.';
  return undefined;
}

/** One wrong update rejects the whole push: a push either counts or does not. */
export function judgePush(updates: readonly RefUpdate[], defaultBranch: string | undefined, rules: ProtectionRules): PushDecision {
  for (const update of updates) {
    const objection = judgeUpdate(update, defaultBranch, rules);
    if (objection) return rejectPush(`GitLab: ${objection}`);
  }
  return acceptPush;
}
