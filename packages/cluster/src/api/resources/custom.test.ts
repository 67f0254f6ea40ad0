import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestCluster } from '../test-cluster.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const widgets = '/apis/example.com/v1/namespaces/default/widgets';
const merge = { type: 'application/merge-patch+json' };

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1 },
        color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
        port: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: { type: 'object', properties: { ready: { type: 'boolean' } } },
  },
};

const definition = (plural = 'widgets', kind = 'Widget') => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.example.com` },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural, kind, shortNames: [`${plural.slice(0, 2)}x`] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      },
      { name: 'v1alpha1', served: true, storage: false, schema: { openAPIV3Schema: schema } },
      { name: 'v0', served: false, storage: false, schema: { openAPIV3Schema: schema } },
    ],
  },
});

describe('custom resources', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
    await cluster.must('POST', definitions, definition());
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('are served as soon as the definition is made', async () => {
    const made = await cluster.must('GET', `${definitions}/widgets.example.com`);
    expect(made.status.conditions.map((item: { type: string; status: string }) => [item.type, item.status])).toEqual([
      ['NamesAccepted', 'True'],
      ['Established', 'True'],
    ]);
    expect(made.status.storedVersions).toEqual(['v1']);
    const { versions } = await cluster.must('GET', '/apis/example.com');
    expect(versions.map((item: { version: string }) => item.version)).toEqual(['v1', 'v1alpha1']);
    expect((await cluster.ask('GET', '/apis/example.com/v0/widgets')).status).toBe(404);
  });

  test('are defaulted, pruned and validated by their schema', async () => {
    const made = await cluster.must('POST', widgets, {
      metadata: { name: 'a' },
      spec: { size: 2, port: '80%', free: { x: [1] }, extra: 1 },
    });
    expect(made.spec).toEqual({ size: 2, port: '80%', free: { x: [1] }, color: 'red' });
    const wrong = await cluster.ask('POST', widgets, { metadata: { name: 'b' }, spec: { size: 0, color: 'green' } });
    expect(wrong.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(wrong.json.details.causes.map((cause: { field: string }) => cause.field).sort()).toEqual(['spec.color', 'spec.size']);
    expect((await cluster.ask('POST', widgets, { metadata: { name: 'b' }, spec: {} })).status).toBe(422);
    expect(
      (await cluster.ask('POST', `${widgets}?fieldValidation=Strict`, { metadata: { name: 'b' }, spec: { size: 1, extra: 1 } })).status,
    ).toBe(400);
  });

  test('are one object in all versions', async () => {
    const other = '/apis/example.com/v1alpha1/namespaces/default/widgets';
    const read = await cluster.must('GET', `${other}/a`);
    expect(read.apiVersion).toBe('example.com/v1alpha1');
    await cluster.must('PUT', `${other}/a`, { ...read, spec: { ...read.spec, color: 'blue' } });
    expect(await cluster.must('GET', `${widgets}/a`)).toMatchObject({ apiVersion: 'example.com/v1', spec: { color: 'blue' } });
    const watch = await cluster.watch(`${widgets}?watch=true`);
    expect((await watch.until(1))[0].object.apiVersion).toBe('example.com/v1');
    watch.stop();
  });

  test('have status and scale, patches by merge and apply, not the strategic one', async () => {
    await cluster.must('PATCH', `${widgets}/a/status`, { status: { ready: true }, spec: { size: 9 } }, merge);
    expect(await cluster.must('GET', `${widgets}/a`)).toMatchObject({ spec: { size: 2 }, status: { ready: true } });
    await cluster.must('PATCH', `${widgets}/a/scale`, { spec: { replicas: 4 } }, merge);
    expect((await cluster.must('GET', `${widgets}/a`)).spec.size).toBe(4);
    const strategic = await cluster.ask('PATCH', `${widgets}/a`, {}, { type: 'application/strategic-merge-patch+json' });
    expect(strategic.status).toBe(415);
    const body = 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: applied}\nspec: {size: 3}\n';
    const apply = { type: 'application/apply-patch+yaml' };
    expect((await cluster.ask('PATCH', `${widgets}/applied?fieldManager=one`, body, apply)).status).toBe(201);
    const conflict = await cluster.ask('PATCH', `${widgets}/applied?fieldManager=two`, body.replace('3', '5'), apply);
    expect(conflict.json).toMatchObject({ code: 409, details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.size' }] } });
    expect((await cluster.ask('PATCH', `${widgets}/applied?fieldManager=two&force=true`, body.replace('3', '5'), apply)).status).toBe(200);
  });

  test('print the columns of their definition', async () => {
    const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    const table = await cluster.must('GET', `${widgets}/a`, undefined, { headers });
    expect(table.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(['Name', 'Size']);
    expect(table.rows[0].cells).toEqual(['a', 4]);
  });

  test('an update needs the resourceVersion', async () => {
    const { metadata: _, ...rest } = await cluster.must('GET', `${widgets}/a`);
    expect((await cluster.ask('PUT', `${widgets}/a`, { ...rest, metadata: { name: 'a' } })).json).toMatchObject({ code: 422 });
  });

  test('definitions that could not be served are refused', async () => {
    const refused = async (change: (made: ReturnType<typeof definition>) => void) => {
      const made = definition('others', 'Other');
      change(made);
      return (await cluster.ask('POST', definitions, made)).status;
    };
    expect(await refused((made) => Object.assign(made.metadata, { name: 'wrong.example.com' }))).toBe(422);
    expect(await refused((made) => Object.assign(made.spec, { scope: 'Galaxy' }))).toBe(422);
    expect(await refused((made) => Object.assign(made.spec, { conversion: { strategy: 'Webhook' } }))).toBe(422);
    expect(await refused((made) => Object.assign(made.spec.versions[1]!, { storage: true }))).toBe(422);
    expect(await refused((made) => Object.assign(made.spec.versions[0]!, { schema: undefined }))).toBe(422);
    expect(await refused((made) => Object.assign(made.spec.versions[0]!.additionalPrinterColumns![0]!, { jsonPath: '.a[0:2]' }))).toBe(422);
    expect(
      await refused((made) => Object.assign(made.spec.versions[0]!.schema, { openAPIV3Schema: { type: 'object', properties: { a: {} } } })),
    ).toBe(422);
  });

  test('a kind that is taken is not established', async () => {
    await cluster.must('POST', definitions, definition('gadgets', 'Widget'));
    const made = await cluster.must('GET', `${definitions}/gadgets.example.com`);
    expect(made.status.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False' },
      { type: 'Established', status: 'False' },
    ]);
    expect((await cluster.ask('GET', '/apis/example.com/v1/gadgets')).status).toBe(404);
  });

  test('go with their definition, finalizers first', async () => {
    await cluster.must('PATCH', `${widgets}/a`, { metadata: { finalizers: ['example.com/hold'] } }, merge);
    const watch = await cluster.watch(
      `${definitions}?watch=true&fieldSelector=metadata.name%3Dwidgets.example.com&resourceVersion=${(await cluster.must('GET', definitions)).metadata.resourceVersion}`,
    );
    await cluster.must('DELETE', `${definitions}/widgets.example.com`);
    expect((await cluster.ask('POST', widgets, { metadata: { name: 'late' }, spec: { size: 1 } })).status).toBe(405);
    expect((await cluster.must('GET', `${widgets}/a`)).metadata.deletionTimestamp).toBeDefined();
    await cluster.must('PATCH', `${widgets}/a`, { metadata: { finalizers: null } }, merge);
    const events = await watch.until(2);
    expect(events.at(-1).type).toBe('DELETED');
    expect((await cluster.ask('GET', widgets)).status).toBe(404);
    watch.stop();
  });
});
