import type { Digest, Instant, ServiceName } from '@desp/model';
import { canonicalBytes, digestOf, type Signer, signEnvelope } from '@desp/security';
import type { z } from 'zod';
import { type CreatedBody, Entry, type Head, headPayloadType, type NewEntry, type ReleaseRecord, recordFormat } from './entries.ts';
import { ReleaseError } from './errors.ts';

/**
 * The release record: everything decided about a release, in one file that anybody can check without us.
 *
 * Each entry holds the digest of the one before, and the platform signs the last one's digest: so nothing can be changed,
 * dropped, added or moved without the key. The file is canonical JSON and nothing else, so that its bytes are the
 * record: there is no second spelling to hide something in. Entries are only ever added; an older file is a prefix of a newer one.
 */
export const digestOfHeader = (header: ReleaseRecord['header']): Promise<Digest> => digestOf(canonicalBytes(header));
export const digestOfEntry = (entry: Entry): Promise<Digest> => digestOf(canonicalBytes(entry));

async function seal(header: ReleaseRecord['header'], entries: Entry[], signer: Signer): Promise<ReleaseRecord> {
  const head: Head = {
    format: recordFormat,
    service: header.service,
    version: header.version,
    entries: entries.length,
    last: await digestOfEntry(entries.at(-1) as Entry),
  };
  return { header, entries, head: await signEnvelope(headPayloadType, canonicalBytes(head), signer) };
}

function parseEntry(value: unknown): Entry {
  const parsed = Entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ReleaseError('RECORD_INVALID', `An entry for a release record is malformed: ${issue?.path.join('.')}: ${issue?.message}.`, {
    kind: 'bug',
  });
}

/** A record of its first entry. */
export async function createRecord(
  input: { readonly body: z.infer<typeof CreatedBody>; readonly at: Instant; readonly who: string },
  signer: Signer,
): Promise<ReleaseRecord> {
  const header = { format: recordFormat, service: input.body.service as ServiceName, version: input.body.version } as const;
  const first = parseEntry({
    seq: 0,
    previous: await digestOfHeader(header),
    at: input.at,
    who: input.who,
    kind: 'created',
    body: input.body,
  });
  return seal(header, [first], signer);
}

/** The record with one entry more and a new signature; the given one is left as it is. Times never go back. */
export async function appendEntry(record: ReleaseRecord, entry: NewEntry, signer: Signer): Promise<ReleaseRecord> {
  const last = record.entries.at(-1) as Entry;
  if (entry.kind === 'created') throw new ReleaseError('RECORD_INVALID', 'A release record is created once.', { kind: 'bug' });
  if (entry.at < last.at) {
    throw new ReleaseError(
      'RECORD_INVALID',
      `An entry of ${entry.at} cannot follow one of ${last.at} in the record of ${record.header.service} ${record.header.version}.`,
      {
        cure: 'Set the clock of the platform right, then try again.',
      },
    );
  }
  const next = parseEntry({ ...entry, seq: record.entries.length, previous: await digestOfEntry(last) });
  return seal(record.header, [...record.entries, next], signer);
}

/** The file: these very bytes are what `verifyRecord` accepts. */
export const exportRecord = (record: ReleaseRecord): Uint8Array<ArrayBuffer> => canonicalBytes(record);
