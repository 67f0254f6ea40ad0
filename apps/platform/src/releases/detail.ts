import type { ReleaseDetail, ReleaseSummary } from '@desp/model';
import { openVerdict } from '@desp/security';
import type { Platform } from '../platform.ts';
import { readRecord } from './write-release.ts';

/** What a person wants to see of a record; read from the record itself, verdicts only through their signature. */
export async function detailOf(platform: Platform, text: string): Promise<Omit<ReleaseDetail, keyof ReleaseSummary>> {
  const record = readRecord(text);
  const images: ReleaseDetail['images'] = [];
  const notAssessed: ReleaseDetail['notAssessed'] = [];
  const manifests: ReleaseDetail['manifests'] = [];
  for (const entry of record.entries) {
    if (entry.kind === 'manifests') manifests.push({ environment: entry.body.environment, digest: entry.body.digest });
    if (entry.kind !== 'image') continue;
    const verdict = await openVerdict(entry.body.verdict, [platform.key.verifier], entry.body.digest);
    images.push({
      repository: entry.body.name,
      tag: entry.body.tag,
      digest: entry.body.digest,
      outcome: verdict.outcome,
      judgedAt: verdict.judgedAt,
    });
    for (const item of verdict.notAssessed) if (!notAssessed.some((other) => other.what === item.what)) notAssessed.push(item);
  }
  return { images, notAssessed, manifests };
}
