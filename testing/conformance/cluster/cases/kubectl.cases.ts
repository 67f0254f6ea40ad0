import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';
import { configMap, deployment, pod } from './objects.ts';

const events = (bench: Bench, body: object) => bench.api('POST', 'events', body);
const manifest = (bench: Bench, replicas: number) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [configMap('settings', { replicas: String(replicas) }), deployment(bench, 'web', { replicas, paused: true })],
});

export const kubectlArea: Area = {
  title: 'kubectl and events',
  cases: [
    {
      name: 'kubectl apply creates, changes, leaves alone, and takes away what is no longer wanted',
      kubectl: ['apply', 'delete'],
      async run(bench) {
        const apply = (replicas: number) => bench.ok(['apply', '-f', '-'], manifest(bench, replicas));
        expect(await apply(0)).toBe('configmap/settings created\ndeployment.apps/web created\n');
        expect(await apply(0)).toBe('configmap/settings unchanged\ndeployment.apps/web unchanged\n');
        expect(await apply(1)).toBe('configmap/settings configured\ndeployment.apps/web configured\n');
        const bare = { ...configMap('settings', {}), data: { other: 'x' } };
        await bench.ok(['apply', '-f', '-'], bare);
        expect((await bench.api('GET', 'configmaps/settings')).data).toEqual({ other: 'x' });
        expect(await bench.ok(['delete', '-f', '-', '--timeout=30s'], manifest(bench, 1))).toContain('deployment.apps "web" deleted');
      },
    },
    {
      name: 'kubectl apply --server-side does so by owners of fields, and says where two disagree',
      kubectl: ['apply --server-side'],
      async run(bench) {
        const apply = (data: object, ...more: string[]) =>
          bench.kubectl(['apply', '--server-side', '-f', '-', ...more], configMap('a', data));
        expect((await apply({ a: '1' })).out).toBe('configmap/a serverside-applied\n');
        const other = await apply({ a: '2' }, '--field-manager=other');
        expect([other.code, other.err]).toEqual([1, expect.stringContaining('conflict with "kubectl"')]);
        expect((await apply({ a: '2' }, '--field-manager=other', '--force-conflicts')).code).toBe(0);
      },
    },
    {
      name: 'kubectl diff shows what an apply would change, and changes nothing',
      kubectl: ['diff'],
      async run(bench) {
        await bench.ok(['apply', '-f', '-'], manifest(bench, 0));
        expect((await bench.kubectl(['diff', '-f', '-'], manifest(bench, 0))).code).toBe(0);
        for (const more of [[], ['--server-side', '--force-conflicts']]) {
          const { code, out } = await bench.kubectl(['diff', '-f', '-', ...more], manifest(bench, 3));
          expect(code).toBe(1);
          expect(out).toMatch(/-\s+replicas: "?0"?\n\+\s+replicas: "?3"?/);
        }
        expect((await bench.api('GET', 'apps/v1/deployments/web')).spec.replicas).toBe(0);
      },
    },
    {
      name: 'kubectl create makes objects from words',
      kubectl: ['create'],
      async run(bench) {
        await bench.ok(['create', 'configmap', 'words', '--from-literal=a=b']);
        await bench.ok(['create', 'secret', 'generic', 'hidden', '--from-literal=password=x']);
        await bench.ok(['create', 'deployment', 'web', '--image=example.invalid/none:1', '--replicas=0']);
        await bench.ok(['create', 'job', 'once', '--image=example.invalid/none:1']);
        await bench.ok(['create', 'serviceaccount', 'robot']);
        await bench.ok(['create', 'role', 'reader', '--verb=get', '--resource=pods']);
        await bench.ok(['create', 'service', 'clusterip', 'web', '--tcp=80:8080']);
        await bench.ok(['create', 'ingress', 'web', '--rule=a.example.com/*=web:80']);
        expect(
          await bench.ok([
            'get',
            'configmap/words',
            'secret/hidden',
            'deployment/web',
            'job/once',
            'sa/robot',
            'role/reader',
            'svc/web',
            'ing/web',
            '-o',
            'name',
          ]),
        ).toBe(
          'configmap/words\nsecret/hidden\ndeployment.apps/web\njob.batch/once\nserviceaccount/robot\nrole.rbac.authorization.k8s.io/reader\nservice/web\ningress.networking.k8s.io/web\n',
        );
      },
    },
    {
      name: 'kubectl get shows objects as names, YAML, JSON, chosen fields and chosen columns, by label and by category',
      kubectl: ['get', 'label', 'annotate'],
      async run(bench) {
        await bench.ok(['apply', '-f', '-'], manifest(bench, 0));
        await bench.ok(['label', 'configmap', 'settings', 'tier=x']);
        await bench.ok(['annotate', 'configmap', 'settings', 'note=y']);
        expect(await bench.ok(['get', 'cm', '-l', 'tier=x', '-o', 'name'])).toBe('configmap/settings\n');
        expect(await bench.ok(['get', 'cm', 'settings', '-o', 'jsonpath={.metadata.annotations.note} {.data.replicas}'])).toBe('y 0');
        expect(await bench.ok(['get', 'cm', '-l', 'tier', '-o', 'custom-columns=NAME:.metadata.name,TIER:.metadata.labels.tier'])).toMatch(
          /^NAME +TIER\nsettings +x\n$/,
        );
        expect(JSON.parse(await bench.ok(['get', 'cm', 'settings', '-o', 'json']))).toMatchObject({
          kind: 'ConfigMap',
          data: { replicas: '0' },
        });
        expect(await bench.ok(['get', 'cm', 'settings', '-o', 'yaml'])).toMatch(/^apiVersion: v1\ndata:\n {2}replicas: "0"\n/);
        expect(await bench.ok(['get', 'all'])).toMatch(/deployment\.apps\/web +0\/0/);
        expect(await bench.ok(['get', 'cm', 'settings', '--show-labels'])).toContain('tier=x');
        expect((await bench.kubectl(['get', 'cm', 'none'])).err).toContain('Error from server (NotFound): configmaps "none" not found');
      },
    },
    {
      name: 'kubectl describe tells of an object and its events',
      kubectl: ['describe'],
      async run(bench) {
        await bench.ok(['apply', '-f', '-'], manifest(bench, 0));
        const { metadata } = await bench.api('GET', 'configmaps/settings');
        const involvedObject = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: bench.namespace, uid: metadata.uid };
        await events(bench, {
          metadata: { name: 'e' },
          involvedObject,
          reason: 'Tested',
          message: 'it was looked at',
          type: 'Normal',
          firstTimestamp: new Date().toISOString(),
          lastTimestamp: new Date().toISOString(),
          count: 1,
        });
        expect(await bench.ok(['describe', 'configmap', 'settings'])).toMatch(/Events:[\s\S]*Normal +Tested +.*it was looked at/);
        expect(await bench.ok(['describe', 'deployment', 'web'])).toMatch(/Replicas: +0 desired/);
      },
    },
    {
      name: 'kubectl patch, replace and edit by patch types',
      kubectl: ['patch', 'replace'],
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('a', { one: '1' }));
        await bench.ok(['patch', 'configmap', 'a', '--type=merge', '-p', '{"data":{"two":"2"}}']);
        await bench.ok(['patch', 'configmap', 'a', '--type=json', '-p', '[{"op":"remove","path":"/data/one"}]']);
        await bench.ok(['patch', 'configmap', 'a', '-p', '{"data":{"three":"3"}}']);
        expect((await bench.api('GET', 'configmaps/a')).data).toEqual({ two: '2', three: '3' });
        await bench.ok(['replace', '-f', '-'], configMap('a', { four: '4' }));
        expect((await bench.api('GET', 'configmaps/a')).data).toEqual({ four: '4' });
      },
    },
    {
      name: 'kubectl wait for deletion, and delete by label',
      kubectl: ['wait', 'delete'],
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('a', {}, { labels: { go: 'yes' }, finalizers: ['example.com/hold'] }));
        const waiting = bench.ok(['wait', '--for=delete', 'configmap/a', '--timeout=30s']);
        await bench.ok(['delete', 'configmap', '-l', 'go=yes', '--wait=false']);
        await bench.api('PATCH', 'configmaps/a', { metadata: { finalizers: null } }, patchType.merge);
        await waiting;
      },
    },
    {
      name: 'events are found by what they are about',
      verbs: { events: 'create list' },
      async run(bench) {
        for (const name of ['a', 'b']) {
          const involvedObject = { apiVersion: 'v1', kind: 'ConfigMap', name, namespace: bench.namespace };
          await events(bench, { metadata: { name }, involvedObject, reason: 'Tested', type: name === 'a' ? 'Normal' : 'Warning' });
        }
        const names = async (selector: string) =>
          (await bench.api('GET', `events?fieldSelector=${encodeURIComponent(selector)}`)).items.map(
            ({ metadata }: Answer) => metadata.name,
          );
        expect(await names('involvedObject.name=b')).toEqual(['b']);
        expect(await names('reason=Tested,type!=Warning')).toEqual(['a']);
        expect(await bench.ok(['get', 'events', '--field-selector', 'type=Warning'])).toMatch(/Warning +Tested +configmap\/b/);
      },
    },
    {
      name: 'scheduler, node and controllers report what they do as events',
      needs: ['controllers', 'pods'],
      verbs: { events: 'list' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'exec sleep 1000'));
        await bench.ready('p');
        const reasons = await bench.until('the events', async () => {
          const { items } = await bench.api('GET', 'events?fieldSelector=involvedObject.name%3Dp');
          return items.some(({ reason }: Answer) => reason === 'Started') && items.map(({ reason }: Answer) => reason);
        });
        expect(reasons).toEqual(expect.arrayContaining(['Scheduled', 'Created', 'Started']));
      },
    },
    {
      name: 'leases change hands only from the version that was read',
      verbs: { 'coordination.k8s.io/leases': 'create update' },
      async run(bench) {
        const leases = 'coordination.k8s.io/v1/leases';
        const spec = (holderIdentity: string) => ({ holderIdentity, leaseDurationSeconds: 15, acquireTime: '2026-01-01T00:00:00.000000Z' });
        const made = await bench.api('POST', leases, { metadata: { name: 'leader' }, spec: spec('one') });
        await bench.api('PUT', `${leases}/leader`, { ...made, spec: spec('two') });
        expect((await bench.refused('PUT', `${leases}/leader`, { ...made, spec: spec('three') })).reason).toBe('Conflict');
      },
    },
  ],
};
