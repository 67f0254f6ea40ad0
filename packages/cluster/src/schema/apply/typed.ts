/**
 * Walks of an object by its schema, as structured-merge-diff defines them: which paths it sets, how two merge, how two differ,
 * what is left without some paths. `undefined` is absent; null is a value of its own.
 */
import { isBuiltin } from '../builtin.ts';
import { equal, isObject, type Json, type JsonObject, own, put } from '../json.ts';
import type { ListSchema, MapSchema, Schema, StructSchema } from '../types.ts';
import { elementText, FieldSet, FieldSetBuilder, fieldElement, keyElement, type PathElement, valueElement } from './field-set.ts';

type Shape = { kind: 'scalar' } | ListSchema | MapSchema | StructSchema;

const deduced: Schema = { kind: 'any' };
const deducedMap: MapSchema = { kind: 'map', values: deduced, atomic: false };
const deducedList: ListSchema = { kind: 'list', items: deduced, mode: 'atomic', keys: [] };

/** What the schema says of a value; what nothing is known of is deduced from the value: maps granular, lists atomic. */
function shapeOf(schema: Schema, value: Json | undefined): Shape {
  if (schema.kind === 'scalar') return { kind: 'scalar' };
  if (schema.kind !== 'any') return schema;
  if (Array.isArray(value)) return deducedList;
  return isObject(value) || value === null || value === undefined ? deducedMap : { kind: 'scalar' };
}

/** The schema of a map's or structure's key; unknown keys are deduced. */
function childSchema(shape: MapSchema | StructSchema, key: string): Schema {
  return shape.kind === 'map' ? shape.values : (shape.fields.get(key)?.schema ?? deduced);
}

const isDeclared = (shape: Shape, key: string): boolean => shape.kind === 'struct' && shape.fields.has(key);
const isAtomic = (shape: ListSchema | MapSchema | StructSchema): boolean =>
  shape.kind === 'list' ? shape.mode === 'atomic' : shape.atomic;

/** The path element of an item of a set or map list; undefined when it cannot have one (no key, a map in a set). */
export function itemElement(list: ListSchema, item: Json): PathElement | undefined {
  if (list.mode === 'set') return typeof item === 'object' ? undefined : valueElement(item);
  if (!isObject(item)) return undefined;
  const keys: JsonObject = {};
  for (const name of list.keys) {
    const value = own(item, name) ?? (list.items.kind === 'struct' ? list.items.fields.get(name)?.default : undefined);
    if (value !== undefined) put(keys, name, value);
  }
  return Object.keys(keys).length > 0 ? keyElement(keys) : undefined;
}

/** Every element of a list once, with the items that have it, in order of first occurrence. */
function indexItems(list: ListSchema, items: readonly Json[]): Map<PathElement, Json[]> {
  const index = new Map<PathElement, Json[]>();
  for (const item of items) {
    const element = itemElement(list, item);
    if (element === undefined) continue;
    const known = index.get(element);
    if (known) known.push(item);
    else index.set(element, [item]);
  }
  return index;
}

