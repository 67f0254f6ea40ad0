import { existsSync } from 'node:fs';
import { readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { run, runOk } from '@desp/runtime';
import { z } from 'zod';
import { EngineError } from './errors.ts';
import { type ImageLayout, sha256, writeImageLayout } from './oci-layout.ts';
import { type TarItem, tarOf } from './tar-writer.ts';

/**
 * Base images for machines that reach no registry, made from this Debian machine's own files: a program, the libraries
 * that `ldd` names, certificates, accounts, and the dpkg records of exactly the packages whose files are inside, where
 * readers of SBOMs look for them (`/var/lib/dpkg/status.d`, as in images without a shell).
 *
 * - `static`: accounts, certificates and `/etc/os-release`; for programs that need nothing.
 * - `node`: the Node that runs us; with `shell`, busybox's sh too.
 * - `job`: `node` with a shell and the platform's command line, in which pipeline jobs run.
 */
export type BaseImage =
  | { readonly kind: 'static' }
  | { readonly kind: 'node'; readonly shell?: boolean }
  | {
      readonly kind: 'job';
      /** Folder with the bundled command line; its `main.mjs` is started. */
      readonly commandLine: string;
    };

const certificates = '/etc/ssl/certs/ca-certificates.crt';
const busybox = '/bin/busybox';
const applets = [
  'sh',
  'cat',
  'cp',
  'date',
  'echo',
  'env',
  'grep',
  'head',
  'id',
  'ls',
  'mkdir',
  'mv',
  'rm',
  'sed',
  'sleep',
  'sort',
  'tail',
  'test',
  'tr',
  'wc',
];
const accounts: readonly TarItem[] = [
  text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n'),
  text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
];
const emptyFolders: readonly TarItem[] = ['builds', 'desp', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var', 'var/tmp'].map(
  (path) => ({
    kind: 'folder',
    path,
    mode: path.endsWith('tmp') ? 0o1777 : 0o755,
  }),
);

function text(path: string, content: string, mode = 0o644): TarItem {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

/** Part of what an image is made from: raise it when this file makes another image of the same files. */
const recipe = 2;

const Made = z.object({
  inputs: z.string(),
  image: z.object({ manifestDigest: z.string(), configDigest: z.string() }),
});

/**
 * Builds the image into the folder `layout`, or finds it there: the same machine state gives the same digest, and a file
 * beside the folder says from what state it was made.
 * @throws EngineError BASE_IMAGE_FAILED when a file is not on this machine
 */
export async function buildBaseImage(image: BaseImage, layout: string): Promise<ImageLayout> {
  const record = `${layout}.made.json`;
  const inputs = await inputsOf(image);
  const made = Made.safeParse(
    await readFile(record, 'utf8')
      .then(JSON.parse)
      .catch(() => undefined),
  );
  if (made.data?.inputs === inputs && existsSync(join(layout, 'index.json'))) return { layout, ...made.data.image };
  await rm(record, { force: true });
  const built = await assembleImage(image, layout);
  const { manifestDigest, configDigest } = built;
  await writeFile(record, JSON.stringify({ inputs, image: { manifestDigest, configDigest } }));
  return built;
}

/** A digest of names, sizes and times of everything that the image is made from; the packages' database stands for its records. */
async function inputsOf(image: BaseImage): Promise<string> {
  const files = [certificates, '/etc/os-release', '/var/lib/dpkg/status', busybox, process.execPath];
  if (image.kind !== 'static') files.push(...(await librariesOf(process.execPath)));
  if (image.kind === 'job')
    for (const entry of await readdir(image.commandLine, { recursive: true, withFileTypes: true }).catch(() => []))
      files.push(join(entry.parentPath, entry.name));
  const states = await Promise.all(
    files.sort().map(async (file) => {
      const state = await stat(file).catch(() => undefined);
      return [file, state?.size, state?.mtimeMs, state?.ctimeMs, state?.mode];
    }),
  );
  return sha256(JSON.stringify([recipe, image, process.arch, states]));
}

async function assembleImage(image: BaseImage, layout: string): Promise<ImageLayout> {
  const withNode = image.kind !== 'static';
  const withShell = image.kind === 'job' || (image.kind === 'node' && image.shell === true);
  const items = new Map<string, TarItem>();
  const add = (item: TarItem) => items.set(item.path, item);
  for (const item of [...emptyFolders, ...accounts]) add(item);
  const owned = [certificates, '/etc/os-release'];
  add({ kind: 'file', path: 'etc/ssl/certs/ca-certificates.crt', mode: 0o644, content: await take(certificates) });
  add({ kind: 'file', path: 'etc/os-release', mode: 0o644, content: await take('/etc/os-release') });
  if (withNode) {
    add({ kind: 'file', path: 'usr/bin/node', mode: 0o755, content: await take(process.execPath) });
    for (const library of await librariesOf(process.execPath)) {
      owned.push(library);
      // The file lies where its package's list has it, so that an SBOM reader finds its owner.
      const place = await listedPlace(await realpath(library));
      add({ kind: 'file', path: place.slice(1), mode: 0o755, content: await take(library) });
      if (place !== library) add({ kind: 'symlink', path: library.slice(1), target: relative(dirname(library), place) });
    }
  }
  if (withShell) {
    owned.push(busybox);
    add({ kind: 'file', path: 'bin/busybox', mode: 0o755, content: await take(busybox) });
    for (const applet of applets) add({ kind: 'symlink', path: `bin/${applet}`, target: 'busybox' });
  }
  if (image.kind === 'job') {
    for (const item of await folderItems(image.commandLine, 'usr/lib/desp')) add(item);
    add(text('usr/bin/desp', '#!/bin/sh\nexec /usr/bin/node /usr/lib/desp/main.mjs "$@"\n', 0o755));
  }
  for (const item of await packageRecords(owned)) add(item);
  const config = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ...(image.kind === 'node' ? { Cmd: ['/usr/bin/node'] } : {}),
    ...(image.kind === 'job' ? { Cmd: ['/bin/sh'] } : {}),
  };
  return writeImageLayout(layout, tarOf(withParents(items)), config);
}

/** Folders come before what they hold. */
function withParents(items: Map<string, TarItem>): TarItem[] {
  for (const path of [...items.keys()]) {
    for (let end = path.indexOf('/'); end > 0; end = path.indexOf('/', end + 1)) {
      const parent = path.slice(0, end);
      if (!items.has(parent)) items.set(parent, { kind: 'folder', path: parent, mode: 0o755 });
    }
  }
  return [...items.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function take(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const cure =
      file === busybox ? 'Install the package busybox-static.' : file === certificates ? 'Install the package ca-certificates.' : undefined;
    throw new EngineError('BASE_IMAGE_FAILED', `A base image cannot be made: ${file} is not readable on this machine.`, {
      kind: 'user',
      cause,
      ...(cure ? { cure } : {}),
    });
  }
}

/** The files that the dynamic linker would load, by the paths at which it looks for them (ldd(1)). */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await runOk(['ldd', program]);
  return [...stdout.toString().matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path as string).sort();
}

/** The path by which dpkg knows a file: as it is, or as it was before the merge of / and /usr. */
async function listedPlace(file: string): Promise<string> {
  for (const candidate of [file, file.replace(/^\/usr(?=\/lib)/, '')]) {
    if ((await run(['dpkg-query', '--search', candidate]).catch(() => undefined))?.code === 0) return candidate;
  }
  return file;
}

async function folderItems(folder: string, prefix: string): Promise<TarItem[]> {
  if (!existsSync(join(folder, 'main.mjs')))
    throw new EngineError('BASE_IMAGE_FAILED', `The job image needs the bundled command line, and ${folder} has no main.mjs.`, {
      kind: 'user',
      cure: 'Build it: npm run build.',
    });
  const items: TarItem[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const mode = (await stat(file)).mode & 0o111 ? 0o755 : 0o644;
    items.push({ kind: 'file', path: prefix + file.slice(folder.length), mode, content: await readFile(file) });
  }
  return items;
}

/** dpkg's status and checksums of the packages that own these files; none on a machine without dpkg. */
async function packageRecords(files: readonly string[]): Promise<TarItem[]> {
  const packages = new Set<string>();
  for (const file of files) {
    // Debian 12 lists files at the paths of before the merge of / and /usr.
    const target = await realpath(file).catch(() => file);
    for (const candidate of new Set([file, target, target.replace(/^\/usr/, ''), `/usr${file}`])) {
      const found = await run(['dpkg-query', '--search', candidate]).catch(() => undefined);
      for (const line of found?.code === 0 ? found.stdout.toString().split('\n') : []) {
        const end = line.lastIndexOf(': ');
        if (end > 0 && !line.startsWith('diversion')) for (const name of line.slice(0, end).split(', ')) packages.add(name);
      }
    }
  }
  // The certificates' bundle is made by its package's script and listed by none.
  if (files.includes(certificates) && existsSync('/var/lib/dpkg/info/ca-certificates.list')) packages.add('ca-certificates');
  const items: TarItem[] = [];
  for (const name of [...packages].sort()) {
    const status = await runOk(['dpkg-query', '--status', name]);
    const plain = name.split(':')[0] as string;
    items.push({ kind: 'file', path: `var/lib/dpkg/status.d/${plain}`, mode: 0o644, content: status.stdout });
    for (const sums of [`/var/lib/dpkg/info/${name}.md5sums`, `/var/lib/dpkg/info/${plain}.md5sums`]) {
      if (!existsSync(sums)) continue;
      items.push({ kind: 'file', path: `var/lib/dpkg/status.d/${plain}.md5sums`, mode: 0o644, content: await readFile(sums) });
      break;
    }
  }
  return items;
}
