import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GitError } from './errors.ts';
import { gitOk } from './git-command.ts';
import { isRepositoryPath, type RepositoryPath } from './repository-path.ts';

const Table = z.strictObject({
  version: z.literal(1),
  repositories: z.record(z.string().refine(isRepositoryPath), z.string().regex(/^[0-9a-f]{32}$/)),
});

/**
 * The table from public paths to folders. A path that came over the wire is only ever looked up here,
 * so no spelling of it can reach another folder. The table is written whole, synced, then renamed into place.
 */
export class RepositoryTable {
  readonly #root: string;
  readonly #folders: Map<string, string>;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(root: string, folders: Map<string, string>) {
    this.#root = root;
    this.#folders = folders;
  }

  /**
   * Opens, or begins, the table below `root`.
   * @throws GitError TABLE_UNREADABLE
   */
  static open(root: string): RepositoryTable {
    mkdirSync(join(root, 'repositories'), { recursive: true, mode: 0o700 });
    const file = join(root, 'repositories.json');
    try {
      const table = Table.parse(JSON.parse(readFileSync(file, 'utf8')));
      return new RepositoryTable(root, new Map(Object.entries(table.repositories)));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new RepositoryTable(root, new Map());
      throw new GitError('TABLE_UNREADABLE', `The table of repositories in ${file} cannot be read.`, {
        kind: 'bug',
        cure: 'Restore the file from a backup; the repositories themselves lie beside it.',
        cause,
      });
    }
  }

  paths(): RepositoryPath[] {
    return [...this.#folders.keys()].filter(isRepositoryPath).sort();
  }

  /** The bare repository's folder, or undefined; letter case counts. */
  folderOf(path: string): string | undefined {
    const id = this.#folders.get(path);
    return id === undefined ? undefined : join(this.#root, 'repositories', `${id}.git`);
  }

  /**
   * Makes an empty bare repository.
   * @returns its folder; the existing one when the path is taken already by exactly this path
   * @throws GitError REPOSITORY_EXISTS when the path differs from another by letter case only
   */
  create(path: RepositoryPath): Promise<string> {
    return this.#oneAtATime(async () => {
      const existing = this.folderOf(path);
      if (existing) return existing;
      const twin = [...this.#folders.keys()].find((other) => other.toLowerCase() === path.toLowerCase());
      if (twin)
        throw new GitError('REPOSITORY_EXISTS', `Repository ${path} cannot be created: ${twin} differs from it in letter case only.`, {
          kind: 'user',
          cure: 'Choose another name.',
        });
      const id = randomUUID().replaceAll('-', '');
      const folder = join(this.#root, 'repositories', `${id}.git`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await gitOk(folder, ['init', '--quiet', '--bare', '--initial-branch=main', '--template=', folder]);
      this.#folders.set(path, id);
      await this.#save();
      return folder;
    });
  }

  /** Forgets the repository and deletes its folder; nothing happens when it is not there. */
  remove(path: RepositoryPath): Promise<void> {
    return this.#oneAtATime(async () => {
      const folder = this.folderOf(path);
      if (!folder) return;
      this.#folders.delete(path);
      await this.#save();
      await rm(folder, { recursive: true, force: true });
    });
  }

  async #save(): Promise<void> {
    const file = join(this.#root, 'repositories.json');
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify({ version: 1, repositories: Object.fromEntries([...this.#folders].sort()) }, null, 2));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
  }

  #oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#writing.then(work, work);
    this.#writing = next.catch(() => undefined);
    return next;
  }
}
