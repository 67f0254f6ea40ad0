import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Podman, podmanOk, removeContainer } from './podman.ts';

const Listed = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullish() })).nullable();

/**
 * Removes what a platform that was killed left under way: every build and every job, with their work folders. Containers of
 * others, as a cluster's pods, are not touched. Decision 2026-11-22-killed-jobs.
 */
export async function clearOrphans(podman: Podman): Promise<void> {
  const answer = await podmanOk(podman, ['ps', '--all', '--format', 'json']);
  const orphans = (Listed.parse(JSON.parse(answer.stdout.toString() || '[]')) ?? []).filter(
    ({ Labels }) => Labels?.['desp.build'] !== undefined || Labels?.['desp.job'] !== undefined,
  );
  await Promise.all(orphans.map(({ Id }) => removeContainer(podman, Id)));
  const work = join(podman.folder, 'work');
  for (const entry of await readdir(work))
    if (/^(?:build|job|load|builder)-/.test(entry)) await rm(join(work, entry), { recursive: true, force: true });
}
