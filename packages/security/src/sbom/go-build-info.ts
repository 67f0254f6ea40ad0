import { fromUtf8, utf8 } from '../encoding.ts';

/**
 * Go's build information inside an executable (Go's `debug/buildinfo`, format since Go 1.18): 14 bytes of magic at an
 * address that 16 divides, pointer size, flags; from byte 32 two strings with a varint length each, the toolchain's
 * version and the module list, the list framed by 16-byte marks.
 *
 * The bytes are searched as they stream by, not through the section table: that stands at the end of the file, and a
 * stripped table would hide the data. The frame's marks guard against a chance hit.
 */
export interface GoModule {
  readonly path: string;
  readonly version: string;
}

export interface GoBuildInfo {
  /** As `go version` prints it, for example `go1.22.3`. */
  readonly goVersion: string;
  readonly main?: GoModule;
  readonly modules: readonly GoModule[];
}

const magic = new Uint8Array([0xff, ...utf8(' Go buildinf:')]);
const startMark = [0x30, 0x77, 0xaf, 0x0c, 0x92, 0x74, 0x08, 0x02, 0x41, 0xe1, 0xc1, 0x07, 0xe6, 0xd6, 0x18, 0xe6];
const alignment = 16;
const headerBytes = 32;
const maximumInfo = 4 << 20;
const firstParse = 1 << 16;
const maximumModules = 20_000;

const matches = (bytes: Uint8Array, at: number, pattern: ArrayLike<number>): boolean => {
  for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false;
  return true;
};

function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return undefined;
}

function readString(bytes: Uint8Array, at: number): { bytes: Uint8Array; next: number } | undefined {
  const length = readVarint(bytes, at);
  if (!length || length.next + length.value > bytes.length) return undefined;
  return { bytes: bytes.subarray(length.next, length.next + length.value), next: length.next + length.value };
}

/** `path`, `mod`, `dep` and `=>` (replace) lines of the module list. */
export function parseModuleList(goVersion: string, text: string): GoBuildInfo | undefined {
  let main: GoModule | undefined;
  const modules: GoModule[] = [];
  for (const line of text.split('\n')) {
    const [word, path, version] = line.split('\t');
    if (!path || (word !== 'mod' && word !== 'dep' && word !== '=>')) continue;
    const module = { path, version: version ?? '' };
    if (word === 'mod') main = module;
    else if (word === 'dep') modules.push(module);
    else if (modules.length > 0) modules[modules.length - 1] = module;
    if (modules.length > maximumModules) return undefined;
  }
  return { goVersion, modules, ...(main ? { main } : {}) };
}

/** 'found' with the information, 'unreadable' when the magic stands there in a form that is not read (before Go 1.18), else 'none'. */
export type GoScan = { readonly kind: 'none' } | { readonly kind: 'unreadable' } | { readonly kind: 'found'; readonly info: GoBuildInfo };

/** Feed it a file from its first byte; ask for the result after the last. Holds at most the information itself (4 MiB). */
export class GoBuildInfoScanner {
  #tail: Uint8Array = new Uint8Array(0);
  /** Bytes from the magic on, once it was seen. */
  #candidate: Uint8Array[] | undefined;
  #candidateBytes = 0;
  #parseAt = firstParse;
  #result: GoScan = { kind: 'none' };

  push(chunk: Uint8Array): void {
    if (this.#result.kind === 'found') return;
    if (this.#candidate) {
      this.#collect(chunk);
      return;
    }
    // The tail always starts where 16 divides the file offset.
    const data = this.#tail.length === 0 ? chunk : concat(this.#tail, chunk);
    let at = 0;
    for (; at + headerBytes <= data.length; at += alignment) {
      if (data[at] === 0xff && matches(data, at, magic)) {
        if (((data[at + 15] as number) & 2) === 0) {
          this.#result = { kind: 'unreadable' };
          continue;
        }
        this.#candidate = [];
        this.#candidateBytes = 0;
        this.#parseAt = firstParse;
        this.#collect(data.subarray(at));
        return;
      }
    }
    this.#tail = data.slice(at);
  }

  #collect(chunk: Uint8Array): void {
    this.#candidate?.push(chunk.slice());
    this.#candidateBytes += chunk.length;
    // Parsing again at every chunk would cost the square of the size: only when the amount has doubled.
    if (this.#candidateBytes < this.#parseAt) return;
    this.#parseAt *= 2;
    this.#tryParse(this.#candidateBytes > maximumInfo);
  }

  #tryParse(last = false): void {
    const bytes = concat(...(this.#candidate ?? []));
    const version = readString(bytes, headerBytes);
    const list = version && readString(bytes, version.next);
    if (version && list) {
      const goVersion = fromUtf8(version.bytes);
      if (goVersion !== undefined && list.bytes.length >= 32 && matches(list.bytes, 0, startMark)) {
        const text = fromUtf8(list.bytes.subarray(16, list.bytes.length - 16));
        const info = text === undefined ? undefined : parseModuleList(goVersion, text);
        if (info) {
          this.#result = { kind: 'found', info };
          this.#candidate = undefined;
          return;
        }
      } else if (goVersion?.startsWith('go') && list.bytes.length === 0) {
        this.#result = { kind: 'found', info: { goVersion, modules: [] } };
        this.#candidate = undefined;
        return;
      }
      this.#result = { kind: 'unreadable' };
      this.#candidate = undefined;
    } else if (last) {
      this.#result = { kind: 'unreadable' };
      this.#candidate = undefined;
    }
  }

  result(): GoScan {
    if (this.#candidate) this.#tryParse(true);
    return this.#result;
  }
}

function concat(...parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
