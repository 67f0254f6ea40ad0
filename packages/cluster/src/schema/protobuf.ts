/**
 * Protobuf request bodies as JSON. Since 1.32 kubectl's create, autoscale and auth commands send them and take no 415 for an answer;
 * answers are always JSON. The envelope is `k8s\0` and a `runtime.Unknown`; field numbers come from `generated/wire.json`.
 */
import { isInlined, parseFact, wireMessages } from './builtin.ts';
import { SchemaError } from './errors.ts';
import { isObject, type Json, type JsonObject, ownObject, ownString, put } from './json.ts';

const magic = [0x6b, 0x38, 0x73, 0x00] as const;
const limits = { bytes: 3 * 1024 * 1024, depth: 64, values: 200_000 } as const;

const malformed = (why: string): SchemaError =>
  new SchemaError('MALFORMED', `The protobuf body cannot be read: ${why}.`, { cure: 'Send the body as JSON, or by a released client.' });

/** True when the bytes begin with Kubernetes' protobuf envelope. */
export function isProtobuf(body: Uint8Array): boolean {
  return magic.every((byte, index) => body[index] === byte);
}

/** One field off the wire: a number for varints and fixed widths, bytes for everything else. */
interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** The fields of a message, in order (Protocol Buffers, "Encoding"); groups are refused. */
function* readFields(bytes: Uint8Array): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) throw malformed('it ends within a number');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a number has more than ten bytes');
  };
  const take = (length: number): number => {
    if (length > bytes.length - at) throw malformed('a length points beyond its end');
    const start = at;
    at += length;
    return start;
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    switch (Number(tag & 7n)) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: view.getBigUint64(take(8), true) };
        break;
      case 2: {
        const length = varint();
        if (length > BigInt(limits.bytes)) throw malformed('a length points beyond its end');
        const start = take(Number(length));
        yield { number, value: bytes.subarray(start, at) };
        break;
      }
      case 5:
        yield { number, value: BigInt(view.getUint32(take(4), true)) };
        break;
      default:
        throw malformed('it holds a field of an unknown wire type');
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function text(value: bigint | Uint8Array): string {
  if (typeof value === 'bigint') throw malformed('a text is no text');
  try {
    return utf8.decode(value);
  } catch {
    throw malformed('a text is not UTF-8');
  }
}

