import { expect } from 'vitest';
import type { Area } from '../case.ts';
import { configMap, deployment, deployments } from './objects.ts';

export const crud: Area = {
  title: 'Create, read, update, delete, list',
  cases: [
    {
      name: 'what is created gets a uid, a version and a time, and is read as it was answered',
      verbs: { configmaps: 'create get' },
      fields: { ConfigMap: 'data binaryData' },
      async run({ api }) {
        const created = await api('POST', 'configmaps', { ...configMap('a', { greeting: 'hello' }), binaryData: { raw: 'AAEC' } });
        expect(created.metadata).toMatchObject({
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          resourceVersion: expect.stringMatching(/^\d+$/),
        });
        expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(created).toMatchObject({ data: { greeting: 'hello' }, binaryData: { raw: 'AAEC' } });
        expect(await api('GET', 'configmaps/a')).toEqual(created);
      },
    },
    {
      name: 'a name exists once, and what does not exist is not found',
      verbs: { configmaps: 'create delete get' },
      async run({ api, refused }) {
        await api('POST', 'configmaps', configMap('a'));
        expect((await refused('POST', 'configmaps', configMap('a'))).reason).toBe('AlreadyExists');
        expect((await refused('GET', 'configmaps/b')).message).toContain('configmaps "b" not found');
        expect((await refused('DELETE', 'configmaps/b')).reason).toBe('NotFound');
        expect((await refused('POST', '/api/v1/namespaces/no-such-namespace/configmaps', configMap('a'))).reason).toBe('NotFound');
      },
    },
    {
      name: 'an update of an old version is a conflict, one of the newest is stored',
      verbs: { configmaps: 'update' },
      async run({ api, refused }) {
        const first = await api('POST', 'configmaps', configMap('a'));
        const second = await api('PUT', 'configmaps/a', { ...first, data: { a: '2' } });
        expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
        expect((await refused('PUT', 'configmaps/a', { ...first, data: { a: '3' } })).reason).toBe('Conflict');
        expect((await api('GET', 'configmaps/a')).data).toEqual({ a: '2' });
      },
    },
    {
      name: 'an update that changes nothing keeps the version',
      verbs: { configmaps: 'update' },
      async run({ api }) {
        const first = await api('POST', 'configmaps', configMap('a'));
        expect((await api('PUT', 'configmaps/a', first)).metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      },
    },
    {
      name: 'a list is chosen by labels: equal, among, not among, present, absent',
      verbs: { configmaps: 'list' },
      async run({ api }) {
        for (const [name, labels] of [
          ['a', { tier: 'x', on: '' }],
          ['b', { tier: 'y' }],
          ['c', {}],
        ] as const)
          await api('POST', 'configmaps', configMap(name, {}, { labels }));
        const names = async (selector: string) => {
          const { items } = await api('GET', `configmaps?labelSelector=${encodeURIComponent(`${selector}`)}`);
          return items.map((item: { metadata: { name: string } }) => item.metadata.name).filter((name: string) => name.length === 1);
        };
        expect(await names('tier=x')).toEqual(['a']);
        expect(await names('tier!=x')).toEqual(['b', 'c']);
        expect(await names('tier in (x,y)')).toEqual(['a', 'b']);
        expect(await names('tier notin (x)')).toEqual(['b', 'c']);
        expect(await names('on')).toEqual(['a']);
        expect(await names('!tier')).toEqual(['c']);
        expect(await names('tier,!on')).toEqual(['b']);
      },
    },
    {
      name: 'a list is chosen by fields',
      verbs: { secrets: 'create list', configmaps: 'list' },
      async run({ api, refused }) {
        for (const name of ['a', 'b']) await api('POST', 'configmaps', configMap(name));
        expect((await api('GET', 'configmaps?fieldSelector=metadata.name%3Db')).items).toHaveLength(1);
        await api('POST', 'secrets', { metadata: { name: 's' }, type: 'example.com/mine' });
        expect((await api('GET', 'secrets?fieldSelector=type%3Dexample.com%2Fmine')).items).toHaveLength(1);
        expect((await refused('GET', 'configmaps?fieldSelector=data.a%3D1')).reason).toBe('BadRequest');
      },
    },
    {
      name: 'a long list comes in pages, all of one version',
      verbs: { configmaps: 'list' },
      async run({ api }) {
        for (const name of ['a', 'b', 'c', 'd', 'e']) await api('POST', 'configmaps', configMap(name, {}, { labels: { page: 'yes' } }));
        const page = (next: string) => api('GET', `configmaps?labelSelector=page&limit=2&continue=${encodeURIComponent(next)}`);
        const nameOf = ({ metadata }: { metadata: { name: string } }) => metadata.name;
        const first = await page('');
        expect(first.items).toHaveLength(2);
        await api('DELETE', 'configmaps/e');
        const names = first.items.map(nameOf);
        for (let next = first.metadata.continue; next; ) {
          const { items, metadata } = await page(next);
          expect(metadata.resourceVersion).toBe(first.metadata.resourceVersion);
          names.push(...items.map(nameOf));
          next = metadata.continue;
        }
        expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
      },
    },
    {
      name: 'the server completes a name that is left to it',
      verbs: { configmaps: 'create' },
      async run({ api }) {
        const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } };
        expect((await api('POST', 'configmaps', body)).metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
      },
    },
    {
      name: 'a dry run answers as if, and leaves nothing',
      verbs: { configmaps: 'create' },
      async run({ api, refused }) {
        expect((await api('POST', 'configmaps?dryRun=All', configMap('a'))).metadata.uid).toBeTruthy();
        expect((await refused('GET', 'configmaps/a')).reason).toBe('NotFound');
        await api('POST', 'configmaps', configMap('a'));
        await api('DELETE', 'configmaps/a', { kind: 'DeleteOptions', apiVersion: 'v1', dryRun: ['All'] });
        expect((await api('GET', 'configmaps/a')).data).toEqual({ a: '1' });
      },
    },
    {
      name: 'an unknown field is refused where the sender is strict, and dropped otherwise',
      verbs: { 'apps/deployments': 'create' },
      async run(bench) {
        const body = deployment(bench, 'd', { replcias: 3, replicas: 0 });
        const { reason, message } = await bench.refused('POST', `${deployments}?fieldValidation=Strict`, body);
        expect([reason, message]).toEqual(['BadRequest', expect.stringContaining('unknown field "spec.replcias"')]);
        expect((await bench.api('POST', `${deployments}?fieldValidation=Ignore`, body)).spec).not.toHaveProperty('replcias');
      },
    },
    {
      name: 'an object that breaks the rules is refused, with each field and reason',
      // A pod is let in by its ServiceAccount first.
      needs: ['controllers'],
      verbs: { pods: 'create' },
      async run({ refused }) {
        const { reason, message } = await refused('POST', 'pods', {
          metadata: { name: 'p' },
          spec: { containers: [{ name: 'C', image: '' }] },
        });
        expect(reason).toBe('Invalid');
        expect(message).toMatch(/spec\.containers\[0\]\.image: Required value/);
        expect(message).toMatch(/spec\.containers\[0\]\.name: Invalid value: "C"/);
      },
    },
    {
      name: 'a value of another type is refused',
      verbs: { 'apps/deployments': 'create' },
      async run(bench) {
        const { reason, message } = await bench.refused('POST', deployments, deployment(bench, 'd', { replicas: 'two' }));
        expect([reason, message]).toEqual(['BadRequest', expect.stringContaining('cannot unmarshal string into Go struct field')]);
      },
    },
    {
      name: 'a collection is deleted by label, and the rest stays',
      verbs: { configmaps: 'deletecollection' },
      async run({ api }) {
        for (const name of ['a', 'b']) await api('POST', 'configmaps', configMap(name, {}, { labels: { name } }));
        await api('DELETE', 'configmaps?labelSelector=name%3Da');
        expect((await api('GET', 'configmaps?labelSelector=name')).items).toHaveLength(1);
      },
    },
    {
      name: 'a deletion names the uid and version that it means',
      verbs: { configmaps: 'delete' },
      async run({ api, refused }) {
        const { metadata } = await api('POST', 'configmaps', configMap('a'));
        const options = (preconditions: object) => ({ kind: 'DeleteOptions', apiVersion: 'v1', preconditions });
        expect((await refused('DELETE', 'configmaps/a', options({ uid: '00000000-0000-4000-8000-000000000000' }))).reason).toBe('Conflict');
        expect((await refused('DELETE', 'configmaps/a', options({ resourceVersion: '1' }))).reason).toBe('Conflict');
        await api('DELETE', 'configmaps/a', options({ uid: metadata.uid }));
      },
    },
    {
      name: 'a Secret takes plain text and keeps it in Base64; its type stays',
      verbs: { secrets: 'create update' },
      fields: { Secret: 'data stringData type' },
      async run({ api, refused }) {
        const body = { metadata: { name: 's' }, data: { a: 'Zmlyc3Q=' }, stringData: { b: 'second' } };
        const secret = await api('POST', 'secrets', body);
        expect(secret).toMatchObject({ type: 'Opaque', data: { a: 'Zmlyc3Q=', b: 'c2Vjb25k' } });
        expect(secret).not.toHaveProperty('stringData');
        expect((await refused('PUT', 'secrets/s', { ...secret, type: 'other' })).reason).toBe('Invalid');
        expect((await refused('POST', 'secrets', { metadata: { name: 'tls' }, type: 'kubernetes.io/tls', data: {} })).reason).toBe(
          'Invalid',
        );
      },
    },
    {
      name: 'what is immutable stays as it is',
      verbs: { configmaps: 'update', secrets: 'update' },
      fields: { ConfigMap: 'immutable', Secret: 'immutable' },
      async run({ api, refused }) {
        for (const [plural, data] of [
          ['configmaps', { a: 'b' }],
          ['secrets', { a: 'Yg==' }],
        ] as const) {
          const made = await api('POST', plural, { metadata: { name: 'fixed' }, immutable: true, data });
          expect((await refused('PUT', `${plural}/fixed`, { ...made, data: {} })).reason).toBe('Invalid');
          expect((await refused('PUT', `${plural}/fixed`, { ...made, immutable: false })).reason).toBe('Invalid');
        }
      },
    },
    {
      name: 'spec and status are written each by its own way',
      verbs: { 'apps/deployments': 'get update' },
      async run({ api }) {
        const body = {
          metadata: { name: 'd' },
          spec: {
            paused: true,
            replicas: 0,
            selector: { matchLabels: { a: 'b' } },
            template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
          },
        };
        const made = await api('POST', deployments, { ...body, status: { replicas: 9 } });
        expect(made.status?.replicas ?? 0).toBe(0);
        const change = { metadata: { annotations: { a: 'b' } }, spec: { revisionHistoryLimit: 7 }, status: { collisionCount: 3 } };
        const { spec, status } = await api('PATCH', `${deployments}/d/status`, change, 'application/merge-patch+json');
        expect([spec.revisionHistoryLimit, status.collisionCount]).toEqual([10, 3]);
        const after = await api('PATCH', `${deployments}/d`, { ...change, status: { collisionCount: 4 } }, 'application/merge-patch+json');
        expect([after.spec.revisionHistoryLimit, after.status.collisionCount]).toEqual([7, 3]);
      },
    },
    {
      name: 'the generation counts changes of the spec and nothing else',
      verbs: { 'apps/deployments': 'patch' },
      async run(bench) {
        const type = 'application/merge-patch+json';
        const generation = async (body: object) => (await bench.api('PATCH', `${deployments}/d`, body, type)).metadata.generation;
        const made = await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 0, paused: true }));
        expect(made.metadata.generation).toBe(1);
        expect(await generation({ metadata: { labels: { a: 'b' } } })).toBe(1);
        expect(await generation({ spec: { minReadySeconds: 1 } })).toBe(2);
      },
    },
    {
      name: 'a StatefulSet’s pods mount the claims of its templates, and no others',
      verbs: { 'apps/statefulsets': 'create' },
      async run({ api, refused }) {
        const metadata = { name: 'data' };
        const claim = { metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } };
        const labels = { app: 's' };
        const container = (name: string) => ({ name: 'c', image: 'i', volumeMounts: [{ name, mountPath: '/data' }] });
        const body = (name: string) => ({
          metadata: { name: 's' },
          spec: {
            serviceName: 's',
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [container(name)] } },
            volumeClaimTemplates: [claim],
          },
        });
        const path = 'apps/v1/statefulsets?dryRun=All';
        expect((await api('POST', path, body('data'))).spec.volumeClaimTemplates[0].metadata.name).toBe('data');
        expect((await refused('POST', path, body('other'))).message).toContain('volumeMounts[0].name: Not found: "other"');
      },
    },
    {
      name: 'an unknown group, version or resource is not found',
      async run({ refused }) {
        for (const path of ['/apis/no.such.group/v1/things', '/apis/apps/v0/deployments', '/api/v1/things', '/nowhere'])
          expect((await refused('GET', path)).reason, path).toBe('NotFound');
      },
    },
  ],
};