/** The paths that an applied object sets. */
export function fieldsOf(value: Json, schema: Schema): FieldSet {
  const set = new FieldSetBuilder();
  const visit = (at: Json, atSchema: Schema, path: readonly PathElement[]): void => {
    const shape = shapeOf(atSchema, at);
    if (shape.kind === 'scalar' || isAtomic(shape)) set.add(path);
    else if (shape.kind === 'list') {
      if (!Array.isArray(at)) return;
      for (const [element, items] of indexItems(shape, at)) {
        const here = [...path, element];
        if (items.length === 1) visit(items[0] as Json, shape.items, here);
        set.add(here);
      }
    } else if (isObject(at)) {
      for (const [key, item] of Object.entries(at)) {
        const here = [...path, fieldElement(key)];
        visit(item, childSchema(shape, key), here);
        if (item === null || (isObject(item) && Object.keys(item).length === 0) || !isDeclared(shape, key)) set.add(here);
      }
    }
  };
  visit(value, schema, []);
  return set.build();
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** How `after` differs from `before`. */
export function compare(before: Json, after: Json, schema: Schema): Comparison {
  const added = new FieldSetBuilder();
  const modified = new FieldSetBuilder();
  const removed = new FieldSetBuilder();

  const leaf = (left: Json | undefined, right: Json | undefined, path: readonly PathElement[]): true => {
    if (left === undefined) added.add(path);
    else if (right === undefined) removed.add(path);
    else if (!equal(left, right)) modified.add(path);
    return true;
  };
  /** True when the value was compared as one. */
  const visitAs = (shape: Shape, left: Json | undefined, right: Json | undefined, path: readonly PathElement[]): boolean => {
    if (shape.kind === 'scalar' || isAtomic(shape) || (isEmpty(shape, left) && isEmpty(shape, right))) return leaf(left, right, path);
    if (shape.kind === 'list') compareItems(shape, asList(left), asList(right), path);
    else {
      const [l, r] = [isObject(left) ? left : {}, isObject(right) ? right : {}];
      for (const key of new Set([...Object.keys(l), ...Object.keys(r)]))
        visit(own(l, key), own(r, key), childSchema(shape, key), [...path, fieldElement(key)]);
    }
    return false;
  };
  const visit = (left: Json | undefined, right: Json | undefined, atSchema: Schema, path: readonly PathElement[]): void => {
    const [leftShape, rightShape] = [shapeOf(atSchema, left), shapeOf(atSchema, right)];
    if (left !== undefined && right !== undefined && leftShape.kind !== rightShape.kind) {
      visitAs(leftShape, left, right, path);
      visitAs(rightShape, left, right, path);
      return;
    }
    const whole = visitAs(right === undefined ? leftShape : rightShape, left, right, path);
    if (whole) return;
    if (left === undefined) added.add(path);
    else if (right === undefined) removed.add(path);
  };
  const compareItems = (list: ListSchema, left: readonly Json[], right: readonly Json[], path: readonly PathElement[]): void => {
    const [leftIndex, rightIndex] = [indexItems(list, left), indexItems(list, right)];
    for (const element of new Set([...leftIndex.keys(), ...rightIndex.keys()])) {
      const here = [...path, element];
      const [l, r] = [leftIndex.get(element) ?? [], rightIndex.get(element) ?? []];
      if (l.length <= 1 && r.length <= 1) visit(l[0], r[0], list.items, here);
      else if (l.length >= 2 && r.length >= 2) {
        if (!equal(l, r)) modified.add(here);
      } else if (l.length >= 2) {
        if (r.length > 0) visit(undefined, r[0], list.items, here);
        removed.add(here);
      } else {
        if (l.length > 0) visit(l[0], undefined, list.items, here);
        added.add(here);
      }
    }
  };
  visit(before, after, schema, []);
  return { added: added.build(), modified: modified.build(), removed: removed.build() };
}

const asList = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);

function isEmpty(shape: Shape, value: Json | undefined): boolean {
  if (shape.kind === 'list') return asList(value).length === 0;
  return !isObject(value) || Object.keys(value).length === 0;
}

/** `config` laid over `live`: its values win, lists keep the live order where the config's allows. */
export function merge(live: Json | undefined, config: Json | undefined, schema: Schema): Json | undefined {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const shape = shapeOf(schema, config);
  if (shape.kind !== shapeOf(schema, live).kind || shape.kind === 'scalar' || isAtomic(shape)) return config;
  if (isEmpty(shape, live) && isEmpty(shape, config)) return config;
  if (shape.kind === 'list') return mergeItems(shape, asList(live), asList(config));
  const [left, right] = [isObject(live) ? live : {}, isObject(config) ? config : {}];
  const result: JsonObject = {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const value = merge(own(left, key), own(right, key), childSchema(shape, key));
    if (value !== undefined) put(result, key, value);
  }
  return result;
}

/**
 * Live items keep their order, applied items theirs; where the two contradict each other the applied order wins, and items that only
 * one side has stand where that side has them, the live ones first.
 */
function mergeItems(list: ListSchema, live: readonly Json[], config: readonly Json[]): Json[] {
  const liveIndex = indexItems(list, live);
  const configIndex = indexItems(list, config);
  const right = [...configIndex.keys()];
  const left = live.map((item) => ({ item, element: itemElement(list, item) }));
  const shared = right.filter((element) => liveIndex.has(element));
  const merged = new Set<PathElement>();
  const result: Json[] = [];
  let nextShared = 0;
  const take = (element: PathElement): void => {
    merged.add(element);
    const lefts = liveIndex.get(element) ?? [];
    const value = merge(lefts.length === 1 ? lefts[0] : undefined, configIndex.get(element)?.[0], list.items);
    if (value !== undefined) result.push(value);
    if (shared[nextShared] === element) nextShared += 1;
  };
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const here = left[l];
    const applied = right[r];
    if (here && applied !== undefined) {
      if (here.element === applied) {
        take(applied);
        l += 1;
        r += 1;
        continue;
      }
      if (
        here.element !== undefined &&
        configIndex.has(here.element) &&
        nextShared < shared.length &&
        shared[nextShared] !== here.element
      ) {
        l += 1;
        continue;
      }
    }
    if (here) {
      if (here.element === undefined || !configIndex.has(here.element)) {
        result.push(here.item);
        l += 1;
        continue;
      }
      if (merged.has(here.element)) l += 1;
    }
    if (applied !== undefined && r < right.length) {
      take(applied);
      r += 1;
    } else if (here && !merged.has(here.element ?? '')) l += 1;
  }
  return result;
}

/**
 * The object as Go would hold it: with the structures that are always there, and null for lists and maps that the kind requires.
 * Only so compare two objects as the real server compares them; custom resources stay as they are.
 */
