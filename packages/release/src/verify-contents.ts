import { parseSemVer, type Verdict } from '@desp/model';
import { messageOf } from '@desp/runtime/errors';
import { canonicalBytes, digestOf, openVerdict, type Verifier } from '@desp/security';
import type { EntryOf, ReleaseRecord } from './entries.ts';
import type { RecordFinding } from './verify.ts';

/** What the entries of a record say, held against one another. Form, chain and signature hold already. */

interface Seen {
  readonly images: Map<string, EntryOf<'image'>>;
  readonly manifests: Map<string, EntryOf<'manifests'>>;
}

const imageKey = (environment: string, name: string, digest: string): string => `${environment} ${name} ${digest}`;

export async function verifyContents(record: ReleaseRecord, trusted: readonly Verifier[]): Promise<RecordFinding[]> {
  const findings: RecordFinding[] = [];
  const seen: Seen = { images: new Map(), manifests: new Map() };
  let latest = '';
  for (const [index, entry] of record.entries.entries()) {
    const add = (message: string): void => void findings.push({ code: 'contents', entry: index, message });
    if (entry.at < latest) add(`Entry ${index} is of ${entry.at}, before the one above it (${latest}).`);
    latest = entry.at;
    if ((index === 0) !== (entry.kind === 'created')) add(`Entry ${index} is of kind ${entry.kind}; the first is "created", and no other.`);
    switch (entry.kind) {
      case 'created':
        checkCreated(record, entry, add);
        break;
      case 'image':
        await checkImage(entry, trusted, add);
        seen.images.set(imageKey(entry.body.environment, entry.body.name, entry.body.digest), entry);
        break;
      case 'source-findings':
        if (record.entries[0]?.kind === 'created' && entry.body.commit !== record.entries[0].body.commit)
          add(`The source findings are about commit ${entry.body.commit}, which is not the release's.`);
        break;
      case 'manifests':
        for (const image of entry.body.images) {
          if (!seen.images.has(imageKey(entry.body.environment, image.name, image.digest))) {
            add(
              `The manifests of ${entry.body.chart} for ${entry.body.environment} run ${image.name}@${image.digest}, for which the record holds no verdict.`,
            );
          }
        }
        seen.manifests.set(`${entry.body.environment} ${entry.body.digest}`, entry);
        break;
      case 'deployment':
        if (entry.body.endedAt < entry.body.startedAt) add(`The deployment to ${entry.body.environment} ended before it started.`);
        for (const { release, digest } of entry.body.applied ?? []) {
          if (entry.body.unequal === undefined && !entry.body.manifests.includes(digest))
            add(
              `The deployment to ${entry.body.environment} applied ${digest} for ${release}, which it does not name, and does not say why.`,
            );
        }
        for (const digest of entry.body.manifests) {
          if (!seen.manifests.has(`${entry.body.environment} ${digest}`))
            add(`The deployment to ${entry.body.environment} applied manifests ${digest}, which the record does not hold.`);
        }
        break;
    }
  }
  return findings;
}

function checkCreated(record: ReleaseRecord, entry: EntryOf<'created'>, add: (message: string) => void): void {
  const { service, version, gitTag } = entry.body;
  if (service !== record.header.service || version !== record.header.version)
    add('The first entry is about another release than the header.');
  if (!parseSemVer(version)) add(`The version ${JSON.stringify(version)} is not SemVer 2.0.0.`);
  if (gitTag !== version) add(`The Git tag ${JSON.stringify(gitTag)} is not the version ${version}.`);
}

async function checkImage(entry: EntryOf<'image'>, trusted: readonly Verifier[], add: (message: string) => void): Promise<void> {
  const { body } = entry;
  const what = `The image ${body.name}@${body.digest}`;
  let verdict: Verdict;
  try {
    verdict = await openVerdict(body.verdict, trusted, body.digest);
  } catch (error) {
    add(`${what}: its verdict does not hold: ${messageOf(error)}`);
    return;
  }
  if (verdict.outcome !== 'pass') add(`${what}: its verdict is "${verdict.outcome}", not "pass".`);
  if (verdict.policy.environment !== body.environment)
    add(`${what}: its verdict is for ${verdict.policy.environment}, not for ${body.environment}.`);
  if (verdict.judgedAt > entry.at) add(`${what}: its verdict is of ${verdict.judgedAt}, after the entry that records it (${entry.at}).`);
  if (verdict.sbom !== body.sbom.digest) add(`${what}: its verdict was given on the SBOM ${verdict.sbom}, not on ${body.sbom.digest}.`);
  if (body.sbom.document && (await digestOf(canonicalBytes(body.sbom.document))) !== body.sbom.digest)
    add(`${what}: the SBOM in the record does not have the digest ${body.sbom.digest}.`);
}
