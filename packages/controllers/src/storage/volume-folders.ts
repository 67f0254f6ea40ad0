import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ControllerError } from '../controller-error.ts';
import { confinePath, overlaps } from './volume-path.ts';

/**
 * The folders of volumes below one root: `CLASS/PATH`, and beside them `.owners/`, one record a folder, which says whose it is.
 * The record is written before the folder is made and removed after it is gone; so there is no folder without an owner, and who
 * finds a record knows what to take up again. Folders are deleted by renaming them away first: a half-deleted one is never seen.
 */
export interface VolumeOwner {
  readonly class: string;
  /** Below the class's folder. */
  readonly path: string;
  readonly namespace: string;
  readonly claim: string;
  /** Of the claim. */
  readonly uid: string;
  /** Name of the PersistentVolume. */
  readonly volume: string;
}

const Owner = z.strictObject({
  class: z.string(),
  path: z.string(),
  namespace: z.string(),
  claim: z.string(),
  uid: z.string(),
  volume: z.string(),
});

export class VolumeFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Every folder's owner. */
  async owners(): Promise<VolumeOwner[]> {
    const names = await readdir(this.#owners).catch((): string[] => []);
    return Promise.all(names.filter((name) => name.endsWith('.json')).map((name) => this.#read(join(this.#owners, name))));
  }

  /**
   * Makes the folder the owner's, empty or with what its namespace left in it.
   *
   * `isInUse` says whether a former owner of the very same folder still uses it.
   * @returns the folder's path on this machine
   * @throws ControllerError NOT_ALLOWED when it is another's, or lies in another's or around it
   */
  async claim(owner: VolumeOwner, isInUse: (former: VolumeOwner) => boolean): Promise<string> {
    const path = confinePath(owner.path);
    const others = (await this.owners()).filter(
      (other) => other.class === owner.class && other.uid !== owner.uid && overlaps(other.path, path),
    );
    const taken = others.find((other) => other.path !== path || other.namespace !== owner.namespace || isInUse(other));
    if (taken) {
      const mine = taken.namespace === owner.namespace;
      throw new ControllerError(
        'NOT_ALLOWED',
        `The folder ${path} of the class ${owner.class} ${taken.path === path ? 'belongs to' : 'overlaps with that of'} ${mine ? `the claim ${taken.claim}` : 'another claim'}.`,
        { kind: 'user', cure: 'Give the claim another name or storage path.' },
      );
    }
    await this.#write(owner);
    const folder = this.#folder(owner);
    await this.#makeFolder(owner.class, path);
    return folder;
  }

  /** Removes the folder with all that is in it, then its record. Safe to repeat. */
  async remove(owner: VolumeOwner): Promise<void> {
    const away = join(this.#root, '.deleting');
    await mkdir(away, { recursive: true, mode: 0o700 });
    const target = join(away, owner.uid.replace(/[^A-Za-z0-9-]/g, '_'));
    await rm(target, { recursive: true, force: true });
    await rename(this.#folder(owner), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rm(target, { recursive: true, force: true });
    await rm(this.#recordFile(owner), { force: true });
  }

  get #owners(): string {
    return join(this.#root, '.owners');
  }

  #folder({ class: storageClass, path }: VolumeOwner): string {
    return join(this.#root, storageClass, ...confinePath(path).split('/'));
  }

  #recordFile({ class: storageClass, path }: VolumeOwner): string {
    return join(this.#owners, `${createHash('sha256').update(`${storageClass}\n${path}`).digest('hex').slice(0, 40)}.json`);
  }

  /** Each part anew, so that no link that somebody put there is followed. Mode 0777, as NFS's provisioner makes it. */
  async #makeFolder(storageClass: string, path: string): Promise<void> {
    let way = this.#root;
    const parts = [storageClass, ...path.split('/')];
    for (const [index, part] of parts.entries()) {
      way = join(way, part);
      await mkdir(way, { mode: 0o711, recursive: index === 0 }).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
      const info = await lstat(way);
      if (!info.isDirectory())
        throw new ControllerError('NOT_ALLOWED', `A part of the storage path ${path} is no folder.`, {
          kind: 'user',
          cure: 'Choose another path.',
        });
      if (index === parts.length - 1) await chmod(way, 0o777);
    }
  }

  async #write(owner: VolumeOwner): Promise<void> {
    await mkdir(this.#owners, { recursive: true, mode: 0o700 });
    const file = this.#recordFile(owner);
    const handle = await open(`${file}.new`, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(owner)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.new`, file);
    const folder = await open(dirname(file), 'r');
    await folder.sync().finally(() => folder.close());
  }

  async #read(file: string): Promise<VolumeOwner> {
    try {
      return Owner.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (cause) {
      // Without knowing whose folders are whose, none may be given out.
      throw new ControllerError('INVALID', `The owner record ${file} cannot be read.`, {
        kind: 'user',
        cure: 'Restore it, or delete it together with its folder.',
        cause,
      });
    }
  }
}
