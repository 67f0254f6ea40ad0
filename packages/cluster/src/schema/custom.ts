/**
 * Custom resources: their OpenAPI v3 schema (structural, apiextensions.k8s.io/v1) in the shape that built-in kinds have.
 */
import { builtinStruct } from './builtin.ts';
import { SchemaError } from './errors.ts';
import { isObject, type JsonObject, own, ownList, ownObject, ownObjects, ownString, put } from './json.ts';
import type { Field, GroupVersionKind, ListSchema, ScalarType, Schema, StructSchema } from './types.ts';

/** Beyond these a schema is refused; the largest published ones (Prometheus Operator) have some 20,000 nodes and 30 levels. */
const limits = { depth: 64, nodes: 60_000 } as const;

/** The keys of a schema that validate beyond its type; kept for `validateObject`. */
const ruleKeys = [
  ...['enum', 'pattern', 'format', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'anyOf', 'allOf', 'oneOf', 'not'],
] as const;

interface Walk {
  nodes: number;
}

function refuse(path: string, why: string): never {
  throw new SchemaError('MALFORMED', `The custom resource's schema is not structural at ${path || 'its root'}: ${why}.`, {
    cure: 'Correct spec.versions[].schema.openAPIV3Schema of the CustomResourceDefinition.',
  });
}

function rulesOf(node: JsonObject): JsonObject | undefined {
  const rules: JsonObject = {};
  for (const key of ruleKeys) {
    const value = own(node, key);
    if (value !== undefined) put(rules, key, value);
  }
  return Object.keys(rules).length > 0 ? rules : undefined;
}

function convert(node: JsonObject, path: string, depth: number, walk: Walk): Schema {
  walk.nodes += 1;
  if (depth > limits.depth) refuse(path, `it nests deeper than ${limits.depth} levels`);
  if (walk.nodes > limits.nodes) refuse(path, `it has more than ${limits.nodes} nodes`);
  const description = ownString(node, 'description');
  const rules = rulesOf(node);
  const shared = {
    ...(description ? { description } : {}),
    ...(own(node, 'nullable') === true ? { nullable: true } : {}),
    ...(rules ? { rules } : {}),
  };
  if (own(node, 'x-kubernetes-int-or-string') === true) return { kind: 'scalar', type: 'int-or-string', ...shared };
  const type = ownString(node, 'type');
  const preserved = own(node, 'x-kubernetes-preserve-unknown-fields') === true;
  switch (type) {
    case 'object':
      return convertObject(node, path, depth, walk, shared, preserved);
    case 'array': {
      const items = ownObject(node, 'items') ?? refuse(path, 'an array needs items');
      const listType = ownString(node, 'x-kubernetes-list-type');
      const mode: ListSchema['mode'] = listType === 'map' || listType === 'set' ? listType : 'atomic';
      const keys = mode === 'map' ? ownList(node, 'x-kubernetes-list-map-keys').filter((key) => typeof key === 'string') : [];
      if (mode === 'map' && keys.length === 0) refuse(path, 'x-kubernetes-list-type map needs x-kubernetes-list-map-keys');
      return { kind: 'list', items: convert(items, `${path}[]`, depth + 1, walk), mode, keys, ...shared };
    }
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean': {
      const format = ownString(node, 'format');
      const scalarType: ScalarType = type;
      return { kind: 'scalar', type: scalarType, ...(format ? { format } : {}), ...shared };
    }
    case undefined:
      if (preserved) return { kind: 'any', ...(description ? { description } : {}) };
      return refuse(path, 'it has no type');
    default:
      return refuse(path, `the type ${JSON.stringify(type)} does not exist`);
  }
}

function convertObject(node: JsonObject, path: string, depth: number, walk: Walk, shared: object, preserved: boolean): Schema {
  const properties = ownObject(node, 'properties');
  const additional = own(node, 'additionalProperties');
  const atomic = ownString(node, 'x-kubernetes-map-type') === 'atomic';
  const embedded = own(node, 'x-kubernetes-embedded-resource') === true;
  if (additional !== undefined && additional !== false && properties && Object.keys(properties).length > 0)
    refuse(path, 'properties and additionalProperties exclude each other');
  if (isObject(additional)) return { kind: 'map', values: convert(additional, `${path}{}`, depth + 1, walk), atomic, ...shared };
  if (additional === true) return { kind: 'map', values: { kind: 'any' }, atomic, ...shared };
  const fields = new Map<string, Field>();
  for (const [name, child] of Object.entries(properties ?? {})) {
    if (!isObject(child)) return refuse(`${path}.${name}`, 'it is no object');
    const fallback = own(child, 'default');
    fields.set(name, {
      schema: convert(child, `${path}.${name}`, depth + 1, walk),
      ...(fallback === undefined ? {} : { default: fallback }),
    });
  }
  if (embedded) addObjectFields(fields);
  const required = [...ownList(node, 'required').filter((name) => typeof name === 'string'), ...(embedded ? ['apiVersion', 'kind'] : [])];
  return { kind: 'struct', name: '', fields, required, atomic, open: preserved, ...shared };
}

function addObjectFields(fields: Map<string, Field>): void {
  fields.set('apiVersion', { schema: { kind: 'scalar', type: 'string' } });
  fields.set('kind', { schema: { kind: 'scalar', type: 'string' } });
  fields.set('metadata', { schema: builtinStruct('meta.v1.ObjectMeta') });
}

/** `io.external-secrets.v1.ExternalSecret`: the group's labels turned round, as Kubernetes names custom definitions. */
function definitionName(gvk: GroupVersionKind): string {
  return [...gvk.group.split('.').reverse(), gvk.version, gvk.kind].join('.');
}

/**
 * The schema of a custom resource's version from its `openAPIV3Schema`. Without one everything below the root is taken as it comes
 * (maps granular, lists atomic). Throws SchemaError MALFORMED when the schema is not structural or passes the limits.
 * Source: apiextensions.k8s.io/v1, "Specifying a structural schema".
 */
export function customSchema(gvk: GroupVersionKind, openAPIV3Schema: JsonObject | undefined): StructSchema {
  const root = openAPIV3Schema
    ? convert(openAPIV3Schema, '', 0, { nodes: 0 })
    : ({ kind: 'struct', name: '', fields: new Map(), required: [], atomic: false, open: true } as const);
  if (root.kind !== 'struct') return refuse('', 'its type must be object');
  const fields = new Map(root.fields);
  addObjectFields(fields);
  return { ...root, name: definitionName(gvk), fields };
}

/** The schema of the version that a CustomResourceDefinition object names; undefined when it does not serve that version. */
export function schemaOfDefinition(definition: JsonObject, version: string): StructSchema | undefined {
  const spec = ownObject(definition, 'spec');
  const entry = ownObjects(spec, 'versions').find((candidate) => own(candidate, 'name') === version);
  if (!spec || !entry) return undefined;
  const gvk = { group: ownString(spec, 'group') ?? '', version, kind: ownString(ownObject(spec, 'names'), 'kind') ?? '' };
  const schema = ownObject(ownObject(entry, 'schema'), 'openAPIV3Schema');
  return customSchema(gvk, own(spec, 'preserveUnknownFields') === true ? undefined : schema);
}
