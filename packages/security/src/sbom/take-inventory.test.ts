import type { Instant } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { image, type TarFile } from '../archive/tar-fixture.ts';
import { concatBytes, utf8 } from '../encoding.ts';
import { writeSbom } from './cyclonedx.ts';
import { takeInventory } from './take-inventory.ts';

const debian: TarFile = { path: 'etc/os-release', content: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n' };
const status = (...fields: string[]): TarFile => ({
  path: 'var/lib/dpkg/status',
  content: `${['Package: libssl3', 'Status: install ok installed', 'Architecture: amd64', 'Source: openssl (3.0.11-1)', 'Version: 3.0.11-1+b1', 'Description: x', ' folded: text', ...fields].join('\n')}\n\n`,
});
const elf = (path: string): TarFile => ({ path, content: `\x7fELF${'\0'.repeat(60)}` });
const node = (path: string, name: string, version: string): TarFile => ({
  path: `${path}/package.json`,
  content: JSON.stringify({ name, version }),
});
const short = (inventory: Awaited<ReturnType<typeof takeInventory>>) =>
  inventory.packages.map((item) => `${item.manager} ${item.name} ${item.version}`);

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]);
const startMark = [0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6];

function goProgram(path: string, modules: string, at = 4096): TarFile {
  const list = concatBytes([new Uint8Array(startMark), utf8(modules), new Uint8Array(16)]);
  const version = utf8('go1.21.2');
  const info = concatBytes([
    new Uint8Array([0xff, ...utf8(' Go buildinf:'), 8, 2]),
    new Uint8Array(16),
    new Uint8Array(varint(version.length)),
    version,
    new Uint8Array(varint(list.length)),
    list,
  ]);
  return { path, content: concatBytes([utf8('\x7fELF'), new Uint8Array(at - 4), info, new Uint8Array(5000)]) };
}

