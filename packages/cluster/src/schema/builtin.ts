/**
 * Schemas of the built-in kinds: field names and types from `generated/models.json`, list types, keys, patch strategies and atomic
 * structures from `generated/wire.json`. A structure's fields are read when somebody first asks for them; all API servers of a process
 * share the result.
 */
import models from './generated/models.json' with { type: 'json' };
import wire from './generated/wire.json' with { type: 'json' };
import type { Field, GroupVersionKind, ListSchema, ScalarType, Schema, StructSchema } from './types.ts';

const types: Record<string, Record<string, string>> = models;
const messages: Record<string, Record<string, string>> = wire;

const packageOfGroup: ReadonlyMap<string, string> = new Map([
  ['', 'core'],
  ['meta.k8s.io', 'meta'],
  ...['apps', 'batch', 'autoscaling', 'policy'].map((group) => [group, group] as const),
  ...['authentication', 'authorization', 'coordination', 'discovery', 'events', 'networking', 'node', 'scheduling', 'storage'].map(
    (name) => [`${name}.k8s.io`, name] as const,
  ),
  ['rbac.authorization.k8s.io', 'rbac'],
  ['apiextensions.k8s.io', 'apiextensions'],
]);

/** `k8s.io/api`'s long names, as OpenAPI documents print them. */
function openApiName(type: string): string {
  if (type.startsWith('meta.')) return `io.k8s.apimachinery.pkg.apis.${type}`;
  if (type.startsWith('apiextensions.')) return `io.k8s.apiextensions-apiserver.pkg.apis.${type}`;
  return `io.k8s.api.${type}`;
}

const scalars: Record<string, { type: ScalarType; format?: string }> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  'int-or-string': { type: 'int-or-string' },
  time: { type: 'time' },
  'micro-time': { type: 'micro-time' },
};

interface Fact {
  readonly number: number;
  readonly type: string;
  readonly list: 'atomic' | 'set' | 'map';
  readonly keys: readonly string[];
  readonly atomic: boolean;
  readonly merge: string | undefined;
  readonly retain: boolean;
  readonly value: boolean;
}

/** One line of wire.json; see `generate/wire-facts.ts` for its form. */
export function parseFact(text: string): Fact {
  const [number, type, ...marks] = text.split(' ');
  const map = marks.find((mark) => mark.startsWith('map:'));
  return {
    number: Number(number),
    type: type ?? '',
    list: map ? 'map' : marks.includes('set') ? 'set' : 'atomic',
    keys: map ? map.slice(4).split(',') : [],
    atomic: marks.includes('atomic'),
    merge: marks.find((mark) => mark.startsWith('merge:'))?.slice(6),
    retain: marks.includes('retain'),
    value: marks.includes('value'),
  };
}

/** The messages of the wire format; `~` among a message's keys holds what is true of the whole. */
export const wireMessages: Readonly<Record<string, Readonly<Record<string, string>>>> = messages;
/** The fields and types of `generated/models.json`. */
export const modelTypes: Readonly<Record<string, Readonly<Record<string, string>>>> = types;

/** True when that field of a message is one that Go embeds: its fields stand in the JSON of the outer structure. */
export function isInlined(typeName: string, field: string, fact: string): boolean {
  const model = types[typeName];
  return model !== undefined && !Object.hasOwn(model, field) && /^\d+ \w+\.v\d+\.\w+/.test(fact);
}

/** The facts of a structure's fields by JSON name, those of embedded structures among them. */
function factsOf(typeName: string): Map<string, Fact> {
  const facts = new Map<string, Fact>();
  const collect = (message: string, depth: number): void => {
    for (const [name, text] of Object.entries(messages[message] ?? {})) {
      if (name === '~') continue;
      const fact = parseFact(text);
      if (depth < 4 && isInlined(typeName, name, text)) collect(fact.type, depth + 1);
      else facts.set(name, fact);
    }
  };
  collect(typeName, 0);
  return facts;
}

/** List keys that have a default even in the schema (the OpenAPI document of Kubernetes prints exactly these two). */
const keyDefaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'core.v1.ContainerPort': { protocol: 'TCP' },
  'core.v1.ServicePort': { protocol: 'TCP' },
};

