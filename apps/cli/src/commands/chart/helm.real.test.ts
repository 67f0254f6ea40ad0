import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOk } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { folder as data } from './test-data/cases.ts';
import { runChart } from './test-data/run-chart.ts';
import { startRegistry } from './test-data/test-registry.ts';

/** Real clients on the other side: GnuPG's keys, Helm's archives and registries, Debian's registry. `HELM` names another binary. */

const helm = process.env['HELM'] ?? 'helm';
const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
const hasGpg = has('gpg', '--version');
const helmVersion = /v([34])\./.exec(spawnSync(helm, ['version', '--template', '{{ .Version }}'], { encoding: 'utf8' }).stdout ?? '')?.[1];
const hasRegistry = has('docker-registry', '--version');
const why = (is: boolean, what: string): string => (is ? '' : ` (skipped: ${what} is not on this machine)`);

let folder = '';
const before = { ...process.env };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chart-helm-'));
  Object.assign(process.env, { HELM_CONFIG_HOME: folder, HELM_CACHE_HOME: join(folder, 'cache'), DOCKER_CONFIG: join(folder, 'docker') });
  cpSync(join(data, 'charts/umbrella'), join(folder, 'umbrella'), { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  process.env = before;
});

/** Helm with settings of its own. */
const runHelm = (...args: string[]) =>
  runOk([helm, ...args], { env: { HELM_CONFIG_HOME: folder, HELM_CACHE_HOME: at('cache'), HELM_DATA_HOME: at('data') } });

const at = (...parts: string[]): string => join(folder, ...parts);

async function makeKeys(): Promise<void> {
  const home = at('gnupg');
  mkdirSync(home, { mode: 0o700 });
  const gpg = ['gpg', '--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', 'a passphrase'] as const;
  await runOk([...gpg, '--quick-gen-key', 'Release Team <release@example.org>', 'rsa2048', 'sign', 'never']);
  writeFileSync(at('public.gpg'), (await runOk([...gpg, '--export'])).stdout);
  writeFileSync(at('public.asc'), (await runOk([...gpg, '--export', '--armor'])).stdout);
  writeFileSync(at('secret.gpg'), (await runOk([...gpg, '--export-secret-keys'])).stdout);
  writeFileSync(at('passphrase'), 'a passphrase\n');
  await runOk([...gpg, '--quick-gen-key', 'Stranger <stranger@example.org>', 'rsa2048', 'sign', 'never']);
  writeFileSync(at('stranger.gpg'), (await runOk([...gpg, '--export', 'stranger@example.org'])).stdout);
  await runOk(['gpgconf', '--homedir', home, '--kill', 'gpg-agent']);
}

const sign = (out: string): string[] => [
  'umbrella',
  '-d',
  out,
  '--sign',
  '--key',
  'Release',
  '--keyring',
  'secret.gpg',
  '--passphrase-file',
  'passphrase',
];
const inFolder = (args: readonly string[]): string[] =>
  args.map((arg) => (/^(umbrella|secret\.gpg|passphrase|ours|theirs)/.test(arg) ? at(arg) : arg));