describe('owners', () => {
  test('dpkg: source names and versions; its files are its own, through merged /usr too', async () => {
    const found = await takeInventory(
      image([
        debian,
        status(),
        { path: 'lib', type: '2', linkTarget: 'usr/lib' },
        elf('usr/lib/libssl.so.3'),
        elf('usr/lib/other.so'),
        { path: 'var/lib/dpkg/info/libssl3:amd64.list', content: '/.\n/lib\n/lib/libssl.so.3\n' },
      ]),
    );
    expect(found.packages).toMatchObject([
      { name: 'libssl3', version: '3.0.11-1+b1', ecosystem: 'Debian:12', source: { name: 'openssl', version: '3.0.11-1' } },
    ]);
    expect(found.unowned.map((file) => file.path)).toEqual(['usr/lib/other.so']);
    expect(found.problems).toEqual([]);
  });

  test('removed packages do not count', async () => {
    const removed: TarFile = { path: 'var/lib/dpkg/status', content: 'Package: old\nStatus: deinstall ok config-files\nVersion: 1\n' };
    expect((await takeInventory(image([debian, removed]))).packages).toEqual([]);
  });

  test('distroless records under status.d', async () => {
    const found = await takeInventory(
      image([
        debian,
        { path: 'var/lib/dpkg/status.d/tzdata', content: 'Package: tzdata\nVersion: 2024a-0+deb12u1\n' },
        { path: 'var/lib/dpkg/status.d/tzdata.md5sums', content: `${'a'.repeat(32)}  usr/bin/zdump\n` },
        elf('usr/bin/zdump'),
      ]),
    );
    expect(short(found)).toEqual(['dpkg tzdata 2024a-0+deb12u1']);
    expect(found.unowned).toEqual([]);
  });

  test('apk, by origin', async () => {
    const found = await takeInventory(
      image([
        { path: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.20.3\n' },
        {
          path: 'lib/apk/db/installed',
          content: 'P:libcrypto3\nV:3.3.2-r0\nA:x86_64\no:openssl\nF:usr/lib\nR:libcrypto.so.3\n\nP:musl\nV:1.2.5-r0\n\n',
        },
        elf('usr/lib/libcrypto.so.3'),
      ]),
    );
    expect(found.packages).toMatchObject([
      {
        name: 'libcrypto3',
        ecosystem: 'Alpine:v3.20',
        source: { name: 'openssl', version: '3.3.2-r0' },
        purl: 'pkg:apk/alpine/libcrypto3@3.3.2-r0?arch=x86_64&distro=alpine-3.20.3',
      },
      { name: 'musl' },
    ]);
    expect(found.unowned).toEqual([]);
  });

  test('node_modules, nested and scoped; the application itself is no dependency', async () => {
    const found = await takeInventory(
      image([
        node('app', 'app', '1.0.0'),
        node('app/node_modules/qs', 'qs', '6.5.2'),
        node('app/node_modules/@a/b', '@a/b', '2.0.0'),
        node('app/node_modules/@a/b/node_modules/qs', 'qs', '6.5.2'),
        node('app/node_modules/qs/test/fixture', 'fixture', '0.0.1'),
        elf('app/node_modules/qs/build/x.node'),
        { path: 'app/node_modules/broken/package.json', content: '{' },
      ]),
    );
    expect(short(found)).toEqual(['npm @a/b 2.0.0', 'npm qs 6.5.2']);
    expect(found.packages[1]?.locations).toEqual([
      'app/node_modules/@a/b/node_modules/qs/package.json',
      'app/node_modules/qs/package.json',
    ]);
    expect(found.packages[0]?.purl).toBe('pkg:npm/%40a/b@2.0.0');
    expect(found.unowned).toMatchObject([{ path: 'app/node_modules/broken/package.json' }]);
  });

  test('what a distribution owns is not an upstream package', async () => {
    const files = [
      node('usr/share/nodejs/x/node_modules/qs', 'qs', '6.5.2'),
      { path: 'usr/lib/python3/dist-packages/a-1.dist-info/METADATA', content: 'Name: a\nVersion: 1\n' },
    ];
    const owned = { path: 'var/lib/dpkg/info/node-x.list', content: files.map((file) => `/${file.path}`).join('\n') };
    expect(short(await takeInventory(image([debian, status(), ...files])))).toContain('npm qs 6.5.2');
    expect(short(await takeInventory(image([debian, status(), ...files, owned])))).toEqual(['dpkg libssl3 3.0.11-1+b1']);
  });

  test('a claim to own what lies where no distribution installs is not believed', async () => {
    const file = node('app/node_modules/minimist', 'minimist', '1.2.5');
    const claim = { path: 'var/lib/dpkg/info/trick.list', content: `/${file.path}\n` };
    expect(short(await takeInventory(image([debian, status(), file, claim])))).toContain('npm minimist 1.2.5');
  });

  test('Python', async () => {
    const found = await takeInventory(
      image([
        {
          path: 'opt/v/lib/site-packages/Foo_Bar-1.0.dist-info/METADATA',
          content: 'Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 1.0\n\nName: not-this\n',
        },
      ]),
    );
    expect(found.packages).toMatchObject([{ name: 'Foo_Bar', version: '1.0', ecosystem: 'PyPI', purl: 'pkg:pypi/foo-bar@1.0' }]);
  });

  test.each([64, 4096, 65_536 * 3])('Go build information at %i', async (at) => {
    const modules =
      'path\texample.org/x\nmod\texample.org/x\t(devel)\ndep\tgolang.org/x/net\tv0.16.0\th1:a=\ndep\ta.b/c\tv1.0.0\n=>\td.e/f\tv1.1.0\th1:b=\n';
    const found = await takeInventory(image([goProgram('bin/server', modules, at)]));
    expect(short(found)).toEqual(['go d.e/f v1.1.0', 'go golang.org/x/net v0.16.0', 'go stdlib 1.21.2']);
    expect(found.unowned).toEqual([]);
  });

  test('jars and programs of nobody are listed', async () => {
    const found = await takeInventory(
      image([elf('bin/tool'), { path: 'app/x.jar', content: 'PK\x03\x04....' }, { path: 'app/readme.txt', content: 'text' }]),
    );
    expect(found.unowned.map((file) => file.path)).toEqual(['app/x.jar', 'bin/tool']);
  });
});

describe('layers', () => {
  const vulnerable = node('app/node_modules/minimist', 'minimist', '1.2.5');

  test('a file that a later layer deletes does not count', async () => {
    expect(short(await takeInventory(image([vulnerable], [{ path: 'app/node_modules/.wh.minimist' }])))).toEqual([]);
    expect(short(await takeInventory(image([vulnerable], [{ path: 'app/.wh..wh..opq' }])))).toEqual([]);
    expect(short(await takeInventory(image([vulnerable], [{ path: '.wh.app' }, node('app/node_modules/qs', 'qs', '6.5.3')])))).toEqual([
      'npm qs 6.5.3',
    ]);
  });

  test('a whiteout hides lower layers only, whichever order its own layer has', async () => {
    const fresh = node('app/node_modules/qs', 'qs', '6.5.3');
    for (const layer of [
      [{ path: 'app/.wh..wh..opq' }, fresh],
      [fresh, { path: 'app/.wh..wh..opq' }],
      [fresh, { path: '.wh.app' }],
    ]) {
      expect(short(await takeInventory(image([vulnerable], layer)))).toEqual(['npm qs 6.5.3']);
    }
  });

  test('a file that is replaced counts once, from the layer that won', async () => {
    const found = await takeInventory(image([vulnerable], [node('app/node_modules/minimist', 'minimist', '1.2.8')]));
    expect(found.packages).toMatchObject([{ version: '1.2.8', layer: found.layers[1] }]);
  });

  test('a folder that becomes a link takes its files with it', async () => {
    expect(short(await takeInventory(image([vulnerable], [{ path: 'app', type: '2', linkTarget: '/srv' }])))).toEqual([]);
  });

  test('a hard link is the file it names', async () => {
    const found = await takeInventory(image([elf('bin/a')], [{ path: 'bin/b', type: '1', linkTarget: 'bin/a' }]));
    expect(found.unowned.map((file) => file.path)).toEqual(['bin/a', 'bin/b']);
  });
});

describe('closed', () => {
  test.each([
    ['a broken archive', image([{ path: '../x' }])],
    ['an entry beneath a link of its own layer', image([{ path: 'a', type: '2', linkTarget: 'b' }, { path: 'a/x' }])],
    ['a hard link to nothing', image([{ path: 'a', type: '1', linkTarget: 'nothing' }])],
    ['broken dpkg records', image([{ path: 'var/lib/dpkg/status', content: 'no field here\n' }])],
    ['dpkg records without version', image([{ path: 'var/lib/dpkg/status', content: 'Package: x\nStatus: install ok installed\n' }])],
    ['broken apk records', image([{ path: 'lib/apk/db/installed', content: 'nonsense\n' }])],
    ['an rpm database', image([{ path: 'var/lib/rpm/rpmdb.sqlite', content: 'SQLite' }])],
    ['no layers', { ...image(), layers: [] }],
  ])('%s is a problem', async (_, source) => {
    expect((await takeInventory(source)).problems.length).toBeGreaterThan(0);
  });
});

test('an image with more programs than anybody could judge is not whole', async () => {
  const found = await takeInventory(image(Array.from({ length: 10_001 }, (_, index) => ({ path: `bin/p${index}`, content: '\x7fELF' }))));
  expect(found.unowned).toHaveLength(10_000);
  expect(found.problems).toMatchObject([{ why: expect.stringContaining('10001') }]);
});

test('the SBOM is CycloneDX 1.6, and the same image gives the same bytes', async () => {
  const at = '2026-11-22T00:00:00.000Z' as Instant;
  const make = async () => writeSbom({ inventory: await takeInventory(image([debian, status(), elf('bin/x')])), name: 'registry/a', at });
  const [one, two] = [await make(), await make()];
  expect(one).toEqual(two);
  const document = JSON.parse(new TextDecoder().decode(one.bytes));
  expect(document).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { timestamp: at },
    compositions: [{ aggregate: 'incomplete' }],
  });
  expect(document.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(document.components.map((component: { type: string }) => component.type)).toEqual(['operating-system', 'library', 'file']);
});