export function materialised(value: Json, schema: Schema): Json {
  if (schema.kind === 'list' && Array.isArray(value)) return value.map((item) => materialised(item, schema.items));
  if (schema.kind === 'map' && isObject(value)) return mapped(value, (_, item) => materialised(item, schema.values));
  if (schema.kind !== 'struct' || !isObject(value) || !isBuiltin(schema)) return value;
  const result = mapped(value, (key, item) => materialised(item, childSchema(schema, key)));
  for (const [name, field] of schema.fields) {
    if (own(result, name) !== undefined) continue;
    if (field.always && field.schema.kind === 'struct') put(result, name, materialised({}, field.schema));
    else if (schema.required.includes(name) && (field.schema.kind === 'list' || field.schema.kind === 'map')) put(result, name, null);
  }
  return result;
}

function mapped(object: JsonObject, change: (key: string, value: Json) => Json): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(object)) put(result, key, change(key, value));
  return result;
}

/**
 * The value without the members of `gone` and what lies below them. A list or map that loses its last item is null: still there for a
 * comparison, so that who owns it as a whole goes on owning it.
 */
export function removeFields(value: Json, gone: FieldSet, schema: Schema): Json {
  const shape = shapeOf(schema, value);
  if (shape.kind === 'scalar') return value;
  if (isEmpty(shape, value) || isAtomic(shape)) return null;
  if (shape.kind === 'list') {
    const items: Json[] = [];
    for (const item of asList(value)) {
      const element = itemElement(shape, item);
      if (element !== undefined && gone.members.has(element)) continue;
      const below = element === undefined ? FieldSet.empty : gone.below(element);
      items.push(below.isEmpty ? item : removeFields(item, below, shape.items));
    }
    return items.length > 0 ? items : null;
  }
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value as JsonObject)) {
    const element = fieldElement(key);
    if (gone.members.has(element)) continue;
    const below = gone.below(element);
    put(result, key, below.isEmpty ? item : removeFields(item, below, childSchema(shape, key)));
  }
  return Object.keys(result).length > 0 ? result : null;
}

/** The set with every declared field of a structure a member where something below it is. */
export function withNamedFields(set: FieldSet, schema: Schema): FieldSet {
  const named: PathElement[] = [];
  const children: [PathElement, FieldSet][] = [];
  for (const [element, below] of set.children) {
    const key = element.startsWith('f:') ? element.slice(2) : undefined;
    if (key !== undefined && schema.kind === 'struct' && schema.fields.has(key)) named.push(element);
    children.push([element, withNamedFields(below, elementSchema(schema, key))]);
  }
  return FieldSet.of([...set.members, ...named], children);
}

function elementSchema(schema: Schema, key: string | undefined): Schema {
  if (schema.kind === 'list') return schema.items;
  if ((schema.kind === 'map' || schema.kind === 'struct') && key !== undefined) return childSchema(schema, key);
  return deduced;
}

/** Why a configuration cannot be applied: unknown fields, wrong types, items without a key or twice the same. At most 20. */
export function configurationErrors(config: JsonObject, schema: Schema): string[] {
  const errors: string[] = [];
  const visit = (value: Json, at: Schema, path: string): void => {
    if (errors.length >= 20 || value === null || at.kind === 'any') return;
    if (at.kind === 'scalar') {
      if (typeof value === 'object') errors.push(`${path}: expected ${at.type}, got ${Array.isArray(value) ? 'a list' : 'a map'}`);
    } else if (at.kind === 'list') {
      if (!Array.isArray(value)) errors.push(`${path}: expected list, got ${JSON.stringify(value)?.slice(0, 80)}`);
      else visitItems(value, at, path);
    } else if (!isObject(value)) errors.push(`${path}: expected map, got ${JSON.stringify(value)?.slice(0, 80)}`);
    else
      for (const [key, item] of Object.entries(value)) {
        if (at.kind === 'struct' && !at.open && !at.fields.has(key)) errors.push(`${path}.${key}: field not declared in schema`);
        else visit(item, childSchema(at, key), `${path}.${key}`);
      }
  };
  const visitItems = (items: readonly Json[], list: ListSchema, path: string): void => {
    const seen = new Set<PathElement>();
    for (const [index, item] of items.entries()) {
      if (list.mode === 'atomic') visit(item, list.items, `${path}[${index}]`);
      else {
        const element = itemElement(list, item);
        if (element === undefined)
          errors.push(
            list.mode === 'map'
              ? `${path}: element ${index}: associative list with keys has an element that omits key field ${JSON.stringify(list.keys[0])} (and doesn't have default value)`
              : `${path}: element ${index}: associative list without keys has an element that's a map type`,
          );
        else if (seen.has(element)) errors.push(`${path}: duplicate entries for key ${elementText(element)}`);
        else {
          seen.add(element);
          visit(item, list.items, `${path}[${index}]`);
        }
      }
    }
  };
  visit(config, schema, '');
  return errors;
}