function schemaOf(text: string, fact: Fact | undefined): Schema {
  if (text.startsWith('[]')) {
    const inner = fact && { ...fact, type: fact.type.slice(2), atomic: false };
    const mode: ListSchema['mode'] = fact?.list ?? 'atomic';
    return { kind: 'list', items: schemaOf(text.slice(2), inner), mode, keys: fact?.keys ?? [] };
  }
  if (text.startsWith('{}')) {
    return { kind: 'map', values: schemaOf(text.slice(2), fact && { ...fact, type: fact.type.slice(2) }), atomic: fact?.atomic ?? false };
  }
  if (text === 'string' && fact?.type === 'resource.Quantity') return { kind: 'scalar', type: 'quantity' };
  if (text === 'string' && fact?.type === 'bytes') return { kind: 'scalar', type: 'bytes' };
  const scalar = scalars[text];
  if (scalar) return { kind: 'scalar', ...scalar };
  if (text === 'any') return { kind: 'any' };
  const struct = builtinStruct(text);
  return fact?.atomic && !struct.atomic ? atomicCopy(struct) : struct;
}

const atomicCopy = (struct: StructSchema): StructSchema => ({
  kind: 'struct',
  name: struct.name,
  atomic: true,
  open: false,
  get fields() {
    return struct.fields;
  },
  get required() {
    return struct.required;
  },
});

function readFields(typeName: string): { fields: Map<string, Field>; required: string[] } {
  const facts = factsOf(typeName);
  const fields = new Map<string, Field>();
  const required: string[] = [];
  for (const [name, text] of Object.entries(types[typeName] ?? {})) {
    const fact = facts.get(name);
    const isRequired = text.endsWith('!');
    if (isRequired) required.push(name);
    const keyDefault = keyDefaults[typeName]?.[name];
    fields.set(name, {
      schema: schemaOf(isRequired ? text.slice(0, -1) : text, fact),
      ...(fact && (fact.merge !== undefined || fact.retain)
        ? { patch: { merge: fact.merge !== undefined, retainKeys: fact.retain, ...(fact.merge ? { key: fact.merge } : {}) } }
        : {}),
      ...(fact?.value ? { always: true } : {}),
      ...(keyDefault === undefined ? {} : { default: keyDefault }),
    });
  }
  return { fields, required };
}

const structs = new Map<string, StructSchema>();

/** The structure of that short name (`core.v1.PodSpec`); unknown names give an empty one. */
export function builtinStruct(typeName: string): StructSchema {
  const known = structs.get(typeName);
  if (known) return known;
  let content: ReturnType<typeof readFields> | undefined;
  const struct: StructSchema = {
    kind: 'struct',
    name: openApiName(typeName),
    atomic: messages[typeName]?.['~'] === 'atomic',
    open: false,
    get fields() {
      content ??= readFields(typeName);
      return content.fields;
    },
    get required() {
      content ??= readFields(typeName);
      return content.required;
    },
  };
  structs.set(typeName, struct);
  builtins.add(struct);
  return struct;
}

const builtins = new WeakSet<StructSchema>();

/** True for a schema of this file, false for one of a custom resource. */
export const isBuiltin = (schema: StructSchema): boolean => builtins.has(schema);

/** The short type name of a built-in kind, or undefined when we do not serve it. */
export function builtinTypeName(gvk: GroupVersionKind): string | undefined {
  const home = packageOfGroup.get(gvk.group);
  const name = `${home}.${gvk.version}.${gvk.kind}`;
  if (home === undefined || !Object.hasOwn(types, name)) return undefined;
  return Object.hasOwn(types[name] as object, 'kind') && Object.hasOwn(types[name] as object, 'apiVersion') ? name : undefined;
}

/** The schema of a built-in kind, or undefined when we do not serve it. Shared; its parts are read on first use. */
export function findSchema(gvk: GroupVersionKind): StructSchema | undefined {
  const name = builtinTypeName(gvk);
  return name === undefined ? undefined : builtinStruct(name);
}
