import { base64Encode } from '../functions/bases.ts';
import { method } from '../functions/define.ts';
import { baseName } from '../functions/paths.ts';
import type { ChartFile } from '../loader/chart.ts';
import { toJsonValue } from '../value/json.ts';
import { bytes, GoObject, type Method, strings, type TypedList, TypedMap, type Value } from '../value/kinds.ts';
import { fromBytes, sortText } from '../value/text.ts';
import { writeYaml } from '../yaml/writer.ts';
import { globCost, globMatcher } from './glob.ts';

/** `.Files`: a chart's files that are no templates. */
export class Files extends GoObject {
  readonly type = 'engine.files';
  readonly kind = 'map';
  readonly #files: ReadonlyMap<string, ChartFile>;
  #printed: string | undefined;

  constructor(files: readonly ChartFile[]) {
    super();
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  override method(name: string): Method | undefined {
    switch (name) {
      case 'Get':
        return method(
          name,
          ['string'],
          (file) => this.#text(file),
          (file) => this.#size(file) >> 7,
        );
      case 'GetBytes':
        return method(
          name,
          ['string'],
          (file) => this.#bytes(file),
          (file) => this.#size(file) >> 4,
        );
      case 'Glob':
        return method(
          name,
          ['string'],
          (pattern) => this.#glob(pattern),
          (pattern) => globCost(pattern, this.#files.keys()),
        );
      case 'AsConfig':
        return method(
          name,
          [],
          () => this.#asYaml(fromBytes),
          () => this.#total() >> 2,
        );
      case 'AsSecrets':
        return method(
          name,
          [],
          () => this.#asYaml(base64Encode),
          () => this.#total() >> 1,
        );
      case 'Lines':
        return method(
          name,
          ['string'],
          (file) => {
            const text = this.#text(file);
            return text === '' ? strings([]) : strings(text.replace(/\n$/, '').split('\n'));
          },
          (file) => this.#size(file) >> 3,
        );
      default:
        return undefined;
    }
  }

  /** A file by its name, as a key of the map. */
  override field(name: string): { value: Value } | undefined {
    return { value: this.#bytes(name) };
  }

  #size(name: string): number {
    const file = this.#files.get(name);
    return file ? sizeOf(file) : 0;
  }

  #bytes(name: string): TypedList {
    return bytes(() => this.#files.get(name)?.data ?? new Uint8Array());
  }

  #text(name: string): string {
    const file = this.#files.get(name);
    return file ? fromBytes(file.data) : '';
  }

  #glob(pattern: string): Files {
    const matches = globMatcher(pattern);
    return new Files([...this.#files.values()].filter(({ name }) => matches(name)));
  }

  /** A YAML map of base names to contents. */
  #asYaml(encode: (data: Uint8Array) => string): string {
    const out = new Map<string, Value>();
    for (const name of sortText([...this.#files.keys()])) out.set(baseName(name), encode((this.#files.get(name) as ChartFile).data));
    return writeYaml(toJsonValue(out)).replace(/\n$/, '');
  }

  override truth(): boolean {
    return this.#files.size > 0;
  }

  override entries(): readonly (readonly [Value, Value])[] {
    return sortText([...this.#files.keys()]).map((name) => [name, this.#bytes(name)]);
  }

  override size(): number {
    return this.#files.size;
  }

  override text(): string {
    this.#printed ??= `map[${sortText([...this.#files.keys()])
      .map((name) => `${name}:${printBytes((this.#files.get(name) as ChartFile).data)}`)
      .join(' ')}]`;
    return this.#printed;
  }

  /** Characters of all names, and one more for each. */
  #total(): number {
    let sum = 1;
    for (const file of this.#files.values()) sum += sizeOf(file);
    return sum;
  }

  /** Printed, each byte is a number; they are printed only once. */
  override weight(): number {
    return 1 + (this.#total() >> 5);
  }

  override hidden(): Value {
    return new Map([...this.#files.values()].map(({ name, data }) => [name, fromBytes(data)]));
  }

  override json(): Value {
    return new TypedMap('engine.files', bytes(new Uint8Array()), this.entries() as [string, Value][]);
  }
}

/** What Go prints for []byte: `[104 105]`. Charts that print their whole context by mistake have megabytes of them. */
function printBytes(data: Uint8Array): string {
  const out = new Uint8Array(data.length * 4 + 2);
  let at = 0;
  out[at++] = 0x5b;
  for (const byte of data) {
    if (at > 1) out[at++] = 0x20;
    if (byte > 99) out[at++] = 0x30 + Math.floor(byte / 100);
    if (byte > 9) out[at++] = 0x30 + (Math.floor(byte / 10) % 10);
    out[at++] = 0x30 + (byte % 10);
  }
  out[at++] = 0x5d;
  return new TextDecoder().decode(out.subarray(0, at));
}

const sizeOf = (file: ChartFile): number => file.size ?? file.data.length;
