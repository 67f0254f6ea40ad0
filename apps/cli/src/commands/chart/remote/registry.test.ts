import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeTar } from '@desp/chart';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChart } from '../test-data/run-chart.ts';

/** A registry that tells the truth in one repository and lies in the others: a digest is what decides. */

const sha256 = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;
const archive = gzipSync(writeTar([{ name: 'web/Chart.yaml', data: Buffer.from('apiVersion: v2\nname: web\nversion: 1.0.0\n') }], 0));
const changed = Buffer.concat([archive.subarray(0, -1), Buffer.from([1])]);
const config = Buffer.from('{"name":"web","version":"1.0.0","apiVersion":"v2"}');

const manifestOf = (chart: Uint8Array): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: sha256(config), size: config.length },
      layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', digest: sha256(chart), size: chart.length }],
    }),
  );
const manifest = manifestOf(archive);
const digest = sha256(manifest);

const repositories: Readonly<Record<string, { readonly manifest: Buffer; readonly blob: Buffer }>> = {
  honest: { manifest, blob: archive },
  'other-manifest': { manifest: manifestOf(changed), blob: changed },
  'other-chart': { manifest, blob: changed },
  'short-chart': { manifest, blob: archive.subarray(0, 20) },
  'long-chart': { manifest, blob: Buffer.concat([archive, archive]) },
};

const refusals: Readonly<Record<string, { readonly status: number; readonly body: string }>> = {
  denied: { status: 403, body: '{"errors":[{"code":"DENIED","message":"not yours"},{"code":"NAME_UNKNOWN"}]}' },
  broken: { status: 500, body: '<html>' },
};

let server: Server;
let host = '';
let folder = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chart-registry-'));
  server = createServer((request, response) => {
    const [, , name = '', , what] = (request.url ?? '').split('/');
    const repository = repositories[name];
    const refusal = refusals[name];
    if (refusal) response.writeHead(refusal.status).end(refusal.body);
    else if (!repository || (what !== 'manifests' && what !== 'blobs')) response.writeHead(404).end();
    else if (what === 'manifests')
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(repository.manifest);
    else response.writeHead(200, { 'content-length': repository.blob.length }).end(repository.blob);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const pull = (reference: string, ...flags: string[]) =>
  runChart('pull', `oci://${host}/${reference}`, '--plain-http', '-d', folder, ...flags);
/** What pulls left behind, which is cleared away. */
const pulled = (): string[] => {
  const names = readdirSync(folder);
  for (const name of names) rmSync(join(folder, name));
  return names;
};

describe('a pull by digest', () => {
  test('takes what the digest stands for, and is named after it', async () => {
    const file = `web@${digest.replace(':', '-')}.tgz`;
    for (const reference of [`honest/web@${digest}`, `honest/web:1.0.0@${digest}`]) {
      expect(await pull(reference)).toEqual({ code: 0, stdout: `Pulled: ${host}/honest/web@${digest}\nDigest: ${digest}\n`, stderr: '' });
      expect(readFileSync(join(folder, file))).toEqual(archive);
      expect(pulled()).toEqual([file]);
    }
  });

  test.each([
    ['another manifest', 'other-manifest', `with bytes that are ${sha256(manifestOf(changed))}`],
    ['another chart', 'other-chart', `it is ${sha256(changed)}`],
    ['half a chart', 'short-chart', `it has 20 bytes, not ${archive.length}`],
    ['more than the chart', 'long-chart', `it is over ${archive.length} bytes`],
    ['nothing', 'nobody', 'not found'],
  ])('refuses %s and leaves nothing behind', async (_what, repository, words) => {
    const { code, stdout, stderr } = await pull(`${repository}/web@${digest}`);
    expect({ code, stdout, stderr, files: pulled() }).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining(words), files: [] });
  });

  test('refuses a tag that stands for something else', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    expect((await pull(`honest/web:1.0.0@${other}`)).stderr).toBe(`Error: chart reference digest mismatch: ${digest} is not ${other}\n`);
    expect((await pull('honest/web@sha256:00')).stderr).toContain('invalid reference');
    expect(pulled()).toEqual([]);
  });
});

test.each([
  ['denied', '/v2/denied/web/manifests/1.0.0', '403: denied: not yours; name unknown'],
  ['broken', '/v2/broken/web/manifests/1.0.0', '500: Internal Server Error'],
])('what a registry answers that is %s stands in the message', async (name, path, said) => {
  expect((await pull(`${name}/web`, '--version', '1.0.0')).stderr).toBe(
    `Error: failed to perform "FetchReference" on source: GET "http://${host}${path}": response status code ${said}\n`,
  );
});

test('a chart pulled by its tag is checked against the manifest too', async () => {
  expect((await pull('honest/web', '--version', '1.0.0')).code).toBe(0);
  expect(pulled()).toEqual(['web-1.0.0.tgz']);
  expect((await pull('other-chart/web', '--version', '1.0.0')).stderr).toContain(`it is ${sha256(changed)}`);
  expect((await pull('nobody/web', '--version', '1.0.0')).stderr).toBe(
    `Error: failed to perform "FetchReference" on source: ${host}/nobody/web:1.0.0: not found\n`,
  );
  expect(pulled()).toEqual([]);
});
