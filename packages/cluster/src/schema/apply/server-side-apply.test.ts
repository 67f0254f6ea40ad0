import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findSchema } from '../builtin.ts';
import { customSchema } from '../custom.ts';
import { equal, type JsonObject, own, ownObject, ownObjects } from '../json.ts';
import { FieldSet } from './field-set.ts';
import { applyServerSide, trackUpdate } from './server-side-apply.ts';

const schema = findSchema({ group: 'apps', version: 'v1', kind: 'Deployment' })!;
const now = new Date('2026-01-01T00:00:00Z');
const later = new Date('2026-01-01T00:01:00Z');
const by = (name: string) => ({ name, apiVersion: 'apps/v1' });

const container = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    image: fc.constantFrom('x:1', 'y:2'),
    command: fc.array(fc.constantFrom('r', 's'), { maxLength: 2, minLength: 1 }),
  },
  { requiredKeys: ['name'] },
);
const config = fc
  .record(
    {
      replicas: fc.integer({ min: 0, max: 3 }),
      labels: fc.dictionary(fc.constantFrom('l', 'm', '__proto__', 'f:x'), fc.constantFrom('1', '2'), { minKeys: 1, maxKeys: 3 }),
      containers: fc.uniqueArray(container, { selector: (item) => item.name, maxLength: 3 }),
    },
    { requiredKeys: [] },
  )
  .map(({ replicas, labels, containers }) => {
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', ...(labels ? { labels } : {}) },
      spec: {} as Record<string, unknown>,
    };
    if (replicas !== undefined) object.spec['replicas'] = replicas;
    if (containers && containers.length > 0) object.spec['template'] = { spec: { containers } };
    return JSON.parse(JSON.stringify(object)) as JsonObject;
  });

const apply = (live: JsonObject | undefined, applied: JsonObject, name: string, force = false, at = now) =>
  applyServerSide({ live, config: applied, schema, manager: by(name), force, now: at });

const ownersOf = (object: JsonObject): Map<string, FieldSet> =>
  new Map(
    ownObjects(ownObject(object, 'metadata'), 'managedFields').map((entry) => [
      `${own(entry, 'operation')} ${own(entry, 'manager')}`,
      FieldSet.fromFieldsV1(own(entry, 'fieldsV1')!),
    ]),
  );

describe('server-side apply', () => {
  test('the same configuration twice is a no-op, also later', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const live = apply(apply(undefined, first, 'a').object, second, 'b', true).object;
        const again = apply(live, second, 'b', false, later);
        expect(again.changed).toBe(false);
        expect(again.object).toBe(live);
      }),
    );
  });

  test('what a manager no longer applies goes, unless another owns it', () => {
    fc.assert(
      fc.property(config, config, config, (first, second, third) => {
        const one = apply(undefined, first, 'a').object;
        const replaced = apply(one, second, 'a').object;
        // One manager alone: only its last configuration counts, whatever it was before.
        expect(equal(ownObject(replaced, 'spec') ?? {}, ownObject(apply(undefined, second, 'a').object, 'spec') ?? {})).toBe(true);
        const shared = apply(apply(one, first, 'b').object, third, 'a', true).object;
        const stillThere = apply(shared, first, 'b', true);
        expect(ownersOf(stillThere.object).has('Apply b')).toBe(ownersOf(one).size > 0);
      }),
    );
  });

  test('no value has two owners who disagree: after force the others lose what changed', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const one = apply(undefined, first, 'a').object;
        let conflicts = 0;
        try {
          apply(one, second, 'b');
        } catch (error) {
          conflicts = (error as { causes: unknown[] }).causes.length;
        }
        const before = ownersOf(one).get('Apply a') ?? FieldSet.empty;
        const after = ownersOf(apply(one, second, 'b', true).object).get('Apply a') ?? FieldSet.empty;
        expect([...before.paths()].length - [...after.paths()].length).toBe(conflicts);
      }),
    );
  });

  test('inputs stay as they were', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const live = apply(undefined, first, 'a').object;
        const before = JSON.stringify([live, second]);
        apply(live, second, 'b', true);
        trackUpdate({ live, updated: second, schema, manager: by('u'), now });
        expect(JSON.stringify([live, second])).toBe(before);
      }),
    );
  });
});

describe('ownership of updates', () => {
  const base = (data: JsonObject): JsonObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data });
  const configMap = findSchema({ group: '', version: 'v1', kind: 'ConfigMap' })!;

  test('ten updaters are kept, older ones become ancient-changes', () => {
    let live = trackUpdate({ live: undefined, updated: base({}), schema: configMap, manager: { name: 'u', apiVersion: 'v1' }, now });
    for (let index = 0; index < 14; index += 1) {
      const updated = { ...live, data: { ...ownObject(live, 'data'), [`k${index}`]: '1' } };
      live = trackUpdate({
        live,
        updated,
        schema: configMap,
        manager: { name: `u${index}`, apiVersion: 'v1' },
        now: new Date(now.getTime() + index * 1000),
      });
    }
    const names = ownObjects(ownObject(live, 'metadata'), 'managedFields').map((entry) => own(entry, 'manager'));
    expect(names).toHaveLength(10);
    expect(names[0]).toBe('ancient-changes');
    expect(names.at(-1)).toBe('u13');
  });

  test('an update that changes nothing equals the live object', () => {
    const live = trackUpdate({
      live: undefined,
      updated: base({ a: '1' }),
      schema: configMap,
      manager: { name: 'u', apiVersion: 'v1' },
      now,
    });
    expect(
      trackUpdate({ live, updated: base({ a: '1' }), schema: configMap, manager: { name: 'v', apiVersion: 'v1' }, now: later }),
    ).toEqual(live);
  });

  test('malformed managedFields of a client are not taken over', () => {
    const live = trackUpdate({
      live: undefined,
      updated: base({ a: '1' }),
      schema: configMap,
      manager: { name: 'u', apiVersion: 'v1' },
      now,
    });
    const updated = { ...base({ a: '1' }), metadata: { name: 'x', managedFields: [{ manager: 'z', operation: 'Odd' }] } };
    expect(trackUpdate({ live, updated, schema: configMap, manager: { name: 'v', apiVersion: 'v1' }, now: later })).toEqual(live);
  });
});

test('custom resources without a schema have granular maps and atomic lists', () => {
  const custom = customSchema({ group: 'a.example', version: 'v1', kind: 'Thing' }, undefined);
  const object: JsonObject = {
    apiVersion: 'a.example/v1',
    kind: 'Thing',
    metadata: { name: 't' },
    spec: { list: [{ name: 'a' }], map: { k: 1 } },
  };
  const result = applyServerSide({
    live: undefined,
    config: object,
    schema: custom,
    manager: { name: 'm', apiVersion: 'a.example/v1' },
    force: false,
    now,
  });
  const [entry] = ownObjects(ownObject(result.object, 'metadata'), 'managedFields');
  expect(own(entry!, 'fieldsV1')).toEqual({ 'f:spec': { '.': {}, 'f:list': {}, 'f:map': { '.': {}, 'f:k': {} } } });
});

test('a deep or endless fieldsV1 is refused, not walked', () => {
  let deep: JsonObject = {};
  for (let index = 0; index < 500; index += 1) deep = { 'f:a': deep };
  expect(() => FieldSet.fromFieldsV1(deep)).toThrowError(expect.objectContaining({ code: 'TOO_DEEP' }));
});
