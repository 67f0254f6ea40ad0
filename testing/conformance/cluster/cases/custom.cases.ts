import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const groupOf = (bench: Bench) => `${bench.unique}.example.com`;
const widgets = (bench: Bench, version = 'v1') => `${groupOf(bench)}/${version}/widgets`;
const structural = (spec: object, more: object = {}) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: { spec: { type: 'object', properties: spec }, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    ...more,
  },
});

/** Defines the kind Widget in a group of the case's own, and waits until it is served. */
async function define(bench: Bench, version: object, more: object = {}): Promise<void> {
  const group = groupOf(bench);
  const name = `widgets.${group}`;
  const names = {
    kind: 'Widget',
    plural: 'widgets',
    singular: 'widget',
    shortNames: [`w${bench.unique}`],
    categories: [`all${bench.unique}`],
  };
  const versions = [{ name: 'v1', served: true, storage: true, ...version }];
  await bench.api('POST', definitions, { metadata: { name }, spec: { group, scope: 'Namespaced', names, versions, ...more } });
  bench.after(() => bench.api('DELETE', `${definitions}/${name}`));
  await bench.until('the kind to be served', () => bench.api('GET', widgets(bench)).catch(() => undefined));
}

const widget = (bench: Bench, spec: object, version = 'v1') => ({
  apiVersion: `${groupOf(bench)}/${version}`,
  kind: 'Widget',
  metadata: { name: 'w' },
  spec,
});

