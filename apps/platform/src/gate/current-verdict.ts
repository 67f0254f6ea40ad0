import { Digest, type Verdict } from '@desp/model';
import type { RegistryClient } from '@desp/oci';
import { digestOfPolicy, type Inventory } from '@desp/security';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { attach } from './attach.ts';
import { judgeInventory, latestVerdict, sbomAttachment, verdictAttachment } from './judge-image.ts';
import { policyIn } from './policy.ts';

export interface StoredImage {
  readonly service: string;
  readonly repository: string;
  readonly digest: string;
}

export interface CurrentVerdict {
  readonly verdict: Verdict;
  readonly envelope: unknown;
}

/** A verdict is asked for again after this time, and whenever the advisories or the limits are not those that it was made with. */
const verdictHours = 24;
/** As in the gate: clocks of machines differ a little. */
const clockToleranceMs = 5 * 60_000;

/**
 * The verdict that may be acted upon now: the newest one, or a new one from the stored inventory when that is stale. Undefined
 * when the image was never judged.
 *
 * @throws PlatformError GATE_CLOSED when the newest verdict is of the future: the clock was set back, and nothing dated can be believed
 */
export async function currentVerdict(platform: Platform, image: StoredImage, environment: string): Promise<CurrentVerdict | undefined> {
  const known = await latestVerdict(platform, image.service, image.digest, environment);
  if (!known) return undefined;
  const age = platform.clock.now().getTime() - Date.parse(known.verdict.judgedAt);
  if (age < -clockToleranceMs) {
    throw new PlatformError(
      'GATE_CLOSED',
      `The verdict on ${image.repository}@${image.digest} is of ${known.verdict.judgedAt}, which is after now: a clock is wrong.`,
      { kind: 'user', cure: 'Have the operator set the clock of the platform right, then try again.' },
    );
  }
  const databases = (await platform.advisories.current()).databases.map(({ name, date, records }) => `${name} ${date} ${records}`);
  const used = known.verdict.advisories.databases.map(({ name, date, records }) => `${name} ${date} ${records}`);
  const sameLimits = known.verdict.policy.digest === (await digestOfPolicy(policyIn(platform, environment)));
  if (age <= verdictHours * 3_600_000 && sameLimits && databases.sort().join() === used.sort().join()) return known;
  const row = await rowOf(platform, image);
  if (!row) return undefined;
  await judgeInventory(platform, { ...row, digest: Digest.parse(row.digest) }, row.facts as Inventory, known.verdict.sbom);
  return latestVerdict(platform, image.service, image.digest, environment);
}

/**
 * Attaches the SBOM and the newest verdicts from the platform's own records. What else names the image as its subject in
 * quarantine is its provider's to write, and stays there: an image that nobody judged could travel as an attachment.
 */
export async function attachEvidence(platform: Platform, registry: RegistryClient, image: StoredImage): Promise<void> {
  const row = await rowOf(platform, image);
  if (!row) return;
  const digest = Digest.parse(row.digest);
  await attach(registry, image.repository, digest, sbomAttachment(Buffer.from(row.sbom, 'utf8'), row.created_at));
  for (const environment of platform.config.environments) {
    const known = await latestVerdict(platform, image.service, image.digest, environment.name);
    if (known) await attach(registry, image.repository, digest, verdictAttachment(known.verdict, known.envelope));
  }
}

const rowOf = (platform: Platform, { service, repository, digest }: StoredImage) =>
  platform.database.sql
    .selectFrom('images')
    .selectAll()
    .where('service', '=', service)
    .where('repository', '=', repository)
    .where('digest', '=', digest)
    .executeTakeFirst();
