import { Digest, Instant, type Verdict } from '@desp/model';
import {
  canonicalBytes,
  digestOf,
  type Envelope,
  generateKeyPair,
  importKeyPair,
  type Signer,
  signVerdict,
  utf8,
  type Verifier,
} from '@desp/security';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { EntryOf, NewEntry, ReleaseRecord } from './entries.ts';
import { appendEntry, createRecord, exportRecord } from './record.ts';
import { summarizeRecord } from './summarize.ts';
import { extendsRecord, verifyRecord } from './verify.ts';

const at = (minute: number): Instant => Instant.parse(`2026-11-22T10:${String(minute).padStart(2, '0')}:00.000Z`);
const digest = (character: string): Digest => Digest.parse(`sha256:${character.repeat(64)}`);
const commit = 'c'.repeat(40) as never;
const sbomDocument = { bomFormat: 'CycloneDX', specVersion: '1.6' };
const environment = 'e2e' as never;
const name = 'registry.example/sample-app/image-a';

let key: Signer & Verifier;
let stranger: Signer & Verifier;
let record: ReleaseRecord;
let bytes: Uint8Array;
let older: ReleaseRecord;

const verdict = async (change: Partial<Verdict> = {}): Promise<Verdict> => ({
  subject: { name, digest: digest('a') },
  outcome: 'pass',
  policy: { profile: 'p', environment: 'e2e', digest: digest('d') },
  reasons: ['Nothing known blocks the image.'],
  findings: [],
  notAssessed: [{ what: 'bin/server', why: 'no owner' }],
  advisories: { databases: [{ name: 'GitHub', date: at(0), records: 6 }], oldest: at(0) },
  sbom: await digestOf(canonicalBytes(sbomDocument)),
  judgedAt: at(1),
  ...change,
});

const image = async (
  change: Partial<EntryOf<'image'>['body']> = {},
  signed: Partial<Verdict> = {},
  signer: Signer = key,
): Promise<NewEntry> => ({
  kind: 'image',
  at: at(2),
  who: 'platform',
  body: {
    environment,
    name,
    tag: '1.0.0',
    digest: digest('a'),
    builtBy: { job: 'build', delivery: 'd-1' },
    sbom: { digest: await digestOf(canonicalBytes(sbomDocument)), document: sbomDocument },
    verdict: await signVerdict(await verdict(signed), 'https://desp.example', signer),
    ...change,
  },
});
const manifests = (change: Partial<EntryOf<'manifests'>['body']> = {}): NewEntry => ({
  kind: 'manifests',
  at: at(3),
  who: 'platform',
  body: {
    environment,
    chart: 'sample-app',
    chartVersion: '1.0.0',
    namespace: 'sample-app',
    digest: digest('e'),
    objects: [{ apiVersion: 'v1', kind: 'Pod', namespace: '', name: 'a' }],
    images: [{ name, digest: digest('a') }],
    ...change,
  },
});
const deployment = (change: Partial<EntryOf<'deployment'>['body']> = {}): NewEntry => ({
  kind: 'deployment',
  at: at(4),
  who: 'platform',
  body: {
    environment,
    startedAt: at(3),
    endedAt: at(4),
    outcome: 'succeeded',
    manifests: [digest('e')],
    reason: 'all pods are ready',
    ...change,
  },
});
const start = (change: object = {}): Promise<ReleaseRecord> =>
  createRecord(
    {
      at: at(0),
      who: 'provider',
      body: {
        service: 'sample-app' as never,
        version: '1.0.0',
        commit,
        gitTag: '1.0.0',
        templates: { project: 'desp/devsecops-templates', commit },
        ...change,
      },
    },
    key,
  );

const verify = (file: Uint8Array, trusted: readonly Verifier[] = [key]) => verifyRecord(file, trusted);
const codes = async (file: Uint8Array, trusted?: readonly Verifier[]) =>
  (await verify(file, trusted)).findings.map((finding) => finding.code);