export const custom: Area = {
  title: 'Custom resources',
  cases: [
    {
      name: 'a definition is established, and its kind is created, listed, changed and deleted',
      verbs: { 'apiextensions.k8s.io/customresourcedefinitions': 'create get delete' },
      fields: {
        CustomResourceDefinitionSpec: 'group names scope versions conversion',
        CustomResourceDefinitionNames: 'kind plural singular shortNames categories listKind',
        CustomResourceDefinitionVersion: 'name schema served storage',
        CustomResourceValidation: 'openAPIV3Schema',
        JSONSchemaProps: 'properties type x-kubernetes-preserve-unknown-fields',
      },
      async run(bench) {
        await define(bench, { schema: structural({ size: { type: 'integer' } }) });
        const made = await bench.api('POST', widgets(bench), widget(bench, { size: 1 }));
        expect(await bench.api('GET', widgets(bench))).toMatchObject({
          kind: 'WidgetList',
          items: [{ kind: 'Widget', spec: { size: 1 } }],
        });
        await bench.api('PUT', `${widgets(bench)}/w`, { ...made, spec: { size: 2 } });
        expect(await bench.ok(['get', `w${bench.unique}`, 'w', '-o', 'jsonpath={.spec.size}'])).toBe('2');
        expect(await bench.ok(['get', `all${bench.unique}`, '-o', 'name'])).toContain('/w');
        await bench.api('DELETE', `${widgets(bench)}/w`);
        expect((await bench.api('GET', widgets(bench))).items).toEqual([]);
      },
    },
    {
      name: 'the schema gives defaults, prunes what it does not know, and refuses what does not fit',
      fields: {
        JSONSchemaProps: `additionalProperties default enum exclusiveMinimum exclusiveMaximum format items maxItems maxLength maxProperties maximum
          minItems minLength minProperties minimum multipleOf nullable pattern required uniqueItems allOf anyOf oneOf not
          x-kubernetes-int-or-string x-kubernetes-embedded-resource`,
      },
      async run(bench) {
        const text = { type: 'string' };
        await define(bench, {
          schema: structural(
            {
              size: { type: 'integer', minimum: 1, maximum: 10, default: 3 },
              ratio: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 1, exclusiveMaximum: true, multipleOf: 0.25 },
              name: { ...text, minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
              mode: { ...text, enum: ['on', 'off'] },
              when: { ...text, format: 'date-time' },
              maybe: { ...text, nullable: true },
              list: { type: 'array', items: text, minItems: 1, maxItems: 2 },
              map: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1, maxProperties: 1 },
              port: { 'x-kubernetes-int-or-string': true },
              object: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
              either: { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
              some: { type: 'object', properties: { a: text, b: text }, anyOf: [{ required: ['a'] }, { required: ['b'] }] },
              both: { type: 'object', properties: { a: text }, allOf: [{ required: ['a'] }], not: { required: ['b'] } },
            },
            { required: ['spec'] },
          ),
        });
        const attempt = (spec: object) => bench.refused('POST', `${widgets(bench)}?dryRun=All`, widget(bench, spec));
        const wrong = [
          { size: 0 },
          { size: 11 },
          { size: 'x' },
          { ratio: 0 },
          { ratio: 1 },
          { ratio: 0.3 },
          { name: 'a' },
          { name: 'abcde' },
          { name: 'AB' },
          { mode: 'up' },
          { when: 'noon' },
          { list: [] },
          { list: ['a', 'b', 'c'] },
          { map: {} },
          { map: { a: 1, b: 2 } },
          { map: { a: 'x' } },
          { port: {} },
          { object: { apiVersion: 'v1' } },
          { either: {} },
          { either: { a: 'x', b: 'y' } },
          { some: {} },
          { both: {} },
        ];
        for (const spec of wrong) expect((await attempt(spec)).reason, JSON.stringify(spec)).toBe('Invalid');
        const { spec: _spec, ...bare } = widget(bench, {});
        expect((await bench.refused('POST', widgets(bench), bare)).message).toContain('Required value');
        const right = {
          ratio: 0.5,
          name: 'ab',
          mode: 'on',
          when: '2026-01-01T00:00:00Z',
          maybe: null,
          list: ['a'],
          map: { a: 1 },
          port: 'http',
          either: { a: 'x' },
          both: { a: 'x' },
        };
        const made = await bench.api('POST', widgets(bench), widget(bench, { ...right, unknown: 1 }));
        expect(made.spec).toEqual({ ...right, size: 3 });
      },
    },
    {
      name: 'status is a subresource where the definition says so',
      fields: { CustomResourceDefinitionVersion: 'subresources', CustomResourceSubresources: 'status' },
      async run(bench) {
        await define(bench, { schema: structural({ size: { type: 'integer' } }), subresources: { status: {} } });
        const made = await bench.api('POST', widgets(bench), { ...widget(bench, { size: 1 }), status: { a: 1 } });
        expect(made).not.toHaveProperty('status');
        const after = await bench.api('PATCH', `${widgets(bench)}/w/status`, { spec: { size: 9 }, status: { a: 2 } }, patchType.merge);
        expect([after.spec, after.status, after.metadata.generation]).toEqual([{ size: 1 }, { a: 2 }, 1]);
      },
    },
    {
      name: 'kubectl scale works where the definition says how',
      kubectl: ['scale'],
      fields: {
        CustomResourceSubresources: 'scale',
        CustomResourceSubresourceScale: 'labelSelectorPath specReplicasPath statusReplicasPath',
      },
      async run(bench) {
        const scale = { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size', labelSelectorPath: '.status.selector' };
        await define(bench, { schema: structural({ size: { type: 'integer' } }), subresources: { status: {}, scale } });
        await bench.api('POST', widgets(bench), widget(bench, { size: 1 }));
        await bench.api('PATCH', `${widgets(bench)}/w/status`, { status: { size: 4, selector: 'a=b' } }, patchType.merge);
        await bench.ok(['scale', `widgets.${groupOf(bench)}/w`, '--replicas=5']);
        expect(await bench.api('GET', `${widgets(bench)}/w/scale`)).toMatchObject({
          spec: { replicas: 5 },
          status: { replicas: 4, selector: 'a=b' },
        });
      },
    },
    {
      name: 'kubectl get prints the columns of the definition',
      kubectl: ['get'],
      fields: {
        CustomResourceDefinitionVersion: 'additionalPrinterColumns',
        CustomResourceColumnDefinition: 'jsonPath name type priority format description',
      },
      async run(bench) {
        const additionalPrinterColumns = [
          { name: 'Size', type: 'integer', format: 'int32', description: 'How large', jsonPath: '.spec.size' },
          { name: 'Hidden', type: 'string', jsonPath: '.spec.name', priority: 1 },
        ];
        await define(bench, { schema: structural({ size: { type: 'integer' }, name: { type: 'string' } }), additionalPrinterColumns });
        await bench.api('POST', widgets(bench), widget(bench, { size: 1, name: 'x' }));
        expect(await bench.ok(['get', `widgets.${groupOf(bench)}`])).toMatch(/^NAME +SIZE\nw +1\n$/);
        expect(await bench.ok(['get', `widgets.${groupOf(bench)}`, '-o', 'wide'])).toMatch(/^NAME +SIZE +HIDDEN\nw +1 +x\n$/);
      },
    },
    {
      name: 'lists of custom kinds merge as their schema says',
      fields: { JSONSchemaProps: 'x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-map-type' },
      async run(bench) {
        const entry = { type: 'object', required: ['key'], properties: { key: { type: 'string' }, value: { type: 'string' } } };
        const list = { type: 'array', items: entry, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['key'] };
        const whole = { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' };
        await define(bench, {
          schema: structural({ list, set: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' }, whole }),
        });
        const apply = (manager: string, spec: object) =>
          bench.api('PATCH', `${widgets(bench)}/w?fieldManager=${manager}&force=true`, widget(bench, spec), patchType.apply);
        await apply('one', { list: [{ key: 'a', value: '1' }], set: ['a'], whole: { a: '1' } });
        const { spec } = await apply('two', { list: [{ key: 'b', value: '2' }], set: ['b'], whole: { b: '2' } });
        expect(spec.list.map(({ key }: Answer) => key).sort()).toEqual(['a', 'b']);
        expect([...spec.set].sort()).toEqual(['a', 'b']);
        expect(spec.whole).toEqual({ b: '2' });
        const twice = { list: [{ key: 'a' }, { key: 'a' }] };
        expect(
          (await bench.refused('POST', `${widgets(bench)}?dryRun=All`, { ...widget(bench, twice), metadata: { name: 'x' } })).reason,
        ).toBe('Invalid');
      },
    },
    {
      name: 'a list is chosen by the fields that the definition names',
      fields: { CustomResourceDefinitionVersion: 'selectableFields', SelectableField: 'jsonPath' },
      async run(bench) {
        await define(bench, { schema: structural({ color: { type: 'string' } }), selectableFields: [{ jsonPath: '.spec.color' }] });
        for (const color of ['red', 'blue'])
          await bench.api('POST', widgets(bench), { ...widget(bench, { color }), metadata: { name: color } });
        const { items } = await bench.api('GET', `${widgets(bench)}?fieldSelector=spec.color%3Dblue`);
        expect(items.map(({ metadata }: Answer) => metadata.name)).toEqual(['blue']);
      },
    },
    {
      name: 'several versions of a kind are served, and a deprecated one says so',
      kubectl: ['get'],
      fields: { CustomResourceDefinitionVersion: 'deprecated deprecationWarning' },
      async run(bench) {
        const schema = structural({ size: { type: 'integer' } });
        const versions = [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v1beta1', served: true, storage: false, deprecated: true, deprecationWarning: 'use v1 instead', schema },
        ];
        await define(bench, {}, { versions });
        await bench.api('POST', widgets(bench), widget(bench, { size: 1 }));
        expect((await bench.api('GET', `${widgets(bench, 'v1beta1')}/w`)).apiVersion).toBe(`${groupOf(bench)}/v1beta1`);
        const { err } = await bench.kubectl(['get', `widgets.v1beta1.${groupOf(bench)}`, 'w']);
        expect(err).toContain('Warning: use v1 instead');
      },
    },
    {
      name: 'a definition that is not structural, or wants what is not allowed, is refused',
      fields: { CustomResourceDefinitionSpec: 'preserveUnknownFields' },
      async run(bench) {
        const group = groupOf(bench);
        const attempt = async (spec: object, version: object = { schema: structural({}) }) => {
          const names = { kind: 'Widget', plural: 'widgets' };
          const body = {
            metadata: { name: `widgets.${group}` },
            spec: { group, scope: 'Namespaced', names, versions: [{ name: 'v1', served: true, storage: true, ...version }], ...spec },
          };
          return (await bench.refused('POST', definitions, body)).message;
        };
        expect(await attempt({}, {})).toContain('spec.versions[0].schema.openAPIV3Schema: Required value');
        expect(await attempt({ preserveUnknownFields: true })).toContain('spec.preserveUnknownFields: Invalid value: true');
        expect(await attempt({ scope: 'Everywhere' })).toContain('spec.scope: Unsupported value');
        expect(await attempt({ group: 'other.example.com' })).toContain('metadata.name: Invalid value');
      },
    },
    {
      name: 'with its definition a kind goes, and all objects of it',
      verbs: { 'apiextensions.k8s.io/customresourcedefinitions': 'delete' },
      async run(bench) {
        await define(bench, { schema: structural({ size: { type: 'integer' } }) });
        await bench.api('POST', widgets(bench), widget(bench, { size: 1 }));
        await bench.api('DELETE', `${definitions}/widgets.${groupOf(bench)}`);
        await bench.until('the kind to be served no more', () =>
          bench.api('GET', widgets(bench)).then(
            () => false,
            () => true,
          ),
        );
        await bench.until('the definition to go', () =>
          bench.api('GET', `${definitions}/widgets.${groupOf(bench)}`).then(
            () => false,
            () => true,
          ),
        );
      },
    },
  ],
};