describe.skipIf(!hasGpg)(`signed with a key of GnuPG${why(hasGpg, 'gpg')}`, () => {
  beforeAll(makeKeys);

  test('package --sign, verify with each kind of keyring, and refuse whatever was changed', async () => {
    const packed = await runChart('package', ...inFolder(sign('ours')));
    expect(packed).toEqual({
      code: 0,
      stdout: `Successfully packaged chart and saved it to: ${at('ours/umbrella-1.0.0.tgz')}\n`,
      stderr: '',
    });
    const archive = at('ours/umbrella-1.0.0.tgz');
    const good = await runChart('verify', archive, '--keyring', at('public.gpg'));
    expect(good.stdout).toMatch(
      /^Signed by: Release Team <release@example\.org>\nUsing Key With Fingerprint: [0-9A-F]{40}\nChart Hash Verified: sha256:[0-9a-f]{64}\n$/,
    );
    for (const keyring of ['public.asc', 'gnupg/pubring.kbx', 'secret.gpg'])
      expect(await runChart('verify', archive, '--keyring', at(keyring))).toEqual(good);
    expect((await runChart('verify', archive, '--keyring', at('stranger.gpg'))).stderr).toBe(
      'Error: openpgp: signature made by unknown entity\n',
    );
    for (const [keyring, why] of [
      ['passphrase', 'openpgp: invalid data: tag byte does not have MSB set'],
      ['gnupg', `read ${at('gnupg')}: is a directory`],
      ['nowhere', `open ${at('nowhere')}: no such file or directory`],
    ] as const) {
      expect((await runChart('verify', archive, '--keyring', at(keyring))).stderr).toBe(`Error: failed to load keyring: ${why}\n`);
      const unsigned = await runChart('package', at('umbrella'), '-d', at('ours'), '--sign', '--key', 'x', '--keyring', at(keyring));
      expect(unsigned.stderr).toBe(`Error: ${why}\n`);
    }
    const provenance = readFileSync(`${archive}.prov`, 'utf8');
    writeFileSync(`${archive}.prov`, provenance.replace('version: 1.0.0', 'version: 1.0.1'));
    expect((await runChart('verify', archive, '--keyring', at('public.gpg'))).stderr).toContain('openpgp: invalid signature');
    writeFileSync(`${archive}.prov`, provenance);
    const bytes = readFileSync(archive);
    writeFileSync(archive, Buffer.concat([bytes, Buffer.from([0])]));
    expect((await runChart('verify', archive, '--keyring', at('public.gpg'))).stderr).toContain(
      'sha256 sum does not match for umbrella-1.0.0.tgz',
    );
    writeFileSync(archive, bytes);
    expect((await runChart('template', 'demo', archive, '--verify', '--keyring', at('stranger.gpg'))).code).toBe(1);
    expect((await runChart('template', 'demo', archive, '--verify', '--keyring', at('public.gpg'))).code).toBe(0);
    writeFileSync(at('wrong'), 'not the passphrase\n');
    const refused = await runChart('package', ...inFolder(sign('ours').with(-1, 'wrong')).with(-1, at('wrong')));
    expect([refused.code, refused.stderr.includes('not the passphrase')]).toEqual([1, false]);
  });

  test('packing twice gives the same archive', async () => {
    await runChart('package', at('umbrella'), '-d', at('once'));
    await runChart('package', at('umbrella'), '-d', at('twice'));
    expect(readFileSync(at('once/umbrella-1.0.0.tgz'))).toEqual(readFileSync(at('twice/umbrella-1.0.0.tgz')));
  });

  test.skipIf(!helmVersion)(`Helm takes what we sign, and we what Helm signs${why(helmVersion !== undefined, 'helm')}`, async () => {
    await runChart('package', ...inFolder(sign('ours')));
    await runHelm('verify', at('ours/umbrella-1.0.0.tgz'), '--keyring', at('public.gpg'));
    await runHelm('package', ...inFolder(sign('theirs')));
    expect((await runChart('verify', at('theirs/umbrella-1.0.0.tgz'), '--keyring', at('public.gpg'))).code).toBe(0);
    const files = async (out: string) => (await runOk(['tar', '-xzOf', at(out, 'umbrella-1.0.0.tgz')])).stdout.toString();
    const names = async (out: string) => (await runOk(['tar', '-tzf', at(out, 'umbrella-1.0.0.tgz')])).stdout.toString();
    // Helm puts subcharts in random order.
    expect((await names('ours')).split('\n').sort()).toEqual((await names('theirs')).split('\n').sort());
    expect((await files('ours')).split('\n').sort()).toEqual((await files('theirs')).split('\n').sort());
  });
});

