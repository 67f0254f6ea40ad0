import { type Digest, instantOf, type Verdict } from '@desp/model';
import {
  envelopeMediaType,
  type Inventory,
  judge,
  sbomMediaType,
  signVerdict,
  takeInventory,
  verdictPredicateType,
  writeSbom,
} from '@desp/security';
import type { Platform } from '../platform.ts';
import { type Attachment, attach } from './attach.ts';
import { readImage } from './image-source.ts';
import { policyIn } from './policy.ts';

export interface BuiltImage {
  readonly service: string;
  /** Within the registry: `sample-app/image-a`. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly delivery: number;
  readonly job: string;
}

/**
 * Judges an image in quarantine for every environment: SBOM from its own files, advisories, policy, a signed verdict. SBOM and
 * verdicts are attached to the digest, so that they travel with it. Judging again adds a newer verdict and changes no old one.
 */
export async function judgeImage(platform: Platform, image: BuiltImage): Promise<Verdict[]> {
  const now = instantOf(platform.clock.now());
  const name = `${platform.config.quarantine.host}/${image.repository}`;
  const inventory = await takeInventory(await readImage(platform.quarantine, image.repository, image.digest));
  const sbom = await writeSbom({ inventory, name, at: now });
  await attach(platform.quarantine, image.repository, image.digest, sbomAttachment(sbom.bytes, now));
  await platform.database.sql
    .insertInto('images')
    .values({
      digest: image.digest,
      service: image.service,
      repository: image.repository,
      tag: image.tag,
      delivery: image.delivery,
      job: image.job,
      sbom: Buffer.from(sbom.bytes).toString('utf8'),
      facts: JSON.stringify(inventory),
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['service', 'repository', 'digest']).doUpdateSet({ tag: image.tag, delivery: image.delivery, job: image.job }),
    )
    .execute();
  return judgeInventory(platform, image, inventory, sbom.digest);
}

/** Judges what is known of an image against the advisories of today. */
export async function judgeInventory(platform: Platform, image: BuiltImage, inventory: Inventory, sbom: Digest): Promise<Verdict[]> {
  const advisories = await platform.advisories.current();
  const verdicts: Verdict[] = [];
  for (const environment of platform.config.environments) {
    const verdict = await judge({
      subject: { name: image.repository, digest: image.digest },
      inventory,
      sbom,
      advisories,
      policy: policyIn(platform, environment.name),
      now: instantOf(platform.clock.now()),
    });
    const envelope = await signVerdict(verdict, platform.config.server.url, platform.key.signer);
    await attach(platform.quarantine, image.repository, image.digest, verdictAttachment(verdict, envelope));
    await platform.database.sql
      .insertInto('verdicts')
      .values({
        service: image.service,
        digest: image.digest,
        environment: environment.name,
        outcome: verdict.outcome,
        verdict: JSON.stringify(verdict),
        envelope: JSON.stringify(envelope),
        judged_at: verdict.judgedAt,
      })
      .execute();
    verdicts.push(verdict);
  }
  return verdicts;
}

export const sbomAttachment = (bytes: Uint8Array, at: string): Attachment => ({
  mediaType: sbomMediaType,
  bytes,
  annotations: { 'org.opencontainers.image.created': at },
});

export const verdictAttachment = (verdict: Verdict, envelope: unknown): Attachment => ({
  mediaType: envelopeMediaType,
  bytes: Buffer.from(JSON.stringify(envelope)),
  annotations: {
    'in-toto.io/predicate-type': verdictPredicateType,
    'space.desp.environment': verdict.policy.environment,
    'space.desp.outcome': verdict.outcome,
    'org.opencontainers.image.created': verdict.judgedAt,
  },
});

/** The newest verdict on a digest for an environment. */
export async function latestVerdict(
  platform: Platform,
  service: string,
  digest: string,
  environment: string,
): Promise<{ verdict: Verdict; envelope: unknown } | undefined> {
  return platform.database.sql
    .selectFrom('verdicts')
    .select(['verdict', 'envelope'])
    .where('service', '=', service)
    .where('digest', '=', digest)
    .where('environment', '=', environment)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
}
