import { Instant } from '@desp/model';
import { expect, test } from 'vitest';
import { AdvisorySet } from './advisories/advisory-set.ts';
import { rehearsalAdvisories } from './advisories/rehearsal.ts';
import { chunks, fixtureDigest, type TarFile, tar } from './archive/tar-fixture.ts';
import { assessImage } from './assess.ts';
import { gateRules } from './gate/gate-rules-fixture.ts';
import { policyFor } from './gate/policy.ts';
import { layerOf } from './image/blob-layer.ts';

const now = Instant.parse('2026-11-22T12:00:00.000Z');
const gzipType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const manifest = (version: string): TarFile => ({
  path: 'app/node_modules/minimist/package.json',
  content: JSON.stringify({ name: 'minimist', version }),
});

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

async function assess(mediaType: string, ...layers: TarFile[][]) {
  const blobs = await Promise.all(layers.map((files) => gzip(tar(files))));
  const source = {
    digest: fixtureDigest,
    config: {},
    layers: blobs.map((blob, index) => layerOf({ digest: `sha256:${index}`, mediaType, open: () => chunks(blob) })),
  };
  const advisories = new AdvisorySet(rehearsalAdvisories());
  return assessImage(source, {
    subject: { name: 'registry/a', digest: fixtureDigest },
    advisories,
    policy: policyFor({ name: 'of-this-test', gate: gateRules }, { name: 'e2e', entry: 'direct' }),
    now,
  });
}

test('the first version of a service is blocked, the mended one passes', async () => {
  const first = await assess(gzipType, [manifest('1.2.5')]);
  expect(first.verdict).toMatchObject({
    outcome: 'blocked',
    findings: [{ id: 'GHSA-xvch-5gv4-984h', fixedIn: '1.2.6' }],
    sbom: first.sbom.digest,
  });
  expect((await assess(gzipType, [manifest('1.2.5')], [manifest('1.2.8')])).verdict.outcome).toBe('pass');
});

test.each(['application/vnd.oci.image.layer.v1.tar+zstd', 'application/x'])(
  'a layer of type %s is not assessed, and so nothing passes',
  async (mediaType) => {
    const { verdict } = await assess(mediaType, [manifest('1.2.8')]);
    expect(verdict).toMatchObject({ outcome: 'incomplete', notAssessed: [{ what: 'layer sha256:0' }] });
  },
);

test('a layer that lies about its compression is not assessed either', async () => {
  expect((await assess('application/vnd.oci.image.layer.v1.tar', [manifest('1.2.8')])).verdict.outcome).toBe('incomplete');
});
