import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Engine } from './engine.ts';
import { NodeError } from './errors.ts';

/**
 * The image of a pod's sandbox: the container that holds the pod's network and name while others come and go. It is made
 * of this machine's static busybox, so that nothing is fetched.
 */
export const sandboxImage = 'localhost/desp-sandbox:1';

/** Sleeps, and ends at once when it is told to: as process 1 it would ignore a SIGTERM without a trap. */
export const sandboxCommand = ['/bin/busybox', 'sh', '-c', 'trap "exit 0" TERM; while :; do /bin/busybox sleep 86400 & wait $!; done'];

const busyboxPaths = ['/bin/busybox', '/usr/bin/busybox'];

/** Loads the image unless the engine has it. @throws NodeError NO_BUSYBOX */
export async function ensureSandboxImage(engine: Engine): Promise<void> {
  if ((await engine.imageId(sandboxImage)) !== undefined) return;
  const path = busyboxPaths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new NodeError('NO_BUSYBOX', 'Pods need a static busybox for their sandbox, and there is none on this machine.', {
      cure: 'Install the package busybox-static.',
    });
  }
  await engine.loadImage(dockerArchive(sandboxImage, [{ path: 'bin/busybox', mode: 0o755, content: readFileSync(path) }]));
}

export interface ArchiveFile {
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
}

/** A `docker save` archive of one layer. Source: Docker image specification 1.2. */
export function dockerArchive(tag: string, files: readonly ArchiveFile[], config: Record<string, unknown> = {}): Buffer {
  const layer = tar(files);
  const digest = createHash('sha256').update(layer).digest('hex');
  const description = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'desp' }],
  });
  const configName = `${createHash('sha256').update(description).digest('hex')}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [tag], Layers: ['layer.tar'] }]);
  return tar([
    { path: configName, mode: 0o644, content: Buffer.from(description) },
    { path: 'layer.tar', mode: 0o644, content: layer },
    { path: 'manifest.json', mode: 0o644, content: Buffer.from(manifest) },
  ]);
}

/** A POSIX ustar archive of plain files; names are at most 100 bytes. */
function tar(files: readonly ArchiveFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, mode, content } of files) {
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
