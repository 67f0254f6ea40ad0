import { copyImage, parseDigest } from '@desp/oci';
import { attachEvidence, currentVerdict } from '../gate/current-verdict.ts';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { imageOf } from './build-image.ts';
import type { JobIdentity } from './job-socket.ts';
import { changeJob } from './records.ts';

/**
 * `desp job release --env E`: copies judged digests into the environment's release project, with the SBOMs and verdicts of the
 * platform's own records; what else was attached in quarantine stays there.
 */
export async function releaseJobImages(
  platform: Platform,
  job: JobIdentity,
  environment: string,
  log: (line: string) => void,
): Promise<void> {
  const parts = platform.environments.get(environment);
  if (!parts)
    throw new PlatformError('INVALID', `There is no environment ${JSON.stringify(environment.slice(0, 60))}.`, {
      kind: 'user',
      cure: `Extend one of ${[...platform.environments.keys()].map((name) => `.release-${name}`).join(', ')}.`,
    });
  if (parts.config.entry !== 'direct')
    throw new PlatformError('NOT_ALLOWED', `${environment} is entered by promotion only.`, { kind: 'user' });
  const { TEST_IMAGE = '', DEPLOY_IMAGES = '' } = job.plan.variables;
  const names = (DEPLOY_IMAGES.trim() || TEST_IMAGE).split(/[\s,]+/).filter(Boolean);
  if (names.length === 0)
    throw new PlatformError('INVALID', 'Neither TEST_IMAGE nor DEPLOY_IMAGES names an image.', {
      kind: 'user',
      cure: 'Set one in the release job.',
    });
  const released: { reference: string; digest: string }[] = [];
  for (const text of names) {
    const image = imageOf(job, text, 'TEST_IMAGE');
    const built = await platform.database.sql
      .selectFrom('images')
      .select(['digest'])
      .where('service', '=', job.service)
      .where('repository', '=', image.repository)
      .where('tag', '=', image.tag)
      .where('delivery', '=', job.id)
      .orderBy('created_at', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (!built)
      throw new PlatformError('NOT_BUILT', `${text} was not built in this delivery.`, {
        kind: 'user',
        cure: 'Let the job need the one that builds it, with the same TEST_IMAGE.',
      });
    const subject = { service: job.service, repository: image.repository, digest: built.digest };
    const known = await currentVerdict(platform, subject, environment);
    if (known?.verdict.outcome !== 'pass') {
      throw new PlatformError(
        'GATE_CLOSED',
        `The gate says ${known?.verdict.outcome ?? 'nothing'} on ${image.repository}@${built.digest}: ${known?.verdict.reasons.join(' ') ?? 'it was never judged.'}`,
        {
          kind: 'user',
          cure: `desp gate show ${image.repository}@${built.digest}`,
        },
      );
    }
    const held = await parts.registry.resolve(image.repository, image.tag);
    if (held && held.digest !== built.digest) {
      throw new PlatformError(
        'CONFLICT',
        `${image.repository}:${image.tag} is released already as ${held.digest}, and a released version never changes.`,
        { kind: 'user', cure: 'Give the image a higher version.' },
      );
    }
    const copy = {
      from: { client: platform.quarantine, repository: image.repository },
      to: { client: parts.registry, repository: image.repository },
      digest: parseDigest(built.digest),
      referrers: false,
    };
    const report = await copyImage(copy);
    await attachEvidence(platform, parts.registry, subject);
    // The tag comes last: whoever sees it sees the verdict.
    await copyImage({ ...copy, tags: [image.tag] });
    log(
      `Released to ${environment}: ${parts.config.registry.host}/${image.repository}:${image.tag}@${built.digest} (${report.blobs.pushed} blobs)\n`,
    );
    released.push({ reference: `${image.repository}:${image.tag}`, digest: built.digest });
  }
  await changeJob(platform.database.sql, job.id, job.name, { images: released });
}
