import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { CommitId } from '@desp/model';
import { GitError } from './errors.ts';
import { git, gitEnvironment, gitOk } from './git-command.ts';
import { findCollision, objectionToPath } from './tree-rules.ts';

export interface TreeEntry {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'executable' | 'symlink' | 'submodule';
  /** Bytes; 0 for a submodule. */
  readonly size: number;
  readonly oid: string;
}

export interface Ref {
  readonly name: string;
  /** The object that the ref names: a tag object for an annotated tag. */
  readonly oid: string;
  /** The commit behind it, where there is one. */
  readonly commit: CommitId | undefined;
}

export interface CommitEntry {
  readonly id: CommitId;
  readonly author: string;
  readonly email: string;
  readonly committedAt: Date;
  /** The message's first line. */
  readonly title: string;
}

export interface TreeLimits {
  readonly maxEntries: number;
  /** Bytes of all files together. */
  readonly maxBytes: number;
}

const treeLimits: TreeLimits = { maxEntries: 50_000, maxBytes: 1024 * 1024 * 1024 };
const kinds: Readonly<Record<string, TreeEntry['kind']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
};
/**
 * Attributes in `info/attributes` outrank those in a tree (gitattributes(5)): an archive holds every file, byte by byte,
 * whatever `export-ignore`, `export-subst`, `eol` or `ident` a repository asks for. What the gate looks at is what is there.
 */
const archiveAttributes = '* -export-ignore -export-subst -text -eol -ident -filter -working-tree-encoding\n';

/** Reads a bare repository by Git's plumbing; nothing is ever checked out, hooks and filters never run. */
export class RepositoryReader {
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  /** `environment` carries a push's quarantine; empty otherwise. */
  constructor(folder: string, environment: Readonly<Record<string, string>> = {}) {
    this.#folder = folder;
    this.#environment = environment;
  }

