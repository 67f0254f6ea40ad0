import type { RepositoryFile } from '@desp/fleet';
import type { RepositoryReader } from '@desp/git';
import { CommitId } from '@desp/model';
import { readTar } from '@desp/security';
import { PlatformError } from '../platform-error.ts';

/** The files of a commit, as a release looks at them. */
export interface Source {
  readonly files: readonly RepositoryFile[];
  /** Files that are too large to look into; they are named in the record as not assessed. */
  readonly tooLarge: readonly string[];
}

const limits = { fileBytes: 5 * 1024 * 1024, totalBytes: 512 * 1024 * 1024 };

/** Reads a commit in one go. A symbolic link is refused: it could lead anywhere. */
export async function readSource(reader: RepositoryReader, commit: string): Promise<Source> {
  const files: RepositoryFile[] = [];
  const tooLarge: string[] = [];
  let total = 0;
  for await (const entry of readTar(await reader.archive(CommitId.parse(commit)))) {
    if (entry.kind === 'symlink' || entry.kind === 'hardlink') {
      throw new PlatformError('INVALID', `${entry.path} is a link; a repository of the platform holds none.`, {
        kind: 'user',
        cure: 'Put the file itself there.',
        where: { file: entry.path },
      });
    }
    if (entry.kind !== 'file') continue;
    if (entry.size > limits.fileBytes) {
      tooLarge.push(entry.path);
      continue;
    }
    total += entry.size;
    if (total > limits.totalBytes)
      throw new PlatformError('INVALID', 'The repository holds more than 512 MiB of files.', {
        kind: 'user',
        cure: 'Keep data out of the repository.',
      });
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry.read()) chunks.push(chunk);
    files.push({ path: entry.path, data: Buffer.concat(chunks) });
  }
  return { files, tooLarge };
}
