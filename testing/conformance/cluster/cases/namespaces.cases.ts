import { expect } from 'vitest';
import { type Area, type Bench, patchType } from '../case.ts';
import { configMap } from './objects.ts';

const missing = (bench: Bench, path: string) => async () => {
  try {
    await bench.api('GET', path);
    return false;
  } catch {
    return true;
  }
};
const owner = (object: { metadata: { uid: string; name: string } }, more: object = {}) => ({
  ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: object.metadata.name, uid: object.metadata.uid, ...more }],
});
const options = (propagationPolicy: string) => ({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy });

export const namespaces: Area = {
  title: 'Namespaces, owners, finalizers',
  cases: [
    {
      name: 'a new namespace is active, and bears its name as a label',
      verbs: { namespaces: 'create get' },
      fields: { NamespaceSpec: 'finalizers' },
      async run({ api, namespace }) {
        expect(await api('GET', `/api/v1/namespaces/${namespace}`)).toMatchObject({
          metadata: { labels: { 'kubernetes.io/metadata.name': namespace } },
          spec: { finalizers: ['kubernetes'] },
          status: { phase: 'Active' },
        });
      },
    },
    {
      name: 'a new namespace gets a ServiceAccount and the cluster’s authority',
      needs: ['controllers'],
      verbs: { serviceaccounts: 'get', configmaps: 'get' },
      async run({ api, until }) {
        await api('GET', 'serviceaccounts/default');
        const map = await until('kube-root-ca.crt', () => api('GET', 'configmaps/kube-root-ca.crt').catch(() => undefined));
        expect(map.data['ca.crt']).toContain('BEGIN CERTIFICATE');
      },
    },
    {
      name: 'a namespace goes with everything in it; nothing new is made in it meanwhile',
      needs: ['controllers'],
      verbs: { namespaces: 'create delete' },
      async run(bench) {
        const name = `${bench.namespace}-2`;
        const path = `/api/v1/namespaces/${name}`;
        await bench.api('POST', '/api/v1/namespaces', { metadata: { name } });
        await bench.api('POST', `${path}/configmaps`, configMap('held', {}, { finalizers: ['example.com/hold'] }));
        await bench.api('POST', `${path}/secrets`, { metadata: { name: 's' } });
        await bench.api('DELETE', path);
        expect((await bench.api('GET', path)).status.phase).toBe('Terminating');
        expect((await bench.refused('POST', `${path}/configmaps`, configMap('late'))).message).toContain('because it is being terminated');
        await bench.until('the secret to go', missing(bench, `${path}/secrets/s`));
        await bench.api('PATCH', `${path}/configmaps/held`, { metadata: { finalizers: null } }, patchType.merge);
        await bench.until('the namespace to go', missing(bench, path));
      },
    },
    {
      name: 'an object stays until its last finalizer is taken away',
      verbs: { configmaps: 'delete patch' },
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('a', {}, { finalizers: ['example.com/one'] }));
        expect((await bench.api('DELETE', 'configmaps/a')).metadata.deletionTimestamp).toBeTruthy();
        const add = { metadata: { finalizers: ['example.com/one', 'example.com/two'] } };
        expect((await bench.refused('PATCH', 'configmaps/a', add, patchType.merge)).reason).toBe('Invalid');
        await bench.api('PATCH', 'configmaps/a', { metadata: { finalizers: null } }, patchType.merge);
        expect(await missing(bench, 'configmaps/a')()).toBe(true);
      },
    },
    {
      name: 'what an object owns goes after it',
      needs: ['controllers'],
      async run(bench) {
        const parent = await bench.api('POST', 'configmaps', configMap('parent'));
        await bench.api('POST', 'configmaps', configMap('child', {}, owner(parent)));
        await bench.api('DELETE', 'configmaps/parent', options('Background'));
        await bench.until('the child to go', missing(bench, 'configmaps/child'));
      },
    },
    {
      name: 'deleted in the foreground, an owner waits for what it owns',
      needs: ['controllers'],
      async run(bench) {
        const parent = await bench.api('POST', 'configmaps', configMap('parent'));
        await bench.api(
          'POST',
          'configmaps',
          configMap('child', {}, { ...owner(parent, { blockOwnerDeletion: true }), finalizers: ['example.com/hold'] }),
        );
        const deleted = await bench.api('DELETE', 'configmaps/parent', options('Foreground'));
        expect(deleted.metadata.finalizers).toEqual(['foregroundDeletion']);
        await bench.until('the child to be deleted', async () => (await bench.api('GET', 'configmaps/child')).metadata.deletionTimestamp);
        await bench.api('GET', 'configmaps/parent');
        await bench.api('PATCH', 'configmaps/child', { metadata: { finalizers: null } }, patchType.merge);
        await bench.until('the parent to go', missing(bench, 'configmaps/parent'));
      },
    },
    {
      name: 'deleted with orphans, an owner leaves what it owned',
      needs: ['controllers'],
      async run(bench) {
        const parent = await bench.api('POST', 'configmaps', configMap('parent'));
        await bench.api('POST', 'configmaps', configMap('child', {}, owner(parent)));
        await bench.api('DELETE', 'configmaps/parent', options('Orphan'));
        await bench.until('the parent to go', missing(bench, 'configmaps/parent'));
        expect((await bench.api('GET', 'configmaps/child')).metadata.ownerReferences ?? []).toEqual([]);
      },
    },
  ],
};