/** Pushes with one and pulls with the other, both ways. */
async function exchange(host: string): Promise<void> {
  const remote = `oci://${host}/charts`;
  await runChart('package', at('umbrella'), '-d', at('ours'));
  const archive = at('ours/umbrella-1.0.0.tgz');
  rmSync(`${archive}.prov`, { force: true });
  const pushed = await runChart('push', archive, remote, '--plain-http');
  expect([pushed.code, pushed.stdout.split('\n')[0]]).toEqual([0, `Pushed: ${host}/charts/umbrella:1.0.0`]);
  mkdirSync(at('back'), { recursive: true });
  const back = await runChart('pull', `${remote}/umbrella`, '--version', '^1', '--plain-http', '-d', at('back'));
  expect([back.code, readFileSync(at('back/umbrella-1.0.0.tgz'))]).toEqual([0, readFileSync(archive)]);
  if (!helmVersion) return;
  const again = await runHelm('push', archive, remote, '--plain-http');
  expect(pushed.stdout.split('\n')[1]).toBe(/^Digest: .*$/m.exec(`${again.stdout}${again.stderr}`)?.[0]);
  await runHelm('pull', `${remote}/umbrella`, '--version', '1.0.0', '--plain-http', '-d', folder);
  expect(readFileSync(at('umbrella-1.0.0.tgz'))).toEqual(readFileSync(archive));
  mkdirSync(at('theirs'), { recursive: true });
  await runHelm('package', at('umbrella'), '--version', '2.0.0', '-d', at('theirs'));
  await runHelm('push', at('theirs/umbrella-2.0.0.tgz'), remote, '--plain-http');
  const pulled = await runChart('pull', `${remote}/umbrella`, '--plain-http', '-d', at('back'));
  expect([pulled.code, readFileSync(at('back/umbrella-2.0.0.tgz'))]).toEqual([0, readFileSync(at('theirs/umbrella-2.0.0.tgz'))]);
}

describe(`registries${helmVersion ? '' : ' (Helm itself skipped: it is not on this machine)'}`, () => {
  test('ours: what one pushes, the other pulls', async () => {
    const registry = await startRegistry();
    try {
      mkdirSync(at('docker'), { recursive: true });
      mkdirSync(at('registry'), { recursive: true });
      const auths = { auths: { [registry.host]: { auth: Buffer.from('alice:alice-password').toString('base64') } } };
      writeFileSync(at('registry/config.json'), JSON.stringify(auths));
      await exchange(registry.host);
    } finally {
      await registry.stop();
    }
  });

  test.skipIf(!hasRegistry)(`Debian's docker-registry${why(hasRegistry, 'docker-registry')}`, async () => {
    const port = await freePort();
    const config = `version: 0.1\nstorage: {filesystem: {rootdirectory: ${at('store')}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`;
    writeFileSync(at('registry.yml'), config);
    const server = spawn('docker-registry', ['serve', at('registry.yml')], { stdio: 'ignore' });
    try {
      await answers(`http://127.0.0.1:${port}/v2/`);
      await exchange(`127.0.0.1:${port}`);
    } finally {
      server.kill();
    }
  });
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const socket = createSocket().listen(0, '127.0.0.1', () => {
      const { port } = socket.address() as AddressInfo;
      socket.close(() => resolve(port));
    });
  });

async function answers(url: string): Promise<void> {
  const end = Date.now() + 30_000;
  for (;;) {
    try {
      await fetch(url);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe.skipIf(!helmVersion)(`dependencies as Helm has them${why(helmVersion !== undefined, 'helm')}`, () => {
  test('the same lock and the same charts from a repository', async () => {
    const served = at('served');
    await runHelm('package', at('umbrella/charts/db'), '-d', served);
    const server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(served, (request.url ?? '').replace(/[^\w.-]/g, ''))));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await runHelm('repo', 'index', served, '--url', url);
      const parent = (name: string): string => {
        mkdirSync(at(name), { recursive: true });
        writeFileSync(
          at(name, 'Chart.yaml'),
          `apiVersion: v2\nname: parent\nversion: 1.0.0\ndependencies:\n- {name: db, version: ">0.0.0", repository: "${url}", alias: first, condition: a.b, tags: [x], import-values: [one, {child: "<a>", parent: b}]}\n`,
        );
        return at(name);
      };
      await runHelm('dependency', 'update', parent('by-helm'));
      expect((await runChart('dependency', 'update', parent('by-us'))).stderr).toBe('');
      const lock = (name: string): string => readFileSync(at(name, 'Chart.lock'), 'utf8').replace(/generated: .*/, '');
      expect(lock('by-us')).toBe(lock('by-helm'));
      expect(readdirSync(at('by-us/charts'))).toEqual(readdirSync(at('by-helm/charts')));
      expect((await runChart('dependency', 'build', at('by-helm'))).code).toBe(0);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
