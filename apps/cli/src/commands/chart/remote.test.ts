import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeTar } from '@desp/chart';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { issue } from './test-data/certificates.ts';
import { runChart } from './test-data/run-chart.ts';
import { startRegistry } from './test-data/test-registry.ts';

/** Repositories and registries on loopback: what comes from them, and what a hostile one gets. */

const cleanups: (() => unknown)[] = [];
let folder = '';
const before = { ...process.env };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-remote-'));
  Object.assign(process.env, {
    HELM_CONFIG_HOME: folder,
    HELM_CACHE_HOME: folder,
    DOCKER_CONFIG: join(folder, 'docker'),
    NO_PROXY: '127.0.0.1',
  });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  rmSync(folder, { recursive: true, force: true });
  process.env = { ...before };
});

async function serve(listener: RequestListener): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const text = (value: string) => new TextEncoder().encode(value);

/** An archive of these files, which need not be a proper one. */
const archive = (files: Readonly<Record<string, string>>): Buffer =>
  gzipSync(
    writeTar(
      Object.entries(files).map(([name, data]) => ({ name, data: text(data) })),
      0,
    ),
  );

const chartOf = (name: string, version: string) =>
  archive({
    [`${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: ${version}\n`,
    [`${name}/templates/a.yaml`]: 'kind: ConfigMap\nmetadata: {name: a}\n',
  });

/** A repository of these versions of `part`; relative addresses, as `helm repo index` writes them. */
async function serveRepository(versions: readonly string[]) {
  const entries = versions.map((version) => `  - {name: part, version: ${version}, urls: [part-${version}.tgz]}`).join('\n');
  return serve((request, response) => {
    const version = /^\/charts\/part-(.+)\.tgz$/.exec(request.url ?? '')?.[1];
    if (request.url === '/charts/index.yaml') response.end(`apiVersion: v1\nentries:\n  part:\n${entries}\n`);
    else if (version && versions.includes(version)) response.end(chartOf('part', version));
    else response.writeHead(404).end();
  });
}

describe('pull', () => {
  test('takes the newest version of a range, and leaves pre-releases out', async () => {
    const { url } = await serveRepository(['1.0.0', '1.2.0', '1.3.0-rc.1', '2.0.0']);
    expect(await runChart('pull', 'part', '--repo', `${url}/charts`, '--version', '^1.0', '-d', folder)).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect(readdirSync(folder)).toEqual(['part-1.2.0.tgz']);
    await runChart('pull', 'part', '--repo', `${url}/charts`, '--devel', '--untar', '-d', join(folder, 'out'));
    expect(readFileSync(join(folder, 'out/part/Chart.yaml'), 'utf8')).toContain('version: 2.0.0');
    const missing = await runChart('pull', 'part', '--repo', `${url}/charts`, '--version', '9.x', '-d', folder);
    expect(missing.stderr).toBe(`Error: chart "part" version "9.x" not found in ${url}/charts repository\n`);
  });

  test('sends a login to its own server only, not along a redirect, and never shows it', async () => {
    const other = await serve((_request, response) => response.end(chartOf('part', '1.0.0')));
    const { url, requests } = await serve((request, response) => {
      if (request.url === '/index.yaml')
        response.end('apiVersion: v1\nentries:\n  part:\n  - {name: part, version: 1.0.0, urls: [part-1.0.0.tgz]}\n');
      else response.writeHead(302, { location: `${other.url}/elsewhere.tgz` }).end();
    });
    const login = ['--username', 'alice', '--password', 'very-secret'];
    expect((await runChart('pull', 'part', '--repo', url, ...login, '-d', folder)).code).toBe(0);
    expect(requests.every(({ headers }) => headers.authorization?.startsWith('Basic '))).toBe(true);
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const refused = await runChart('pull', `http://very-secret@127.0.0.1:1/x.tgz`, ...login, '-d', folder);
    expect([refused.code, refused.stderr.includes('very-secret')]).toEqual([1, false]);
  });

  test.each([
    ['file:///etc/passwd', 'it redirects to file://'],
    ['gopher://127.0.0.1/', 'it redirects to gopher://'],
  ])('does not follow a redirect to %s', async (location, words) => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location }).end());
    const { code, stderr } = await runChart('pull', `${url}/x-1.0.0.tgz`, '-d', folder);
    expect([code, stderr.includes(words)]).toEqual([1, true]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('gives up on what is too large, endless redirects and an index that is a bomb', async () => {
    const { url } = await serve((request, response) => {
      if (request.url?.startsWith('/large')) response.writeHead(200, { 'content-length': String(10 ** 12) }).write('x');
      else if (request.url?.startsWith('/loop')) response.writeHead(302, { location: '/loop' }).end();
      else
        response.end(
          `apiVersion: v1\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replace(/./g, (name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}]\n`)}entries: *i\n`,
        );
    });
    expect((await runChart('pull', `${url}/large.tgz`, '-d', folder)).stderr).toContain('is larger than');
    expect((await runChart('pull', `${url}/loop.tgz`, '-d', folder)).stderr).toContain('stopped after 10 redirects');
    expect((await runChart('pull', 'part', '--repo', `${url}/bomb`, '-d', folder)).stderr).toContain(
      'document contains excessive aliasing',
    );
  });

  test.each([
    ['a file above', { 'part/Chart.yaml': 'apiVersion: v2\nname: part\nversion: 1.0.0\n', 'part/../../evil': 'x' }],
    ['a name that leads out', { 'part/Chart.yaml': 'apiVersion: v2\nname: ../../evil\nversion: 1.0.0\n' }],
    ['an absolute path', { 'part/Chart.yaml': 'apiVersion: v2\nname: part\nversion: 1.0.0\n', 'part//tmp/evil-chart': 'x' }],
  ])('--untar refuses %s and leaves nothing behind', async (_what, files) => {
    const { url } = await serve((_request, response) => response.end(archive(files)));
    const { code } = await runChart('pull', `${url}/part-1.0.0.tgz`, '--untar', '-d', join(folder, 'a/b'));
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
    expect(existsSync(join(folder, 'a/b')) ? readdirSync(join(folder, 'a/b')) : []).toEqual([]);
  });

  test('makes no folder but for what it unpacks, and leaves nothing that is not verified', async () => {
    const { url } = await serveRepository(['1.0.0']);
    const from = ['part', '--repo', `${url}/charts`];
    expect((await runChart('pull', ...from, '-d', join(folder, 'a/b'))).stderr).toBe(
      `Error: open ${folder}/a/b/part-1.0.0.tgz: no such file or directory\n`,
    );
    writeFileSync(join(folder, 'file'), '');
    expect((await runChart('pull', ...from, '-d', join(folder, 'file'))).stderr).toContain('part-1.0.0.tgz: not a directory');
    expect((await runChart('pull', ...from, '-d', folder, '--verify')).stderr).toBe(
      `Error: failed to fetch provenance "${url}/charts/part-1.0.0.tgz.prov"\n`,
    );
    expect(readdirSync(folder)).toEqual(['file']);
    expect((await runChart('pull', ...from, '-d', join(folder, 'a/b'), '--untar')).code).toBe(0);
    expect(readdirSync(join(folder, 'a/b/part'))).toEqual(['Chart.yaml', 'templates']);
  });

  test('says what stands in for one version, as Helm 4; a range means what it takes', async () => {
    const { url } = await serveRepository(['1.0.0']);
    const pull = async (helm: string, version: string) =>
      (await runChart('--helm', helm, 'pull', 'part', '--repo', `${url}/charts`, '--version', version, '-d', folder)).stderr;
    expect(await pull('4', 'v1.0.0')).toBe(
      'level=WARN msg="unable to find exact version requested; falling back to closest available version" chart=part requested=v1.0.0 selected=1.0.0\n',
    );
    for (const [helm, version] of [
      ['3', 'v1.0.0'],
      ['4', '1.0.0'],
      ['4', '^1'],
      ['4', '1.x'],
    ] as const)
      expect(await pull(helm, version)).toBe('');
  });

  test('names in its own place what is wrong: an address, a values file, provenance that is missing', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/index.yaml')
        response.end(
          'apiVersion: v1\nentries:\n  odd: [{name: odd, version: 1.0.0, urls: ["a%zz.tgz"]}]\n  part: [{name: part, version: 1.0.0, urls: [p.tgz]}]\n',
        );
      else if (request.url === '/p.tgz') response.end(chartOf('part', '1.0.0'));
      else response.writeHead(404).end();
    });
    const odd = await runChart('pull', 'odd', '--repo', url, '-d', folder);
    expect(odd.stderr).toBe(
      'Error: failed to make chart URL absolute: failed to parse a%zz.tgz as URL: parse "a%zz.tgz": invalid URL escape "%zz"\n',
    );
    const direct = await runChart('pull', `${url}/a%zz.tgz`, '-d', folder);
    expect(direct.stderr).toBe(`Error: invalid chart URL format: ${url}/a%zz.tgz\n`);
    const { stdout } = await runChart('pull', 'part', '--repo', url, '--prov', '-d', folder);
    expect(stdout).toBe(`WARNING: Verification not found for ${url}/p.tgz: failed to fetch ${url}/p.tgz.prov : 404 Not Found\n`);
    const values = await runChart('template', 'x', join(folder, 'p.tgz'), '--set-file', `a=${url}/none`);
    expect(values.stderr).toBe(`Error: failed parsing --set-file data: failed to fetch ${url}/none : 404 Not Found\n`);
  });

  test('refuses a file name that a server made up', async () => {
    const { url } = await serve((_request, response) => response.end(chartOf('part', '1.0.0')));
    const { stderr } = await runChart('pull', `${url}/x/..%2f..%2fevil.tgz`, '-d', folder);
    expect(stderr).toContain('which is no file name');
  });
});

describe('an added repository', () => {
  const ca = issue('ca');

  /** One over TLS; `entry` is what repositories.yaml says of it beside its address. */
  async function add(entry: object): Promise<string> {
    const { certificate, key } = issue('server', { ips: ['127.0.0.1'], signer: ca });
    const server = createSecureServer({ cert: certificate, key }, (request, response) => {
      if (request.url === '/index.yaml')
        response.end('apiVersion: v1\nentries:\n  part:\n  - {name: part, version: 1.0.0, urls: [part-1.0.0.tgz]}\n');
      else if (request.headers.authorization === undefined) response.writeHead(401).end();
      else response.end(chartOf('part', '1.0.0'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    writeFileSync(join(folder, 'ca.pem'), ca.certificate);
    writeFileSync(join(folder, 'repositories.yaml'), JSON.stringify({ repositories: [{ name: 'own', url, ...entry }] }));
    mkdirSync(join(folder, 'repository'));
    writeFileSync(
      join(folder, 'repository/own-index.yaml'),
      'apiVersion: v1\nentries:\n  part:\n  - {name: part, version: 1.0.0, urls: [part-1.0.0.tgz]}\n',
    );
    mkdirSync(join(folder, 'parent'));
    writeFileSync(
      join(folder, 'parent/Chart.yaml'),
      'apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies: [{name: part, version: 1.0.0, repository: "@own"}]\n',
    );
    return url;
  }
  const login = ['--username', 'alice', '--password', 'alice-password'];
  const pull = (...flags: string[]) => runChart('pull', 'own/part', '-d', folder, ...flags);
  const update = () => runChart('dependency', 'update', join(folder, 'parent'));
  const unknown = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';

  test('takes from flags what repositories.yaml does not say', async () => {
    const url = await add({});
    expect((await pull(...login)).stderr).toBe(`Error: Get "${url}/part-1.0.0.tgz": ${unknown}\n`);
    expect((await pull('--ca-file', join(folder, 'ca.pem'))).stderr).toContain('401');
    expect((await pull(...login, '--ca-file', join(folder, 'ca.pem'))).code).toBe(0);
    expect((await pull(...login, '--insecure-skip-tls-verify')).code).toBe(0);
  });

  test('insecure_skip_tls_verify counts for its index and dependencies, as with Helm, not for a pull', async () => {
    await add({ insecure_skip_tls_verify: true, username: 'alice', password: 'alice-password' });
    expect((await pull()).stderr).toContain(unknown);
    expect(await update()).toMatchObject({ code: 0, stdout: expect.stringContaining('...Successfully got an update from the "own"') });
  });

  test('whose files are wrong says so; its cached index serves where a new one cannot be had', async () => {
    const url = await add({ caFile: join(folder, 'nope') });
    const why = `can't create TLS config for client: can't read CA file: "${folder}/nope": open ${folder}/nope: no such file or directory`;
    expect((await pull()).stderr).toBe(`Error: ${why}\n`);
    const { stdout, stderr } = await update();
    expect(stdout).toContain(`...Unable to get an update from the "own" chart repository (${url}):\n\t${why}\nUpdate Complete.`);
    expect(stderr).toBe(`Error: could not download ${url}/part-1.0.0.tgz: ${why}\n`);
    rmSync(join(folder, 'repository/own-index.yaml'));
    expect((await update()).stderr).toContain("no cached repository for own found. (try 'helm repo update'): open ");
  });
});

describe('dependency', () => {
  const writeParent = (repository: string, version = '^1.0'): string => {
    const path = join(folder, 'parent');
    mkdirSync(join(path, 'charts'), { recursive: true });
    writeFileSync(
      join(path, 'Chart.yaml'),
      `apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n- name: part\n  version: ${version}\n  repository: ${repository}\n`,
    );
    return path;
  };

  test('update writes charts/ and a lock; build repeats it exactly, and refuses a lock that is out of step', async () => {
    const { url } = await serveRepository(['1.0.0', '1.2.0']);
    const path = writeParent(`${url}/charts`);
    writeFileSync(join(path, 'charts/part-0.9.0.tgz'), chartOf('part', '0.9.0'));
    const updated = await runChart('dependency', 'update', path);
    expect(updated.stdout).toBe(
      `Getting updates for unmanaged Helm repositories...\n...Successfully got an update from the "${url}/charts" chart repository\nSaving 1 charts\nDownloading part from repo ${url}/charts\nDeleting outdated charts\n`,
    );
    expect(readdirSync(join(path, 'charts'))).toEqual(['part-1.2.0.tgz']);
    const lock = readFileSync(join(path, 'Chart.lock'), 'utf8');
    const hashed = `[[{"name":"part","version":"^1.0","repository":"${url}/charts"}],[{"name":"part","version":"1.2.0","repository":"${url}/charts"}]]`;
    expect(lock).toContain(`digest: sha256:${createHash('sha256').update(hashed).digest('hex')}\n`);
    rmSync(join(path, 'charts'), { recursive: true });
    expect((await runChart('dependency', 'build', path)).code).toBe(0);
    expect((await runChart('dependency', 'list', path)).stdout).toContain('ok');
    writeParent(`${url}/charts`, '^2.0');
    expect((await runChart('dependency', 'build', path)).stderr).toBe(
      "Error: the lock file (Chart.lock) is out of sync with the dependencies file (Chart.yaml). Please update the dependencies with 'helm dependency update'\n",
    );
    expect((await runChart('dependency', 'update', path)).stderr).toContain("can't get a valid version for 1 subchart(s)");
    expect(readdirSync(join(path, 'charts'))).toEqual(['part-1.2.0.tgz']);
  });

  test('a failed download leaves charts/ as it was, and a link in its place is not followed', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/index.yaml')
        response.end('apiVersion: v1\nentries:\n  part:\n  - {name: part, version: 1.1.0, urls: [part-1.1.0.tgz]}\n');
      else response.end('no archive');
    });
    const path = writeParent(url);
    writeFileSync(join(path, 'charts/part-1.0.0.tgz'), chartOf('part', '1.0.0'));
    expect((await runChart('dependency', 'update', path)).stderr).toContain('could not download');
    expect([readdirSync(join(path, 'charts')), readdirSync(path)]).toEqual([['part-1.0.0.tgz'], ['Chart.yaml', 'charts']]);
    rmSync(join(path, 'charts'), { recursive: true });
    symlinkSync('/tmp', join(path, 'charts'));
    expect((await runChart('dependency', 'update', path)).stderr).toContain('is a link');
  });

  test('file:// repositories are packed; template --dependency-update does it on the way', async () => {
    mkdirSync(join(folder, 'part/templates'), { recursive: true });
    writeFileSync(join(folder, 'part/Chart.yaml'), 'apiVersion: v2\nname: part\nversion: 1.4.0\n');
    writeFileSync(join(folder, 'part/templates/a.yaml'), 'kind: ConfigMap\nmetadata: {name: from-part}\n');
    const path = writeParent('file://../part');
    const { code, stdout } = await runChart('template', 'demo', path, '--dependency-update');
    expect([code, stdout.includes('from-part'), readdirSync(join(path, 'charts'))]).toEqual([0, true, ['part-1.4.0.tgz']]);
  });
});

describe('registries', () => {
  test('push, pull, ranges and provenance with the platform’s own registry; the login is what docker login left', async () => {
    const registry = await startRegistry();
    cleanups.push(registry.stop);
    mkdirSync(join(folder, 'docker'));
    const auth = Buffer.from('alice:alice-password').toString('base64');
    writeFileSync(join(folder, 'docker/config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const remote = `oci://${registry.host}/charts`;
    for (const version of ['1.0.0', '1.1.0+build.7']) {
      const file = join(folder, `part-${version}.tgz`);
      writeFileSync(file, chartOf('part', version));
      writeFileSync(`${file}.prov`, 'not looked at by a push');
      const pushed = await runChart('push', file, remote, '--plain-http');
      expect([pushed.code, pushed.stdout.split('\n')[0]]).toEqual([0, `Pushed: ${registry.host}/charts/part:${version.replace('+', '_')}`]);
    }
    const again = await runChart('--helm', '3', 'push', join(folder, 'part-1.0.0.tgz'), remote, '--plain-http');
    expect([again.stdout, again.stderr.split('\n')[0]]).toEqual(['', `Pushed: ${registry.host}/charts/part:1.0.0`]);
    mkdirSync(join(folder, 'out'));
    const pulled = await runChart('pull', `${remote}/part`, '--plain-http', '--prov', '-d', join(folder, 'out'));
    expect([pulled.code, readdirSync(join(folder, 'out'))]).toEqual([0, ['part-1.1.0+build.7.tgz', 'part-1.1.0+build.7.tgz.prov']]);
    const shown = await runChart('show', 'chart', `${remote}/part`, '--version', '~1.0.0', '--plain-http');
    expect([shown.code, shown.stdout]).toEqual([0, 'apiVersion: v2\nname: part\nversion: 1.0.0\n\n']);
    expect((await runChart('pull', `${remote}/part`, '--version', '9.9.9', '--plain-http')).stderr).toContain('not found');
    writeFileSync(join(folder, 'docker/config.json'), '{}');
    const asked = `http://${registry.host}/v2/charts/part/manifests/1.0.0`;
    const service = `http://${registry.host}/service/token?scope=repository%3Acharts%2Fpart%3Apull&service=harbor-registry`;
    const refused = 'response status code 401: unauthorized: unauthorized: authentication required';
    const wrong = ['--username', 'alice', '--password', 'not-hers'];
    for (const login of [[], wrong])
      expect((await runChart('pull', `${remote}/part`, '--version', '1.0.0', '--plain-http', '-d', folder, ...login)).stderr).toBe(
        `Error: failed to perform "FetchReference" on source: GET "${asked}": GET "${service}": ${refused}\n`,
      );
    const nowhere = await runChart(
      'push',
      join(folder, 'part-1.0.0.tgz'),
      `oci://${registry.host}/nope`,
      '--plain-http',
      ...wrong.with(-1, 'alice-password'),
    );
    expect(nowhere.stderr).toContain(
      `Error: failed to perform "Push" on destination: POST "http://${registry.host}/v2/nope/part/blobs/uploads/": response status code 404: name unknown: project nope not found`,
    );
  });
});

test('--output-dir stays in its folder: no link in it is followed', async () => {
  const chart = join(folder, 'web');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 1.0.0\n');
  writeFileSync(join(chart, 'templates/a.yaml'), 'kind: ConfigMap\n---\nkind: Secret\n');
  const out = join(folder, 'out');
  expect(await runChart('template', 'demo', chart, '--output-dir', out)).toEqual({
    code: 0,
    stdout: `wrote ${out}/web/templates/a.yaml\nwrote ${out}/web/templates/a.yaml\n\n`,
    stderr: '',
  });
  expect(readFileSync(join(out, 'web/templates/a.yaml'), 'utf8')).toContain('kind: ConfigMap');
  rmSync(join(out, 'web'), { recursive: true });
  mkdirSync(join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), join(out, 'web'));
  expect((await runChart('template', 'demo', chart, '--output-dir', out)).code).toBe(1);
  expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
});
