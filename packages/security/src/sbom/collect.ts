import { concatBytes, fromUtf8 } from '../encoding.ts';
import type { LayerEntry } from '../image/source.ts';
import { GoBuildInfoScanner, type GoScan } from './go-build-info.ts';

/**
 * What one file tells, taken while its bytes stream by. The final file system is known only after the last layer, so
 * every layer's files are read and the facts of hidden ones are dropped later.
 */
export type FileFact =
  | { readonly kind: 'text'; readonly role: TextRole; readonly text: string }
  | { readonly kind: 'manifest'; readonly manager: 'npm' | 'pypi'; readonly name: string; readonly version: string }
  | { readonly kind: 'program'; readonly format: 'ELF' | 'Java archive' | 'PE'; readonly go: GoScan }
  | { readonly kind: 'rpm-database' }
  | { readonly kind: 'unreadable'; readonly why: string; readonly fatal: boolean };

export type TextRole = 'dpkg-status' | 'dpkg-list' | 'dpkg-md5sums' | 'apk-installed' | 'os-release';

const textRoles: readonly (readonly [RegExp, TextRole])[] = [
  [/^var\/lib\/dpkg\/status$/, 'dpkg-status'],
  [/^var\/lib\/dpkg\/status\.d\/[^/]+$/, 'dpkg-status'],
  [/^var\/lib\/dpkg\/info\/[^/]+\.list$/, 'dpkg-list'],
  [/^var\/lib\/dpkg\/info\/[^/]+\.md5sums$/, 'dpkg-md5sums'],
  [/^(?:usr\/)?lib\/apk\/db\/installed$/, 'apk-installed'],
  [/^(?:etc|usr\/lib)\/os-release$/, 'os-release'],
];

const roleOf = (path: string): TextRole | undefined => {
  if (/^var\/lib\/dpkg\/status\.d\/[^/]+\.md5sums$/.test(path)) return 'dpkg-md5sums';
  return textRoles.find(([pattern]) => pattern.test(path))?.[1];
};

export const npmManifest = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;
export const pythonManifest = /\.dist-info\/METADATA$|\.egg-info(?:\/PKG-INFO)?$/;
const rpmDatabase = /^(?:var|usr)\/lib\/(?:sysimage\/)?rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite)$/;

const maximumText = 64 << 20;
const maximumManifest = 4 << 20;

/** Texts kept in memory, over the whole image. */
export class TextBudget {
  #left = 256 << 20;
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }
}

const unreadable = (why: string, fatal: boolean): FileFact => ({ kind: 'unreadable', why, fatal });

async function readWhole(entry: LayerEntry, limit: number): Promise<string | undefined> {
  if (entry.size > limit) return undefined;
  const parts: Uint8Array[] = [];
  for await (const part of entry.read()) parts.push(part.slice());
  const bytes = concatBytes(parts);
  return fromUtf8(bytes) ?? new TextDecoder('latin1').decode(bytes);
}

function npmFact(text: string): FileFact | undefined {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value !== 'object' || value === null) return unreadable('package.json holds no object', false);
    const { name, version } = value as { name?: unknown; version?: unknown };
    if (
      typeof name !== 'string' ||
      typeof version !== 'string' ||
      name === '' ||
      version === '' ||
      name.length > 300 ||
      version.length > 200
    ) {
      return unreadable('package.json has no name and version', false);
    }
    return { kind: 'manifest', manager: 'npm', name, version };
  } catch {
    return unreadable('package.json is no JSON', false);
  }
}

function pythonFact(text: string): FileFact {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const name = /^Name:[ \t]*(\S+)/m.exec(head)?.[1];
  const version = /^Version:[ \t]*(\S+)/m.exec(head)?.[1];
  return name && version && name.length <= 300 && version.length <= 200
    ? { kind: 'manifest', manager: 'pypi', name, version }
    : unreadable('the metadata has no name and version', false);
}

/** ELF, PE and zip-shaped Java archives, by their first bytes; the whole of an ELF or PE file is searched for Go's build information. */
async function programFact(entry: LayerEntry): Promise<FileFact | undefined> {
  const scanner = new GoBuildInfoScanner();
  let head: Uint8Array = new Uint8Array(0);
  let format: 'ELF' | 'Java archive' | 'PE' | undefined;
  for await (const part of entry.read()) {
    if (!format) {
      head = concatBytes([head, part]);
      if (head.length < 4) continue;
      if (head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46) format = 'ELF';
      else if (head[0] === 0x4d && head[1] === 0x5a && /\.(?:exe|dll)$/i.test(entry.path)) format = 'PE';
      else if (head[0] === 0x50 && head[1] === 0x4b && /\.(?:jar|war|ear)$/i.test(entry.path))
        return { kind: 'program', format: 'Java archive', go: { kind: 'none' } };
      else return undefined;
      scanner.push(head);
    } else scanner.push(part);
  }
  return format ? { kind: 'program', format, go: scanner.result() } : undefined;
}

/** The fact of one regular file, or undefined when it tells nothing. */
export async function collectFact(entry: LayerEntry, budget: TextBudget): Promise<FileFact | undefined> {
  const role = roleOf(entry.path);
  if (role) {
    const text = budget.take(entry.size) ? await readWhole(entry, maximumText) : undefined;
    return text === undefined
      ? unreadable(`over ${maximumText} bytes, or too much together with the others`, true)
      : { kind: 'text', role, text };
  }
  if (npmManifest.test(entry.path) || pythonManifest.test(entry.path)) {
    const text = await readWhole(entry, maximumManifest);
    if (text === undefined) return unreadable(`a package manifest of over ${maximumManifest} bytes`, false);
    return npmManifest.test(entry.path) ? npmFact(text) : pythonFact(text);
  }
  if (rpmDatabase.test(entry.path)) return { kind: 'rpm-database' };
  return entry.size < 4 ? undefined : await programFact(entry);
}
