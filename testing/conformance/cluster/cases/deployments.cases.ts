import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';
import { deployment, deployments, holds, ownedBy, pod, replicaSets, template } from './objects.ts';

const hashOf = ({ metadata }: Answer): string => metadata.labels['pod-template-hash'];
const revisionOf = ({ metadata }: Answer): string => metadata.annotations['deployment.kubernetes.io/revision'];
const change = (bench: Bench, name: string, body: object) => bench.api('PATCH', `${deployments}/${name}`, body, patchType.strategic);
const annotated = (note: string) => ({ spec: { template: { metadata: { annotations: { note } } } } });

/** The Deployment's ReplicaSets, the newest revision first. */
async function setsOf(bench: Bench, name: string): Promise<Answer[]> {
  const owner = await bench.api('GET', `${deployments}/${name}`);
  const sets = ownedBy(await bench.api('GET', replicaSets), owner).filter(
    ({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'],
  );
  return sets.sort((a, b) => Number(revisionOf(b)) - Number(revisionOf(a)));
}

/** The Deployment once its controller saw this generation and `is` holds. */
const settled = (bench: Bench, name: string, what: string, is: (status: Answer) => boolean) =>
  bench.until(`the Deployment ${name} to be ${what}`, async () => {
    const found = await bench.api('GET', `${deployments}/${name}`);
    return found.status?.observedGeneration >= found.metadata.generation && is(found.status) && found;
  });

export const deploymentsArea: Area = {
  title: 'Deployments and ReplicaSets',
  cases: [
    {
      name: 'a Deployment makes a ReplicaSet, and that its pods, all labelled by the template’s hash',
      needs: ['controllers'],
      verbs: { 'apps/deployments': 'create', 'apps/replicasets': 'list', pods: 'list' },
      fields: {
        DeploymentSpec: 'replicas selector template',
        ReplicaSetSpec: 'replicas selector template',
        LabelSelector: 'matchLabels',
        PodTemplateSpec: 'metadata spec',
      },
      async run(bench) {
        const made = await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 2 }));
        const [set] = await bench.until('a ReplicaSet', async () =>
          (await setsOf(bench, 'd')).length === 1 ? setsOf(bench, 'd') : undefined,
        );
        expect(set.metadata).toMatchObject({ name: `d-${hashOf(set)}`, ownerReferences: [{ uid: made.metadata.uid, controller: true }] });
        const pods = await bench.until('two pods', async () => {
          const found = ownedBy(await bench.api('GET', `pods?labelSelector=app%3Dd,pod-template-hash%3D${hashOf(set)}`), set);
          return found.length === 2 && found;
        });
        expect(pods[0].metadata.name).toMatch(new RegExp(`^d-${hashOf(set)}-[a-z0-9]{5}$`));
      },
    },
    {
      name: 'a ReplicaSet by itself keeps its number of pods, replaces a deleted one and adopts one that fits',
      needs: ['controllers'],
      verbs: { 'apps/replicasets': 'create', pods: 'delete' },
      fields: { LabelSelector: 'matchExpressions', LabelSelectorRequirement: 'key operator values' },
      async run(bench) {
        await bench.api(
          'POST',
          'pods',
          pod(bench, 'adopted', 'exec sleep 1000', {}, { restartPolicy: 'Always' }, { labels: { tier: 'x' } }),
        );
        const selector = { matchExpressions: [{ key: 'tier', operator: 'In', values: ['x', 'y'] }] };
        const set = await bench.api('POST', replicaSets, {
          metadata: { name: 'r' },
          spec: { replicas: 2, selector, template: template(bench, { tier: 'y' }, 'exec sleep 1000') },
        });
        const names = () =>
          bench.until('two pods', async () => {
            const found = ownedBy(await bench.api('GET', 'pods'), set).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
            return found.length === 2 && found.map(({ metadata }) => metadata.name as string);
          });
        expect(await names()).toContain('adopted');
        await bench.api('DELETE', 'pods/adopted?gracePeriodSeconds=0');
        await bench.until('a pod in its place', async () => !(await names()).includes('adopted'));
      },
    },
    {
      name: 'another template is another ReplicaSet and revision; the same one again goes back to the first',
      needs: ['controllers'],
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 0 }));
        const sets = (count: number) =>
          bench.until(`${count} ReplicaSets`, async () => {
            const found = await setsOf(bench, 'd');
            return found.length === count && found;
          });
        const [first] = await sets(1);
        await change(bench, 'd', annotated('second'));
        const [second] = await sets(2);
        expect([revisionOf(second), hashOf(second) === hashOf(first)]).toEqual(['2', false]);
        await change(bench, 'd', { spec: { template: { metadata: { annotations: { note: null } } } } });
        await bench.until('revision 3', async () => revisionOf((await setsOf(bench, 'd'))[0]) === '3');
        expect(hashOf((await setsOf(bench, 'd'))[0])).toBe(hashOf(first));
      },
    },
    {
      name: 'a paused Deployment rolls nothing out until it is resumed',
      needs: ['controllers'],
      fields: { DeploymentSpec: 'paused' },
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 0 }));
        await bench.until('a ReplicaSet', async () => (await setsOf(bench, 'd')).length === 1);
        await change(bench, 'd', { spec: { paused: true, ...annotated('new').spec } });
        const { status } = await settled(bench, 'd', 'seen', ({ conditions }) =>
          conditions?.some(({ reason }: Answer) => reason === 'DeploymentPaused'),
        );
        expect([status.replicas ?? 0, (await setsOf(bench, 'd')).length]).toEqual([0, 1]);
        await change(bench, 'd', { spec: { paused: false } });
        await bench.until('the second ReplicaSet', async () => (await setsOf(bench, 'd')).length === 2);
      },
    },
    {
      name: 'only so many old revisions are kept',
      needs: ['controllers'],
      fields: { DeploymentSpec: 'revisionHistoryLimit' },
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 0, revisionHistoryLimit: 1 }));
        for (const revision of ['1', '2', '3', '4']) {
          if (revision !== '1') await change(bench, 'd', annotated(revision));
          await bench.until(`revision ${revision}`, async () => (await setsOf(bench, 'd')).some((set) => revisionOf(set) === revision));
        }
        await bench.until('the oldest to go', async () => (await setsOf(bench, 'd')).map(revisionOf).join() === '4,3');
      },
    },
    {
      name: 'a rollout that does not get on says so after its deadline',
      needs: ['controllers'],
      kubectl: ['rollout status'],
      fields: { DeploymentSpec: 'progressDeadlineSeconds minReadySeconds' },
      async run(bench) {
        // Its pods can nowhere run.
        const spec = template(bench, { app: 'd' }, 'true', {}, { nodeSelector: { 'example.com/nowhere': 'true' } });
        await bench.api('POST', deployments, deployment(bench, 'd', { progressDeadlineSeconds: 2, minReadySeconds: 1, template: spec }));
        const { err, code } = await bench.kubectl(['rollout', 'status', 'deployment/d', '--timeout=30s']);
        expect([code, err]).toEqual([1, expect.stringContaining('exceeded its progress deadline')]);
      },
    },
    {
      name: 'kubectl scale, autoscaled or by hand, changes the number of pods',
      needs: ['controllers'],
      kubectl: ['scale'],
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd'));
        await bench.ok(['scale', 'deployment/d', '--replicas=3']);
        await settled(bench, 'd', 'at three', ({ replicas }) => replicas === 3);
        await bench.ok(['scale', 'deployment/d', '--current-replicas=3', '--replicas=1']);
        await settled(bench, 'd', 'at one', ({ replicas }) => replicas === 1);
      },
    },
    {
      name: 'a rolling update never has too few pods ready, nor too many',
      needs: ['controllers', 'pods'],
      kubectl: ['rollout status'],
      fields: { DeploymentSpec: 'strategy', DeploymentStrategy: 'type rollingUpdate', RollingUpdateDeployment: 'maxSurge maxUnavailable' },
      async run(bench) {
        const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
        await bench.api('POST', deployments, deployment(bench, 'd', { replicas: 2, strategy: { type: 'RollingUpdate', rollingUpdate } }));
        await settled(bench, 'd', 'available', ({ availableReplicas }) => availableReplicas === 2);
        const seen: { available: number; all: number }[] = [];
        const stopping = new AbortController();
        const type = (await bench.client.resolve('apps/v1', 'Deployment'))!;
        const { resourceVersion } = await bench.client.list(type, { namespace: bench.namespace });
        const watching = bench.client.watch(
          type,
          { namespace: bench.namespace, resourceVersion },
          ({ object }) => {
            const { availableReplicas = 0, replicas = 0 } = (object as Answer).status;
            seen.push({ available: availableReplicas, all: replicas });
          },
          stopping.signal,
        );
        await change(bench, 'd', annotated('new'));
        expect(await bench.ok(['rollout', 'status', 'deployment/d', '--timeout=60s'])).toContain('successfully rolled out');
        stopping.abort();
        await watching;
        expect(Math.min(...seen.map(({ available }) => available))).toBeGreaterThanOrEqual(2);
        expect(Math.max(...seen.map(({ all }) => all))).toBe(3);
      },
    },
    {
      name: 'with Recreate the new pods come when the old ones are gone',
      needs: ['controllers', 'pods'],
      fields: { DeploymentStrategy: 'type' },
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { strategy: { type: 'Recreate' } }));
        await settled(bench, 'd', 'available', ({ availableReplicas }) => availableReplicas === 1);
        const [old] = (await bench.api('GET', 'pods')).items;
        await change(bench, 'd', annotated('new'));
        const pods = await bench.until('the new pod', async () => {
          const { items } = await bench.api('GET', 'pods');
          const fresh = items.filter(({ metadata }: Answer) => metadata.uid !== old.metadata.uid);
          return fresh.length > 0 && items;
        });
        expect(pods.map(({ metadata }: Answer) => metadata.uid)).not.toContain(old.metadata.uid);
      },
    },
    {
      name: 'a pod counts as available after so many seconds of being ready',
      needs: ['controllers', 'pods'],
      fields: { DeploymentSpec: 'minReadySeconds', ReplicaSetSpec: 'minReadySeconds' },
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd', { minReadySeconds: 2 }));
        const ready = await settled(bench, 'd', 'ready', ({ readyReplicas }) => readyReplicas === 1);
        expect(ready.status.availableReplicas ?? 0).toBe(0);
        await settled(bench, 'd', 'available', ({ availableReplicas }) => availableReplicas === 1);
      },
    },
    {
      name: 'kubectl rollout restarts, shows the history, and goes back',
      needs: ['controllers', 'pods'],
      kubectl: ['rollout restart', 'rollout history', 'rollout undo', 'rollout pause', 'rollout resume', 'set image'],
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd'));
        await bench.ok(['rollout', 'restart', 'deployment/d']);
        await bench.ok(['rollout', 'status', 'deployment/d', '--timeout=60s']);
        expect(await bench.ok(['rollout', 'history', 'deployment/d'])).toMatch(/^2 /m);
        await bench.ok(['rollout', 'pause', 'deployment/d']);
        await bench.ok(['set', 'image', 'deployment/d', 'c=example.invalid/none:2']);
        await bench.ok(['rollout', 'resume', 'deployment/d']);
        await bench.ok(['rollout', 'undo', 'deployment/d']);
        await bench.ok(['rollout', 'status', 'deployment/d', '--timeout=60s']);
        const { spec } = await bench.api('GET', `${deployments}/d`);
        expect(spec.template.spec.containers[0].image).toBe(bench.image);
      },
    },
    {
      name: 'kubectl wait returns when the condition holds, and fails when time is over',
      needs: ['controllers', 'pods'],
      kubectl: ['wait'],
      async run(bench) {
        await bench.api('POST', deployments, deployment(bench, 'd'));
        expect(await bench.ok(['wait', '--for=condition=Available', 'deployment/d', '--timeout=60s'])).toContain('condition met');
        expect(holds(await bench.api('GET', `${deployments}/d`), 'Available')).toBe(true);
        const { code, err } = await bench.kubectl(['wait', '--for=condition=Never', 'deployment/d', '--timeout=1s']);
        expect([code, err]).toEqual([1, expect.stringContaining('timed out')]);
      },
    },
  ],
};
