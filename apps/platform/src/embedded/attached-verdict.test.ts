import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Digest, type Instant, type Verdict } from '@desp/model';
import { createRegistry, createRegistryClient, digestOf, openRegistryStore, type RegistryClient } from '@desp/oci';
import { generateKeyPair, importKeyPair, type Signer, signVerdict, type Verifier } from '@desp/security';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attach } from '../gate/attach.ts';
import { verdictAttachment } from '../gate/judge-image.ts';
import { attachedVerdict } from './attached-verdict.ts';

const folder = mkdtempSync(join(tmpdir(), 'desp-verdict-'));
const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
let client: RegistryClient;
let platform: Signer & Verifier;
let stranger: Signer & Verifier;

const pair = async () => importKeyPair(await generateKeyPair('ed25519'));

beforeAll(async () => {
  [platform, stranger] = await Promise.all([pair(), pair()]);
  const store = await openRegistryStore({ folder });
  closers.push(() => store.close());
  const registry = await createRegistry({ name: 'quarantine', store, authenticate: () => ({ kind: 'platform', name: 'platform' }) });
  closers.push(() => registry.close());
  await registry.ensureProject('app', { tags: 'mutable' });
  const { url } = await registry.listen({ port: 0 });
  client = createRegistryClient({ url, credentials: { username: 'platform', password: 'x' } });
  closers.push(() => client.close());
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** An image of its own for each test. */
async function image(name: string): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify({ name }));
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(bytes), size: bytes.length };
  await client.pushBlob('app/web', config, () => Readable.from([bytes]));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  return Digest.parse(await client.pushManifest('app/web', digestOf(manifest), { mediaType, bytes: manifest }));
}

const verdictOn = (digest: Digest, outcome: Verdict['outcome'], at: string, environment = 'e2e'): Verdict => ({
  subject: { name: 'app/web', digest },
  outcome,
  policy: { profile: 'procedure-2023', environment, digest },
  reasons: ['As it is.'],
  findings: [],
  notAssessed: [],
  advisories: { databases: [] },
  sbom: digest,
  judgedAt: at as Instant,
});
const say = async (verdict: Verdict, signer: Signer) =>
  attach(client, 'app/web', verdict.subject.digest, verdictAttachment(verdict, await signVerdict(verdict, 'https://desp.test', signer)));
const read = (digest: Digest) => attachedVerdict(client, 'app/web', digest as never, { environment: 'e2e', trusted: [platform] });

test('the newest of the trusted key and the environment counts', async () => {
  const digest = await image('newest');
  expect(await read(digest)).toBeUndefined();
  await say(verdictOn(digest, 'pass', '2026-01-02T00:00:00.000Z'), platform);
  await say(verdictOn(digest, 'blocked', '2026-01-01T00:00:00.000Z'), platform);
  await say(verdictOn(digest, 'blocked', '2026-01-03T00:00:00.000Z', 'prod'), platform);
  expect((await read(digest))?.outcome).toBe('pass');
  await say(verdictOn(digest, 'blocked', '2026-01-04T00:00:00.000Z'), platform);
  expect((await read(digest))?.outcome).toBe('blocked');
});

test('a statement of another key, about another image, or of no sense counts for nothing', async () => {
  const [digest, other] = [await image('mine'), await image('other')];
  await say(verdictOn(digest, 'pass', '2026-01-01T00:00:00.000Z'), stranger);
  const borrowed = verdictOn(other, 'pass', '2026-01-01T00:00:00.000Z');
  await attach(client, 'app/web', digest, verdictAttachment(borrowed, await signVerdict(borrowed, 'https://desp.test', platform)));
  const { mediaType: type, annotations } = verdictAttachment(borrowed, {});
  await attach(client, 'app/web', digest, { mediaType: type, bytes: Buffer.from('{"payload":'), annotations });
  expect(await read(digest)).toBeUndefined();
});
