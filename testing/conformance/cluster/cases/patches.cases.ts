import { expect } from 'vitest';
import { type Answer, type Area, patchType } from '../case.ts';
import { configMap, deployment, deployments } from './objects.ts';

const managers = (object: Answer): string[] =>
  (object.metadata.managedFields ?? []).map(({ manager, operation }: Answer) => `${manager} ${operation}`);

export const patches: Area = {
  title: 'Patches and server-side apply',
  cases: [
    {
      name: 'a merge patch sets, replaces and, with null, removes',
      verbs: { configmaps: 'patch' },
      async run({ api }) {
        await api('POST', 'configmaps', configMap('a', { keep: '1', drop: '2', change: '3' }));
        const patched = await api('PATCH', 'configmaps/a', { data: { drop: null, change: '4', add: '5' } }, patchType.merge);
        expect(patched.data).toEqual({ keep: '1', change: '4', add: '5' });
      },
    },
    {
      name: 'a JSON patch is done whole or not at all',
      verbs: { configmaps: 'patch' },
      async run({ api, refused }) {
        await api('POST', 'configmaps', configMap('a', { one: '1' }));
        const add = { op: 'add', path: '/data/two', value: '2' };
        await refused('PATCH', 'configmaps/a', [add, { op: 'test', path: '/data/one', value: 'x' }], patchType.json);
        expect((await api('GET', 'configmaps/a')).data).toEqual({ one: '1' });
        const move = [{ op: 'move', from: '/data/one', path: '/data/moved' }, add, { op: 'copy', from: '/data/two', path: '/data/copy' }];
        expect((await api('PATCH', 'configmaps/a', move, patchType.json)).data).toEqual({ moved: '1', two: '2', copy: '2' });
      },
    },
    {
      name: 'a strategic merge patch merges lists by key, and deletes what it is told to',
      verbs: { 'apps/deployments': 'patch' },
      async run(bench) {
        const containers = [
          { name: 'c', image: 'i:1', env: [{ name: 'A', value: '1' }] },
          { name: 'd', image: 'i:1' },
        ];
        await bench.api(
          'POST',
          deployments,
          deployment(bench, 'd', { paused: true, replicas: 0, template: { metadata: { labels: { app: 'd' } }, spec: { containers } } }),
        );
        const change = [
          { name: 'c', image: 'i:2', env: [{ name: 'B', value: '2' }] },
          { name: 'd', $patch: 'delete' },
        ];
        const { spec } = await bench.api(
          'PATCH',
          `${deployments}/d`,
          { spec: { template: { spec: { containers: change } } } },
          patchType.strategic,
        );
        expect(spec.template.spec.containers).toMatchObject([{ name: 'c', image: 'i:2', env: [{ name: 'B' }, { name: 'A' }] }]);
        const replaced = [{ $patch: 'replace' }, { name: 'e', image: 'i:3' }];
        const after = await bench.api(
          'PATCH',
          `${deployments}/d`,
          { spec: { template: { spec: { containers: replaced } } } },
          patchType.strategic,
        );
        expect(after.spec.template.spec.containers.map(({ name }: Answer) => name)).toEqual(['e']);
      },
    },
    {
      name: 'server-side apply creates, and keeps who set what',
      verbs: { configmaps: 'patch' },
      async run({ api }) {
        const apply = (manager: string, data: object, force = '') =>
          api('PATCH', `configmaps/a?fieldManager=${manager}${force}`, configMap('a', data), patchType.apply);
        expect(managers(await apply('one', { a: '1' }))).toEqual(['one Apply']);
        expect(managers(await apply('two', { b: '2' })).sort()).toEqual(['one Apply', 'two Apply']);
        expect((await api('GET', 'configmaps/a')).data).toEqual({ a: '1', b: '2' });
      },
    },
    {
      name: 'server-side apply refuses another’s field unless forced, and then takes it',
      verbs: { configmaps: 'patch' },
      async run({ api, refused }) {
        const path = (manager: string) => `configmaps/a?fieldManager=${manager}`;
        await api('PATCH', path('one'), configMap('a', { a: '1' }), patchType.apply);
        const { reason, message } = await refused('PATCH', path('two'), configMap('a', { a: '2' }), patchType.apply);
        expect([reason, message]).toEqual(['Conflict', expect.stringContaining('conflict with "one"')]);
        const forced = await api('PATCH', `${path('two')}&force=true`, configMap('a', { a: '2' }), patchType.apply);
        expect([forced.data, managers(forced)]).toEqual([{ a: '2' }, ['two Apply']]);
      },
    },
    {
      name: 'server-side apply removes what its manager no longer wants and nobody else owns',
      verbs: { configmaps: 'patch' },
      async run({ api }) {
        const path = (manager: string) => `configmaps/a?fieldManager=${manager}`;
        await api('PATCH', path('one'), configMap('a', { mine: '1', shared: '2' }), patchType.apply);
        await api('PATCH', path('two'), configMap('a', { shared: '2' }), patchType.apply);
        expect((await api('PATCH', path('one'), configMap('a', {}), patchType.apply)).data).toEqual({ shared: '2' });
      },
    },
    {
      name: 'server-side apply merges lists by key: two managers own a container each',
      verbs: { 'apps/deployments': 'patch' },
      async run(bench) {
        const body = (name: string) => ({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          spec: {
            replicas: 0,
            selector: { matchLabels: { a: 'b' } },
            template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name, image: 'i:1' }] } },
          },
        });
        const apply = (manager: string, container: string) =>
          bench.api('PATCH', `${deployments}/d?fieldManager=${manager}`, body(container), patchType.apply);
        await apply('one', 'c');
        expect((await apply('two', 'd')).spec.template.spec.containers.map(({ name }: Answer) => name)).toEqual(['c', 'd']);
        expect((await apply('one', 'e')).spec.template.spec.containers.map(({ name }: Answer) => name).sort()).toEqual(['d', 'e']);
      },
    },
    {
      name: 'an apply that changes nothing keeps the version',
      verbs: { configmaps: 'patch' },
      async run({ api }) {
        const apply = () => api('PATCH', 'configmaps/a?fieldManager=one', configMap('a'), patchType.apply);
        const first = await apply();
        expect((await apply()).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      },
    },
    {
      name: '`/scale` reads and writes the number of replicas',
      verbs: { 'apps/deployments': 'get patch' },
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 0 }));
        const scale = await bench.api('GET', `${deployments}/d/scale`);
        expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', status: { selector: 'app=d' } });
        await bench.api('PATCH', `${deployments}/d/scale`, { spec: { replicas: 2 } }, patchType.merge);
        expect((await bench.api('GET', `${deployments}/d`)).spec.replicas).toBe(2);
        expect((await bench.refused('PATCH', `${deployments}/d/scale`, { spec: { replicas: -1 } }, patchType.merge)).reason).toBe(
          'Invalid',
        );
      },
    },
  ],
};
