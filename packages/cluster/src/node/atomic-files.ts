import { randomBytes } from 'node:crypto';
import { chown, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { NodeError } from './errors.ts';

export interface VolumeFile {
  /** Relative to the volume. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/**
 * Shows the files in the folder so that a reader sees either all old or all new ones: they are written into a folder of
 * their own, and one symlink, `..data`, is swapped by a rename. Nothing is written when nothing changed.
 * Source: the behaviour of kubelet's AtomicWriter, as `ls -la` in a mounted ConfigMap shows it.
 *
 * @returns whether anything changed. @throws NodeError MOUNT for a path out of the volume.
 */
export async function writeAtomically(folder: string, files: readonly VolumeFile[], group: number | undefined): Promise<boolean> {
  for (const { path } of files) checkPath(path);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const data = join(folder, '..data');
  const current = await readlink(data).catch(() => undefined);
  if (current !== undefined && (await same(join(folder, current), files))) return false;

  const generation = `..${new Date().toISOString().replace(/[-:TZ.]/g, '_')}${randomBytes(4).toString('hex')}`;
  const target = join(folder, generation);
  await mkdir(target, { mode: 0o755 });
  for (const { path, content, mode } of files) {
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, content, { mode: group === undefined ? mode : mode | 0o440 });
    if (group !== undefined) await chown(file, 0, group);
  }
  await writeFile(join(target, '..manifest'), JSON.stringify(files.map(({ path, mode }) => [path, mode])), { mode: 0o600 });
  const temporary = join(folder, `..data_tmp${randomBytes(4).toString('hex')}`);
  await symlink(generation, temporary);
  await rename(temporary, data);
  const tops = new Set(files.map(({ path }) => normalize(path).split('/')[0]!));
  for (const top of tops) {
    const link = join(folder, top);
    if ((await readlink(link).catch(() => undefined)) === undefined) await symlink(join('..data', top), link);
  }
  if (current !== undefined) {
    for (const [path] of await manifestOf(join(folder, current))) {
      const top = normalize(path).split('/')[0]!;
      if (!tops.has(top)) await rm(join(folder, top), { force: true });
    }
    await rm(join(folder, current), { recursive: true, force: true });
  }
  return true;
}

function checkPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.startsWith('/') || parts.includes('..') || parts[0]!.startsWith('..')) {
    throw new NodeError('MOUNT', `the path ${JSON.stringify(path)} is not within the volume`);
  }
}

async function same(folder: string, files: readonly VolumeFile[]): Promise<boolean> {
  const manifest = JSON.stringify(await manifestOf(folder));
  if (manifest !== JSON.stringify(files.map(({ path, mode }) => [path, mode]))) return false;
  for (const { path, content } of files) {
    const existing = await readFile(join(folder, path)).catch(() => undefined);
    if (existing === undefined || !existing.equals(content)) return false;
  }
  return true;
}

async function manifestOf(folder: string): Promise<[string, number][]> {
  const text = await readFile(join(folder, '..manifest'), 'utf8').catch(() => '[]');
  return JSON.parse(text) as [string, number][];
}
