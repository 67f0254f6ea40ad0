import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { GitError } from './errors.ts';
import { git } from './git-command.ts';
import { type ReceivedPush, type RefUpdate, zeroId } from './push.ts';
import { isRepositoryPath } from './repository-path.ts';

const oid = z.string().regex(/^[0-9a-f]{40}$/);
const Entry = z.strictObject({
  repository: z.string().refine(isRepositoryPath),
  principal: z.string(),
  updates: z.array(
    z.strictObject({ ref: z.string(), old: oid, new: oid, kind: z.enum(['create', 'update', 'delete']), forced: z.boolean() }),
  ),
});

/**
 * Pushes that were accepted and whose notice is not known to have arrived. The entry is on disk before Git may move a ref,
 * and goes when the notice was taken: a process that dies in between finds it at its next start and tells again.
 */
export class PushJournal {
  readonly #folder: string;

  constructor(root: string) {
    this.#folder = join(root, 'pending');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** @returns the entry's id, once it is on disk */
  async begin(push: ReceivedPush): Promise<string> {
    const id = randomUUID();
    const file = join(this.#folder, id);
    const handle = await open(`${file}.new`, 'wx', 0o600);
    try {
      await handle.writeFile(JSON.stringify(push));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, `${file}.json`);
    return id;
  }

  async end(id: string): Promise<void> {
    await rm(join(this.#folder, `${id}.json`), { force: true });
  }

  /** What stood in the journal, oldest names first; half-written entries (their push was never accepted) are dropped. */
  async entries(): Promise<{ id: string; push: ReceivedPush }[]> {
    const found: { id: string; push: ReceivedPush }[] = [];
    for (const name of (await readdir(this.#folder)).sort()) {
      const file = join(this.#folder, name);
      if (!name.endsWith('.json')) {
        await rm(file, { force: true });
        continue;
      }
      const entry = Entry.safeParse(JSON.parse(await readFile(file, 'utf8')));
      if (!entry.success)
        throw new GitError('TABLE_UNREADABLE', `The push journal entry ${file} cannot be read.`, {
          kind: 'bug',
          cure: 'Look at it, then remove it.',
        });
      found.push({ id: name.slice(0, -'.json'.length), push: entry.data });
    }
    return found;
  }
}

/** Whether the repository took this update: the ref is there, or was (each ref has a log, see the receive settings). */
export async function wasApplied(folder: string, update: RefUpdate): Promise<boolean> {
  const current = await git(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', update.ref]);
  const now = current.code === 0 ? current.stdout.toString().trim() : zeroId;
  if (now === update.new) return true;
  try {
    const log = await readFile(join(folder, 'logs', update.ref), 'utf8');
    return log.split('\n').some((line) => line.startsWith(`${update.old} ${update.new} `));
  } catch {
    return false;
  }
}