  /**
   * The commit behind a full id, `HEAD`, a full ref name, a branch or a tag.
   * @throws GitError INVALID_REF, REF_NOT_FOUND
   */
  async resolve(ref: string): Promise<CommitId> {
    if (!isRefName(ref))
      throw new GitError('INVALID_REF', `${JSON.stringify(ref.slice(0, 100))} is no name of a ref or commit.`, { kind: 'user' });
    const found = await git(this.#folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], {
      env: this.#environment,
    });
    const id = CommitId.safeParse(found.stdout.toString().trim());
    if (found.code !== 0 || !id.success)
      throw new GitError('REF_NOT_FOUND', `There is no branch, tag or commit ${ref} in the repository.`, {
        kind: 'user',
        cure: 'Push it, or name another one.',
      });
    return id.data;
  }

  /** Every branch and tag, by name. */
  async listRefs(): Promise<Ref[]> {
    const format = '%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(*objecttype)';
    const { stdout } = await gitOk(this.#folder, ['for-each-ref', `--format=${format}`], { env: this.#environment });
    return lines(stdout).map((line) => {
      const [name = '', oid = '', type, peeled, peeledType] = line.split('\0');
      const commit = type === 'commit' ? oid : peeledType === 'commit' ? peeled : undefined;
      return { name, oid, commit: commit === undefined ? undefined : CommitId.parse(commit) };
    });
  }

  /** The branch that HEAD names, when it exists. */
  async defaultBranch(): Promise<string | undefined> {
    const { stdout } = await gitOk(this.#folder, ['symbolic-ref', 'HEAD']);
    const ref = stdout.toString().trim();
    const exists = (await git(this.#folder, ['show-ref', '--verify', '--quiet', '--', ref])).code === 0;
    return exists && ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
  }

  /** The tags on a commit, annotated or not, by name. */
  async tagsOn(commit: CommitId): Promise<string[]> {
    const { stdout } = await gitOk(this.#folder, [
      'for-each-ref',
      `--points-at=${CommitId.parse(commit)}`,
      '--format=%(refname:strip=2)',
      'refs/tags',
    ]);
    return lines(stdout);
  }

  /** True when `ancestor` is `descendant` or lies before it. */
  async isAncestor(ancestor: CommitId, descendant: CommitId): Promise<boolean> {
    const { code, stderr } = await git(
      this.#folder,
      ['merge-base', '--is-ancestor', '--end-of-options', CommitId.parse(ancestor), CommitId.parse(descendant)],
      { env: this.#environment },
    );
    if (code > 1)
      throw new GitError('OBJECT_NOT_FOUND', `Commits ${ancestor} and ${descendant} cannot be compared: ${stderr.trim()}`, {
        kind: 'user',
      });
    return code === 0;
  }

  /** The newest `limit` commits from `commit` back (at most 1,000). */
  async log(commit: CommitId, limit = 20): Promise<CommitEntry[]> {
    const count = Math.min(Math.max(1, Math.trunc(limit)), 1000);
    const format = '%H%x00%an%x00%ae%x00%ct%x00%s%x1e';
    const { stdout } = await gitOk(
      this.#folder,
      ['log', `--max-count=${count}`, `--format=${format}`, '--no-show-signature', '--end-of-options', CommitId.parse(commit)],
      { env: this.#environment },
    );
    return stdout
      .toString()
      .split('\x1e')
      .map((record) => record.replace(/^\n/, '').split('\0'))
      .filter((parts) => parts.length === 5)
      .map(([id, author = '', email = '', seconds, title = '']) => ({
        id: CommitId.parse(id),
        author,
        email,
        committedAt: new Date(Number(seconds) * 1000),
        title,
      }));
  }

  /**
   * Every file of a commit, or of one folder of it, in Git's order.
   * @throws GitError UNSAFE_TREE when a path is not the same on every file system; TOO_LARGE; OBJECT_NOT_FOUND
   */
  async readTree(commit: CommitId, path = '', limits: TreeLimits = treeLimits): Promise<TreeEntry[]> {
    const folder = folderPath(path);
    const treeish = folder === '' ? CommitId.parse(commit) : `${CommitId.parse(commit)}:${folder}`;
    const listed = await git(this.#folder, ['ls-tree', '-r', '-l', '-z', '--full-tree', treeish], {
      env: this.#environment,
      maxBytes: 64 * 1024 * 1024,
    });
    if (listed.code !== 0) throw notFound(commit, folder);
    const entries = parseTree(listed.stdout, folder === '' ? '' : `${folder}/`);
    if (entries.length > limits.maxEntries)
      throw new GitError('TOO_LARGE', `Commit ${commit} holds ${entries.length} files; the limit is ${limits.maxEntries}.`, {
        kind: 'user',
      });
    const bytes = entries.reduce((sum, entry) => sum + entry.size, 0);
    if (bytes > limits.maxBytes)
      throw new GitError('TOO_LARGE', `The files of commit ${commit} take ${bytes} bytes; the limit is ${limits.maxBytes}.`, {
        kind: 'user',
      });
    for (const entry of entries) {
      const objection = objectionToPath(entry.path);
      if (objection) throw unsafe(commit, `the path ${JSON.stringify(entry.path.slice(0, 200))} ${objection}`);
    }
    const collision = findCollision(entries.map((entry) => entry.path));
    if (collision) throw unsafe(commit, `${JSON.stringify(collision[0])} and ${JSON.stringify(collision[1])} are one on some file systems`);
    return entries;
  }

  /**
   * A file's bytes. A symlink is no file: it is reported by `readTree` and followed by nobody.
   * @throws GitError OBJECT_NOT_FOUND, TOO_LARGE
   */
  async readFile(commit: CommitId, path: string, maxBytes = 4 * 1024 * 1024): Promise<Buffer> {
    if (objectionToPath(path)) throw notFound(commit, path);
    const listed = await git(this.#folder, ['ls-tree', '-l', '-z', '--full-tree', CommitId.parse(commit), '--', path], {
      env: this.#environment,
    });
    const entry = listed.code === 0 ? parseTree(listed.stdout, '').find((candidate) => candidate.path === path) : undefined;
    if (!entry || (entry.kind !== 'file' && entry.kind !== 'executable')) throw notFound(commit, path);
    if (entry.size > maxBytes)
      throw new GitError('TOO_LARGE', `File ${path} of commit ${commit} has ${entry.size} bytes; the limit is ${maxBytes}.`, {
        kind: 'user',
      });
    const { stdout } = await gitOk(this.#folder, ['cat-file', 'blob', entry.oid], { env: this.#environment, maxBytes: maxBytes + 1 });
    return stdout;
  }

  /**
   * The bytes of entries of `readTree`, by one Git process; what is no file is left out.
   * @throws GitError TOO_LARGE when they take more than `maxBytes` together
   */
  async readFiles(entries: readonly TreeEntry[], maxBytes: number): Promise<{ path: string; data: Buffer }[]> {
    const files = entries.filter((entry) => entry.kind === 'file' || entry.kind === 'executable');
    const bytes = files.reduce((sum, entry) => sum + entry.size, 0);
    if (bytes > maxBytes) throw new GitError('TOO_LARGE', `The files take ${bytes} bytes; the limit is ${maxBytes}.`, { kind: 'user' });
    if (files.length === 0) return [];
    const { stdout } = await gitOk(this.#folder, ['cat-file', '--batch', '--buffer'], {
      env: this.#environment,
      stdin: files.map((entry) => `${entry.oid}\n`).join(''),
      maxBytes: bytes + files.length * 128,
    });
    // Each object: `OID blob SIZE`, a line break, the bytes, a line break (git-cat-file(1), batch output).
    let at = 0;
    return files.map(({ path, oid }) => {
      const end = stdout.indexOf(10, at);
      const [found, type, size] = stdout.subarray(at, end).toString('latin1').split(' ');
      if (found !== oid || type !== 'blob')
        throw new GitError('OBJECT_NOT_FOUND', `The content of ${path} is not in the repository.`, { kind: 'upstream' });
      const data = stdout.subarray(end + 1, end + 1 + Number(size));
      at = end + 2 + Number(size);
      return { path, data };
    });
  }

  /**
   * The commit's files as a tar stream (pax, the commit's time on each, its id in the global header); with `path`, only
   * that folder, under its full name. The tree is checked first, as `readTree` does.
   */
  async archive(commit: CommitId, path = '', limits: TreeLimits = treeLimits): Promise<Readable> {
    await this.readTree(commit, path, limits);
    await mkdir(join(this.#folder, 'info'), { recursive: true });
    await writeFile(join(this.#folder, 'info', 'attributes'), archiveAttributes);
    const folder = folderPath(path);
    const child = spawn(
      'git',
      [`--git-dir=${this.#folder}`, 'archive', '--format=tar', CommitId.parse(commit), ...(folder === '' ? [] : ['--', folder])],
      { env: { PATH: process.env['PATH'], ...gitEnvironment, ...this.#environment }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const out = new PassThrough();
    child.stdout.pipe(out, { end: false });
    child.on('error', (cause) => out.destroy(new GitError('GIT_FAILED', 'git archive could not be started.', { kind: 'upstream', cause })));
    child.on('close', (code) => {
      if (code === 0) out.end();
      else out.destroy(new GitError('GIT_FAILED', `git archive ended with ${code}.`, { kind: 'upstream' }));
    });
    out.on('close', () => child.kill('SIGKILL'));
    return out;
  }
}

/** Names that `rev-parse` reads as one ref or commit, without its own language of `..`, `^`, `@{…}` and `:` (gitrevisions(7)). */
export function isRefName(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9_][A-Za-z0-9_./+-]*$/.test(text) && !/\.\.|\/\/|\/\.|\.lock(?:\/|$)|[/.]$/.test(text);
}

function folderPath(path: string): string {
  const folder = path.replace(/\/+$/, '').replace(/^\.\//, '');
  if (folder === '' || folder === '.') return '';
  const objection = objectionToPath(folder);
  if (objection) throw new GitError('UNSAFE_TREE', `The folder ${JSON.stringify(folder.slice(0, 200))} ${objection}.`, { kind: 'user' });
  return folder;
}

function parseTree(bytes: Buffer, prefix: string): TreeEntry[] {
  return bytes
    .toString('utf8')
    .split('\0')
    .filter((record) => record !== '')
    .map((record) => {
      const tab = record.indexOf('\t');
      const [mode = '', , oid = '', size = '0'] = record.slice(0, tab).split(/ +/);
      return { path: prefix + record.slice(tab + 1), kind: kinds[mode] ?? 'submodule', size: size === '-' ? 0 : Number(size), oid };
    });
}

const lines = (bytes: Buffer): string[] =>
  bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '');

const notFound = (commit: string, path: string) =>
  new GitError('OBJECT_NOT_FOUND', `There is no ${path === '' ? 'such commit' : path} in commit ${commit}.`, { kind: 'user' });

const unsafe = (commit: string, what: string) =>
  new GitError('UNSAFE_TREE', `Commit ${commit} is refused: ${what}.`, { kind: 'user', cure: 'Rename it and push again.' });