async function rejected(entries: readonly NewEntry[], first: object = {}): Promise<string[]> {
  let built = await start(first);
  for (const entry of entries) built = await appendEntry(built, entry, key);
  const result = await verify(exportRecord(built));
  expect(result.ok).toBe(false);
  return result.findings.map((finding) => `${finding.code} ${finding.message}`);
}

beforeAll(async () => {
  key = await importKeyPair(await generateKeyPair());
  stranger = await importKeyPair(await generateKeyPair());
  older = await appendEntry(await start(), await image(), key);
  record = await appendEntry(await appendEntry(older, manifests(), key), deployment(), key);
  bytes = exportRecord(record);
});

test('holds, offline, under the pinned key', async () => {
  expect(await verify(bytes)).toMatchObject({ ok: true, findings: [], keyId: key.keyId });
});

describe('rejects', () => {
  test('every single changed byte', async () => {
    for (let index = 0; index < bytes.length; index++) {
      const changed = bytes.slice();
      changed[index] = (changed[index] as number) ^ (1 << (index % 8));
      const result = await verify(changed);
      if (result.ok) expect.fail(`byte ${index} was changed, and nobody noticed`);
    }
  }, 60_000);

  test('several changes, and bytes put in or left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(3), fc.uint8Array({ maxLength: 4 }), async (index, removed, added) => {
        const changed = new Uint8Array([...bytes.subarray(0, index), ...added, ...bytes.subarray(index + removed)]);
        fc.pre(changed.length !== bytes.length || changed.some((byte, position) => byte !== bytes[position]));
        expect((await verify(changed)).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('another key, no key, and a key in the file itself', async () => {
    expect(await codes(bytes, [stranger])).toEqual(['signature']);
    expect(await codes(bytes, [])).toEqual(['signature']);
    expect(await codes(exportRecord(await appendEntry(record, deployment(), stranger)))).toEqual(['signature']);
  });

  test('white space, a byte order mark, garbage behind, a cut file, a key given twice', async () => {
    const text = new TextDecoder().decode(bytes);
    for (const file of [
      `${text}\n`,
      `\ufeff${text}`,
      `${text}{}`,
      text.slice(0, -1),
      '',
      'null',
      '[]',
      text.replace('{"entries"', '{"entries":[],"entries"'),
      JSON.stringify(JSON.parse(text), null, 2),
    ]) {
      expect(await codes(utf8(file)), file.slice(0, 30)).toEqual(['form']);
    }
  });

  test.each([
    ['moved', (entries: ReleaseRecord['entries']) => [entries[0], entries[2], entries[1], entries[3]]],
    ['left out', (entries: ReleaseRecord['entries']) => [entries[0], entries[2], entries[3]]],
    ['said twice', (entries: ReleaseRecord['entries']) => [...entries, entries[3]]],
  ])('entries %s', async (_, change) => {
    expect(await codes(canonicalBytes({ ...record, entries: change(record.entries) }))).toEqual(['chain']);
  });

  test('the last entries cut off, with the old or the new head', async () => {
    expect(await codes(canonicalBytes({ ...record, entries: record.entries.slice(0, 2) }))).toEqual(['signature']);
    expect((await verify(canonicalBytes({ ...record, entries: record.entries.slice(0, 2), head: older.head }))).ok).toBe(true);
  });

  test('a head with a second signature', async () => {
    const head: Envelope = { ...record.head, signatures: [...record.head.signatures, ...record.head.signatures] };
    expect(await codes(canonicalBytes({ ...record, head }))).toEqual(['signature']);
  });
});

describe('rejects contents that do not fit together, though signed', () => {
  test.each([
    ['a version that is not SemVer', { version: 'v1', gitTag: 'v1' }, 'not SemVer'],
    ['a Git tag that is not the version', { gitTag: '1.0.1' }, 'not the version'],
  ])('%s', async (_, first, message) => {
    expect(await rejected([], first)).toEqual([expect.stringContaining(message)]);
  });

  test('verdicts', async () => {
    expect(await rejected([await image({}, {}, stranger)])).toEqual([expect.stringContaining('No trusted key')]);
    expect(await rejected([await image({}, { outcome: 'blocked' })])).toEqual([expect.stringContaining('"blocked"')]);
    expect(await rejected([await image({}, { policy: { profile: 'p', environment: 'prod', digest: digest('d') } })])).toEqual([
      expect.stringContaining('for prod'),
    ]);
    expect(await rejected([await image({ digest: digest('b') })])).toEqual([expect.stringContaining('not about')]);
    expect(await rejected([await image({}, { judgedAt: at(30) })])).toEqual([expect.stringContaining('after the entry')]);
  });

  test('SBOMs', async () => {
    const own = await digestOf(canonicalBytes(sbomDocument));
    expect(await rejected([await image({ sbom: { digest: digest('9') } })])).toEqual([expect.stringContaining('was given on the SBOM')]);
    expect(await rejected([await image({ sbom: { digest: own, document: { bomFormat: 'other' } } })])).toEqual([
      expect.stringContaining('does not have the digest'),
    ]);
  });

  test('a deployment that applied something else, and says why, holds', async () => {
    const applied = [{ release: 'app', operation: 'install' as const, revision: 1, kubeVersion: '1.32.0', digest: digest('f') }];
    const honest = await appendEntry(
      await appendEntry(older, manifests(), key),
      deployment({ applied, unequal: 'a random function' }),
      key,
    );
    expect(await codes(exportRecord(honest))).toEqual([]);
    expect(summarizeRecord(honest).at(-1)?.details).toContain('a random function');
  });

  test('manifests and deployments without what they stand on', async () => {
    expect(await rejected([manifests()])).toEqual([expect.stringContaining('no verdict')]);
    expect(await rejected([deployment()])).toEqual([expect.stringContaining('does not hold')]);
    expect(await rejected([await image(), manifests({ images: [{ name, digest: digest('b') }] })])).toEqual([
      expect.stringContaining('no verdict'),
    ]);
    expect(await rejected([await image(), manifests(), deployment({ endedAt: at(1) })])).toEqual([expect.stringContaining('ended before')]);
    const applied = [{ release: 'app', operation: 'install' as const, revision: 1, kubeVersion: '1.32.0', digest: digest('f') }];
    expect(await rejected([await image(), manifests(), deployment({ applied })])).toEqual([expect.stringContaining('does not say why')]);
  });
});

test('only grows: a newer file extends an older one', async () => {
  expect(extendsRecord(older, record)).toBe(true);
  expect(extendsRecord(record, older)).toBe(false);
  expect(extendsRecord(await appendEntry(await start(), await image(), key), record)).toBe(false);
});

test('refuses an entry from the past, a second beginning, and a malformed one', async () => {
  await expect(appendEntry(record, { ...deployment(), at: at(1) }, key)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
  await expect(appendEntry(record, { ...(record.entries[0] as EntryOf<'created'>) }, key)).rejects.toMatchObject({
    code: 'RECORD_INVALID',
  });
  await expect(appendEntry(record, manifests({ digest: 'x' as Digest }), key)).rejects.toMatchObject({ code: 'RECORD_INVALID' });
});

test('says in words what it holds', () => {
  const lines = summarizeRecord(record);
  expect(lines.map((line) => line.what)).toEqual([
    'Release 1.0.0 of sample-app from commit cccccccccccc',
    `Image ${name}:1.0.0@${digest('a')} judged "pass" for e2e`,
    `Chart sample-app 1.0.0 rendered for e2e: 1 objects in sample-app, ${digest('e')}`,
    'Deployment to e2e succeeded',
  ]);
  expect(lines[1]?.details).toEqual([
    'Nothing known blocks the image.',
    'advisories: GitHub of 2026-11-22, 6 records',
    'not assessed: bin/server (no owner)',
  ]);
});