function json(bytes: Uint8Array | undefined): Json {
  if (!bytes || bytes.length === 0) return null;
  try {
    return JSON.parse(text(bytes)) as Json;
  } catch {
    throw malformed('embedded JSON cannot be parsed');
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The fields of a small message by number; the last one of a number wins. */
function byNumber(bytes: Uint8Array): Map<number, bigint | Uint8Array> {
  return new Map([...readFields(bytes)].map(({ number, value }) => [number, value]));
}

const int = (value: bigint | Uint8Array | undefined): number => (typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0);
const bytesOf = (value: bigint | Uint8Array | undefined): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array());

function time(bytes: Uint8Array, digits: 0 | 6): Json | undefined {
  if (bytes.length === 0) return undefined;
  const fields = byNumber(bytes);
  const date = new Date(int(fields.get(1)) * 1000);
  if (Number.isNaN(date.getTime())) throw malformed('a time lies outside of what can be said');
  const seconds = date.toISOString().slice(0, 19);
  return digits === 0 ? `${seconds}Z` : `${seconds}.${String(Math.floor(int(fields.get(2)) / 1000)).padStart(6, '0')}Z`;
}

/** Messages whose JSON is not a map of their fields. */
const special: Readonly<Record<string, (bytes: Uint8Array) => Json | undefined>> = {
  'meta.v1.Time': (bytes) => time(bytes, 0),
  'meta.v1.MicroTime': (bytes) => time(bytes, 6),
  'meta.v1.FieldsV1': (bytes) => json(bytesOf(byNumber(bytes).get(1))),
  'runtime.RawExtension': (bytes) => json(bytesOf(byNumber(bytes).get(1))),
  'resource.Quantity': (bytes) => text(bytesOf(byNumber(bytes).get(1))),
  'intstr.IntOrString': (bytes) => {
    const fields = byNumber(bytes);
    return int(fields.get(1)) === 0 ? int(fields.get(2)) : text(bytesOf(fields.get(3)));
  },
  'authentication.v1.ExtraValue': stringList,
  'authorization.v1.ExtraValue': stringList,
  'meta.v1.Verbs': stringList,
};

function stringList(bytes: Uint8Array): Json {
  return [...readFields(bytes)].filter(({ number }) => number === 1).map(({ value }) => text(value));
}

interface WireType {
  readonly name: string;
  readonly type: string;
  readonly pointer: boolean;
  readonly inlined: boolean;
}

const tables = new Map<string, ReadonlyMap<number, WireType>>();

function tableOf(typeName: string): ReadonlyMap<number, WireType> {
  const known = tables.get(typeName);
  if (known) return known;
  const table = new Map<number, WireType>();
  for (const [name, line] of Object.entries(wireMessages[typeName] ?? {})) {
    if (name === '~') continue;
    const { number, type } = parseFact(line);
    table.set(number, { name, type, pointer: line.includes(' pointer'), inlined: isInlined(typeName, name, line) });
  }
  tables.set(typeName, table);
  return table;
}

class Decoder {
  private values = 0;

  message(typeName: string, bytes: Uint8Array, depth: number, into: JsonObject = {}): JsonObject {
    if (depth > limits.depth) throw new SchemaError('TOO_DEEP', `The protobuf body nests deeper than ${limits.depth} levels.`);
    const table = tableOf(typeName);
    for (const { number, value } of readFields(bytes)) {
      this.values += 1;
      if (this.values > limits.values) throw new SchemaError('TOO_LARGE', `The protobuf body holds more than ${limits.values} values.`);
      const field = table.get(number);
      if (!field) continue;
      if (field.inlined) this.message(field.type, bytesOf(value), depth + 1, into);
      else this.field(field, value, depth, into);
    }
    return into;
  }

  private field(field: WireType, value: bigint | Uint8Array, depth: number, into: JsonObject): void {
    if (field.type.startsWith('[]')) {
      const list = into[field.name];
      const item = this.value(field.type.slice(2), value, depth) ?? null;
      if (Array.isArray(list)) list.push(item);
      else put(into, field.name, [item]);
    } else if (field.type.startsWith('{}')) {
      const map = ownObject(into, field.name) ?? {};
      const entry = byNumber(bytesOf(value));
      const inner = field.type.slice(2);
      const raw = entry.get(2) ?? (/^(string|bytes)$|\./.test(inner) ? new Uint8Array() : 0n);
      put(map, text(bytesOf(entry.get(1))), this.value(inner, raw, depth) ?? null);
      put(into, field.name, map);
    } else {
      const decoded = this.value(field.type, value, depth);
      // Go sends the zero value of every plain field; only a pointer's zero was meant.
      const zero = decoded === undefined || (!field.pointer && (decoded === '' || decoded === 0 || decoded === false));
      if (!zero) put(into, field.name, decoded);
    }
  }

  private value(type: string, value: bigint | Uint8Array, depth: number): Json | undefined {
    switch (type) {
      case 'string':
        return text(value);
      case 'bytes':
        return base64(bytesOf(value));
      case 'bool':
        return value !== 0n;
      case 'double': {
        const view = new DataView(new ArrayBuffer(8));
        view.setBigUint64(0, typeof value === 'bigint' ? value : 0n);
        return view.getFloat64(0);
      }
      case 'int32':
      case 'int64':
      case 'uint32':
      case 'uint64':
        return int(value);
      default: {
        const read = special[type];
        return read ? read(bytesOf(value)) : this.message(type, bytesOf(value), depth + 1);
      }
    }
  }
}

/** The message of a kind; options such as DeleteOptions live in meta/v1 under every group's name. */
function messageOf(apiVersion: string, kind: string): string | undefined {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const name = `${group.split('.')[0]}.${version}.${kind}`;
  if (group !== 'apiextensions.k8s.io' && Object.hasOwn(wireMessages, name)) return name;
  return /^(Create|Delete|Patch|Update)Options$/.test(kind) ? `meta.v1.${kind}` : undefined;
}

/**
 * A protobuf request body as JSON with apiVersion and kind. Throws MALFORMED, TOO_LARGE (over 3 MiB or 200,000 values), TOO_DEEP, and
 * UNSUPPORTED for kinds that we have no table for, custom resources and their definitions among them (415).
 */
export function decodeProtobuf(body: Uint8Array): JsonObject {
  if (!isProtobuf(body)) throw malformed('it does not begin with the magic k8s\\0');
  if (body.length > limits.bytes) throw new SchemaError('TOO_LARGE', `The body is larger than ${limits.bytes} bytes.`);
  const decoder = new Decoder();
  const envelope = byNumber(body.subarray(magic.length));
  const typeMeta = decoder.message('runtime.TypeMeta', bytesOf(envelope.get(1)), 0);
  const contentType = text(bytesOf(envelope.get(4)));
  const encoding = text(bytesOf(envelope.get(3)));
  if (encoding !== '') throw malformed('its content is encoded');
  const apiVersion = ownString(typeMeta, 'apiVersion') ?? '';
  const kind = ownString(typeMeta, 'kind') ?? '';
  const raw = bytesOf(envelope.get(2));
  if (contentType.includes('json')) {
    const object = json(raw);
    if (isObject(object)) return object;
    throw malformed('its JSON is no object');
  }
  const message = messageOf(apiVersion, kind);
  if (!message)
    throw new SchemaError(
      'UNSUPPORTED',
      `The protobuf form of ${kind || 'an unnamed kind'} in ${apiVersion || 'no version'} is not known here.`,
      {
        cure: 'Send it as application/json.',
      },
    );
  return decoder.message(message, raw, 0, { apiVersion, kind });
}
