import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runOk } from '@desp/runtime';
import { z } from 'zod';
import type { ImageLayout } from './oci-layout.ts';
import { type Podman, podmanOk, podmanRun } from './podman.ts';

const Index = z.object({ manifests: z.array(z.record(z.string(), z.unknown())).length(1) });

/** What this process has seen in a store, by name: each image is asked for once, also by many at a time. */
const loaded = new WeakMap<Podman, Map<string, Promise<void>>>();

/**
 * Puts an image layout into podman's store under a name of ours; costs nothing when it is known to be there.
 *
 * podman names an image of the `oci:` transport after the layout's path, which fails for a path with a capital letter:
 * so it gets an archive of the same blobs whose index carries a name.
 * @returns the name, which holds the manifest's digest
 */
export async function loadImage(podman: Podman, image: ImageLayout, name: string): Promise<string> {
  const reference = `localhost/${name}:${image.manifestDigest.slice('sha256:'.length, 'sha256:'.length + 32)}`;
  const known = loaded.get(podman) ?? new Map<string, Promise<void>>();
  loaded.set(podman, known);
  let loading = known.get(reference);
  if (!loading) {
    loading = load(podman, image, reference);
    known.set(reference, loading);
    loading.catch(() => known.delete(reference));
  }
  await loading;
  return reference;
}

async function load(podman: Podman, image: ImageLayout, reference: string): Promise<void> {
  if ((await podmanRun(podman, ['image', 'exists', reference])).code === 0) return;
  const view = join(podman.folder, 'work', `load-${randomUUID()}`);
  await mkdir(view, { recursive: true });
  try {
    const index = Index.parse(JSON.parse(await readFile(join(image.layout, 'index.json'), 'utf8')));
    const annotations = { 'org.opencontainers.image.ref.name': reference };
    await writeFile(join(view, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [{ ...index.manifests[0], annotations }] }));
    await writeFile(join(view, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await symlink(join(image.layout, 'blobs'), join(view, 'blobs'));
    await runOk(['tar', '--dereference', '-c', '-f', `${view}.tar`, '-C', view, '.'], { timeoutMs: 180_000 });
    await podmanOk(podman, ['load', '--quiet', '--input', `${view}.tar`], { timeoutMs: 180_000 });
  } finally {
    await rm(view, { recursive: true, force: true });
    await rm(`${view}.tar`, { force: true });
  }
}
