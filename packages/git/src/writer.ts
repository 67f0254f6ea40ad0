import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommitId } from '@desp/model';
import { GitError } from './errors.ts';
import { git, gitOk } from './git-command.ts';
import { zeroId } from './push.ts';
import { isRefName } from './reader.ts';
import { objectionToPath } from './tree-rules.ts';

/** Who signs a commit or tag that the platform writes, and when. */
export interface Signature {
  readonly name: string;
  readonly email: string;
  readonly at: Date;
}

const cleanName = (text: string) => text.replace(/[\u0000-\u001f<>]/g, ' ').trim() || 'unknown';
const stamp = (signature: Signature) => `${Math.trunc(signature.at.getTime() / 1000)} +0000`;

/**
 * Writes an annotated tag. A tag of that name on that commit stands already: nothing to do, whoever made it.
 * @throws GitError INVALID_REF, TAG_TAKEN when it is on another commit
 */
export async function createTag(
  folder: string,
  name: string,
  commit: CommitId,
  message: string,
  tagger: Signature,
): Promise<'created' | 'present'> {
  if (!isRefName(name)) throw new GitError('INVALID_REF', `${JSON.stringify(name.slice(0, 100))} is no tag name.`, { kind: 'user' });
  const ref = `refs/tags/${name}`;
  const standing = await commitOf(folder, ref);
  if (standing === undefined) {
    const text = `object ${CommitId.parse(commit)}\ntype commit\ntag ${name}\ntagger ${cleanName(tagger.name)} <${cleanName(tagger.email)}> ${stamp(tagger)}\n\n${message}\n`;
    const tag = (await gitOk(folder, ['mktag'], { stdin: text })).stdout.toString().trim();
    // The old value makes this a compare-and-swap: a push that came first wins, and is looked at again below.
    const updated = await git(folder, ['update-ref', '--create-reflog', '--', ref, tag, zeroId]);
    if (updated.code === 0) return 'created';
  }
  const now = standing ?? (await commitOf(folder, ref));
  if (now === commit) return 'present';
  throw new GitError('TAG_TAKEN', `Tag ${name} cannot be put on ${commit}: it is on ${now ?? 'something else'}.`, {
    kind: 'user',
    cure: 'Tags never move: choose the next version.',
  });
}

async function commitOf(folder: string, ref: string): Promise<string | undefined> {
  const found = await git(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`]);
  return found.code === 0 ? found.stdout.toString().trim() : undefined;
}

/**
 * Makes the branch's tree exactly `files` (path → content) by one commit on top of it, past all push rules: for
 * repositories that the platform itself keeps. The same tree again makes no commit.
 * @returns the branch's commit
 * @throws GitError UNSAFE_TREE, REF_MOVED (retryable) when somebody else wrote meanwhile
 */
export async function commitFiles(
  folder: string,
  branch: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  message: string,
  author: Signature,
): Promise<CommitId> {
  if (!isRefName(branch)) throw new GitError('INVALID_REF', `${JSON.stringify(branch.slice(0, 100))} is no branch name.`, { kind: 'user' });
  const ref = `refs/heads/${branch}`;
  const parent = await commitOf(folder, ref);
  const tree = await writeTree(folder, files);
  if (parent && (await gitOk(folder, ['rev-parse', '--verify', '--end-of-options', `${parent}^{tree}`])).stdout.toString().trim() === tree)
    return CommitId.parse(parent);
  const name = cleanName(author.name);
  const email = cleanName(author.email);
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: stamp(author),
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: stamp(author),
  };
  const made = await gitOk(folder, ['commit-tree', tree, ...(parent ? ['-p', parent] : []), '-F', '-'], { env, stdin: message });
  const commit = CommitId.parse(made.stdout.toString().trim());
  const updated = await git(folder, ['update-ref', '--create-reflog', '--', ref, commit, parent ?? zeroId], { env });
  if (updated.code !== 0)
    throw new GitError('REF_MOVED', `Branch ${branch} was changed by somebody else meanwhile.`, {
      kind: 'user',
      retryable: true,
      cure: 'Try again.',
    });
  await adoptDefaultBranch(folder, [ref]);
  return commit;
}

async function writeTree(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const index = join(folder, `index-${randomUUID()}`);
  const env = { GIT_INDEX_FILE: index };
  try {
    let listing = '';
    for (const [path, content] of Object.entries(files)) {
      const objection = objectionToPath(path);
      if (objection) throw new GitError('UNSAFE_TREE', `The path ${JSON.stringify(path)} ${objection}.`, { kind: 'user' });
      const blob = await gitOk(folder, ['hash-object', '-w', '--stdin', '--no-filters'], { stdin: content });
      listing += `100644 blob ${blob.stdout.toString().trim()}\t${path}\0`;
    }
    await gitOk(folder, ['update-index', '-z', '--index-info'], { env, stdin: listing });
    return (await gitOk(folder, ['write-tree'], { env })).stdout.toString().trim();
  } finally {
    await rm(index, { force: true });
  }
}

/**
 * The default branch is the first one pushed: while HEAD names no existing branch, it is set to the first of `created`.
 * Safe to repeat.
 */
export async function adoptDefaultBranch(folder: string, created: readonly string[]): Promise<void> {
  const first = created.find((ref) => ref.startsWith('refs/heads/'));
  if (first === undefined) return;
  const head = (await gitOk(folder, ['symbolic-ref', 'HEAD'])).stdout.toString().trim();
  if ((await git(folder, ['show-ref', '--verify', '--quiet', '--', head])).code === 0) return;
  await gitOk(folder, ['symbolic-ref', 'HEAD', first]);
}
