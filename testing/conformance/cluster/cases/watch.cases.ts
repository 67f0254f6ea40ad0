import { type KubeObject, listResourceTypes } from '@desp/kube';
import { expect } from 'vitest';
import { type Area, type Bench, patchType } from '../case.ts';
import { configMap } from './objects.ts';

/** Follows ConfigMaps from now on; each event as `TYPE name`. */
async function follow(bench: Bench, labelSelector?: string): Promise<{ seen: string[]; bookmarks: string[] }> {
  const type = (await bench.client.resolve('v1', 'ConfigMap'))!;
  const { resourceVersion } = await bench.client.list(type, { namespace: bench.namespace });
  const found = { seen: [] as string[], bookmarks: [] as string[] };
  const stopping = new AbortController();
  bench.after(async () => stopping.abort());
  const selector = labelSelector === undefined ? {} : { labelSelector };
  const onEvent = ({ type: kind, object }: { type: string; object: KubeObject }) => void found.seen.push(`${kind} ${object.metadata.name}`);
  bench.client
    .watch(type, { namespace: bench.namespace, resourceVersion, ...selector }, onEvent, stopping.signal)
    .catch((error) => found.seen.push(String(error)));
  return found;
}

export const watch: Area = {
  title: 'Watch and Table',
  cases: [
    {
      name: 'a watch tells every change after the list, in order',
      verbs: { configmaps: 'watch' },
      async run(bench) {
        const { seen } = await follow(bench);
        await bench.api('POST', 'configmaps', configMap('a'));
        await bench.api('PATCH', 'configmaps/a', { data: { a: '2' } }, patchType.merge);
        await bench.api('DELETE', 'configmaps/a');
        await bench.until('three events', async () => seen.length >= 3);
        expect(seen).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
      },
    },
    {
      name: 'for a watch by label an object comes when it fits and goes when it no longer does',
      verbs: { configmaps: 'watch' },
      async run(bench) {
        const { seen } = await follow(bench, 'shown=yes');
        const label = (shown: string) => bench.api('PATCH', 'configmaps/a', { metadata: { labels: { shown } } }, patchType.merge);
        await bench.api('POST', 'configmaps', configMap('a'));
        await label('yes');
        await label('no');
        await bench.until('two events', async () => seen.length >= 2);
        expect(seen).toEqual(['ADDED a', 'DELETED a']);
      },
    },
    {
      name: 'kubectl get prints the server’s own columns',
      kubectl: ['get'],
      verbs: { secrets: 'list', services: 'list', configmaps: 'list' },
      async run({ api, ok }) {
        await api('POST', 'secrets', { metadata: { name: 's' }, stringData: { a: 'b', c: 'd' } });
        await api('POST', 'services', {
          metadata: { name: 'web' },
          spec: {
            selector: { a: 'b' },
            ports: [
              { name: 'http', port: 80 },
              { name: 'https', port: 443 },
            ],
          },
        });
        expect(await ok(['get', 'secret', 's'])).toMatch(/^NAME +TYPE +DATA +AGE\ns +Opaque +2 +\d+s\n$/);
        expect(await ok(['get', 'service', 'web', '-o', 'wide'])).toMatch(
          /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\nweb +ClusterIP +[\d.]+ +<none> +80\/TCP,443\/TCP +\d+s +a=b\n$/,
        );
      },
    },
    {
      name: 'kubectl get -w goes on with what changes',
      kubectl: ['get'],
      verbs: { configmaps: 'watch' },
      async run({ api, kubectl }) {
        await api('POST', 'configmaps', configMap('first'));
        const watching = kubectl(['get', 'configmaps', '-w', '--output-watch-events', '--request-timeout=4s']);
        await api('POST', 'configmaps', configMap('second'));
        expect((await watching).out).toMatch(/EVENT +NAME +DATA +AGE[\s\S]*ADDED +first +1[\s\S]*ADDED +second +1/);
      },
    },
    {
      name: 'discovery lists groups, versions, kinds, verbs and short names',
      kubectl: ['api-resources', 'api-versions', 'version'],
      async run({ client, ok }) {
        const types = (await listResourceTypes(client, ['list'])).map(({ group, version, kind }) => `${group}/${version} ${kind}`);
        expect(types).toEqual(expect.arrayContaining(['/v1 Pod', 'apps/v1 Deployment', 'batch/v1 Job', 'networking.k8s.io/v1 Ingress']));
        expect(await ok(['api-resources'])).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
        expect(await ok(['api-versions'])).toMatch(/^apps\/v1$/m);
        expect(await ok(['version'])).toContain('Server Version');
      },
    },
    {
      name: 'kubectl explain describes a field of a custom kind, from the server’s schema',
      needs: ['schemas'],
      kubectl: ['explain'],
      verbs: { 'apiextensions.k8s.io/customresourcedefinitions': 'create delete' },
      fields: { JSONSchemaProps: 'description' },
      async run(bench) {
        const group = `${bench.unique}.example.com`;
        const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
        const properties = { spec: { type: 'object', properties: { size: { type: 'integer', description: 'How large it is.' } } } };
        const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } }];
        const names = { kind: 'Thing', plural: 'things' };
        await bench.api('POST', path, { metadata: { name: `things.${group}` }, spec: { group, scope: 'Namespaced', names, versions } });
        bench.after(() => bench.api('DELETE', `${path}/things.${group}`));
        const isNew = async () => {
          const { code, out } = await bench.kubectl(['explain', `things.spec.size`, `--api-version=${group}/v1`]);
          return code === 0 && out.includes('How large it is.');
        };
        expect(await bench.until('the description', isNew)).toBe(true);
      },
    },
  ],
};
