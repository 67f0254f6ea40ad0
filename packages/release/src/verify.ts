import { messageOf } from '@desp/runtime/errors';
import { canonicalBytes, type Json, openEnvelope, parseCanonicalJson, toBase64, type Verifier } from '@desp/security';
import { type Head, headPayloadType, ReleaseRecord } from './entries.ts';
import { digestOfEntry, digestOfHeader } from './record.ts';
import { verifyContents } from './verify-contents.ts';

/** Checks a record offline. Trust comes from the given keys alone, never from the file. */

export type RecordFindingCode =
  /** Not the exact canonical bytes of a record. */
  | 'form'
  /** An entry's place, or its link to the one before, is wrong. */
  | 'chain'
  /** The head is not signed by a trusted key, or not for these entries. */
  | 'signature'
  /** What the entries say does not fit together. */
  | 'contents';

export interface RecordFinding {
  readonly code: RecordFindingCode;
  /** The entry it is about, from 0. */
  readonly entry?: number;
  readonly message: string;
}

export interface RecordVerification {
  readonly ok: boolean;
  readonly findings: readonly RecordFinding[];
  /** The record, when its form, chain and signature hold. */
  readonly record?: ReleaseRecord;
  /** The key that signed it. */
  readonly keyId?: string;
}

/** A record with its SBOMs has some megabytes. */
const maximumBytes = 256 << 20;

const no = (...findings: RecordFinding[]): RecordVerification => ({ ok: false, findings });

/**
 * Whether `bytes` are a sound record under one of `trusted`: form, chain, signature, then everything inside (signed
 * verdicts, SBOM digests, subjects, versions, order). Never throws; an empty list of keys trusts nothing.
 */
export async function verifyRecord(bytes: Uint8Array, trusted: readonly Verifier[]): Promise<RecordVerification> {
  let value: Json;
  try {
    value = parseCanonicalJson(bytes, maximumBytes);
  } catch (error) {
    return no({ code: 'form', message: messageOf(error) });
  }
  const parsed = ReleaseRecord.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return no({ code: 'form', message: `The file is no release record: ${issue?.path.join('.')}: ${issue?.message}.` });
  }
  const record = parsed.data;
  const broken = await chainFinding(record);
  if (broken) return no(broken);
  let keyId: string;
  try {
    keyId = await verifyHead(record, trusted);
  } catch (error) {
    return no({ code: 'signature', message: messageOf(error) });
  }
  const findings = await verifyContents(record, trusted);
  return { ok: findings.length === 0, findings, record, keyId };
}

async function chainFinding(record: ReleaseRecord): Promise<RecordFinding | undefined> {
  let previous = await digestOfHeader(record.header);
  for (const [index, entry] of record.entries.entries()) {
    if (entry.seq !== index) return { code: 'chain', entry: index, message: `Entry ${index} says that it is number ${entry.seq}.` };
    if (entry.previous !== previous) {
      return {
        code: 'chain',
        entry: index,
        message: `Entry ${index} does not follow the one before it: something was changed, moved, added or left out.`,
      };
    }
    previous = await digestOfEntry(entry);
  }
  return undefined;
}

async function verifyHead(record: ReleaseRecord, trusted: readonly Verifier[]): Promise<string> {
  const expected: Head = {
    format: record.header.format,
    service: record.header.service,
    version: record.header.version,
    entries: record.entries.length,
    last: await digestOfEntry(record.entries.at(-1) as ReleaseRecord['entries'][number]),
  };
  if (record.head.signatures.length !== 1) throw new Error('The head has more than one signature.');
  // The signed bytes are recomputed, not believed: what is signed is exactly what is in the file.
  if (record.head.payload !== toBase64(canonicalBytes(expected))) throw new Error('The signed head is not that of these entries.');
  await openEnvelope(record.head, trusted, headPayloadType);
  return (record.head.signatures[0] as { keyid: string }).keyid;
}

/** Whether `newer` only added to `older`: both must have been verified before. */
export function extendsRecord(older: ReleaseRecord, newer: ReleaseRecord): boolean {
  const text = (value: unknown): string => toBase64(canonicalBytes(value));
  return (
    older.entries.length <= newer.entries.length &&
    text(older.header) === text(newer.header) &&
    older.entries.every((entry, index) => text(entry) === text(newer.entries[index]))
  );
}
