import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';
import { holds, job, jobs, ownedBy } from './objects.ts';

const holding = (bench: Bench, name: string, condition: string) =>
  bench.until(`the Job ${name} to be ${condition}`, async () => {
    const found = await bench.api('GET', `${jobs}/${name}`);
    return holds(found, condition) && found;
  });
const reasonOf = ({ status }: Answer, condition: string) => status.conditions.find(({ type }: Answer) => type === condition).reason;

export const jobsArea: Area = {
  title: 'Jobs',
  cases: [
    {
      name: 'a Job makes its pods, which bear its uid and name',
      needs: ['controllers'],
      verbs: { 'batch/jobs': 'create get', pods: 'list' },
      fields: { JobSpec: 'parallelism completions template', 'PodTemplateSpec.metadata': 'labels annotations finalizers' },
      async run(bench) {
        const body = job(bench, 'j', 'true', { parallelism: 2, completions: 3 });
        const made = await bench.api('POST', jobs, {
          ...body,
          spec: { ...body.spec, template: { ...body.spec.template, metadata: { labels: { mine: 'yes' }, annotations: { note: 'x' } } } },
        });
        const uid = made.metadata.uid;
        const pods = await bench.until('two pods', async () => {
          const found = ownedBy(await bench.api('GET', 'pods'), made);
          return found.length >= 2 && found;
        });
        expect(pods[0].metadata.labels).toMatchObject({
          'batch.kubernetes.io/controller-uid': uid,
          'batch.kubernetes.io/job-name': 'j',
          'job-name': 'j',
          mine: 'yes',
        });
        expect(pods[0].metadata.annotations).toMatchObject({ note: 'x' });
      },
    },
    {
      name: 'a suspended Job has no pods until it goes on',
      needs: ['controllers'],
      verbs: { 'batch/jobs': 'patch' },
      fields: { JobSpec: 'suspend' },
      async run(bench) {
        const made = await bench.api('POST', jobs, job(bench, 'j', 'true', { suspend: true }));
        await holding(bench, 'j', 'Suspended');
        expect(ownedBy(await bench.api('GET', 'pods'), made)).toEqual([]);
        await bench.api('PATCH', `${jobs}/j`, { spec: { suspend: false } }, patchType.merge);
        await bench.until('its pod', async () => ownedBy(await bench.api('GET', 'pods'), made).length === 1);
      },
    },
    {
      name: 'a Job that takes too long fails, and its pods go; its own time to live ends it',
      needs: ['controllers'],
      fields: { JobSpec: 'activeDeadlineSeconds ttlSecondsAfterFinished' },
      async run(bench) {
        const nowhere = { nodeSelector: { 'example.com/nowhere': 'true' } };
        await bench.api('POST', jobs, job(bench, 'j', 'true', { activeDeadlineSeconds: 1 }, nowhere));
        expect(reasonOf(await holding(bench, 'j', 'Failed'), 'Failed')).toBe('DeadlineExceeded');
        await bench.until('its pods to go', async () => (await bench.api('GET', 'pods?labelSelector=job-name%3Dj')).items.length === 0);
        await bench.api('POST', jobs, job(bench, 'k', 'true', { activeDeadlineSeconds: 1, ttlSecondsAfterFinished: 1 }, nowhere));
        await bench.until('the Job to go', () =>
          bench.api('GET', `${jobs}/k`).then(
            () => false,
            () => true,
          ),
        );
      },
    },
    {
      name: 'a Job that another controller manages is left to it',
      needs: ['controllers'],
      fields: { JobSpec: 'managedBy' },
      async run(bench) {
        const theirs = await bench.api('POST', jobs, job(bench, 'theirs', 'true', { managedBy: 'example.com/other' }));
        const ours = await bench.api('POST', jobs, job(bench, 'ours', 'true'));
        await bench.until('a pod of ours', async () => ownedBy(await bench.api('GET', 'pods'), ours).length === 1);
        expect(ownedBy(await bench.api('GET', 'pods'), theirs)).toEqual([]);
      },
    },
    {
      name: 'a Job chooses its own selector when it says so, and its template never changes',
      needs: ['controllers'],
      verbs: { 'batch/jobs': 'update' },
      fields: { JobSpec: 'manualSelector' },
      async run(bench) {
        const body = job(bench, 'j', 'true', { manualSelector: true, selector: { matchLabels: { mine: 'yes' } } });
        Object.assign(body.spec.template, { metadata: { labels: { mine: 'yes' } } });
        const made = await bench.api('POST', jobs, body);
        expect(made.spec.selector).toEqual({ matchLabels: { mine: 'yes' } });
        await bench.until('its pod', async () => ownedBy(await bench.api('GET', 'pods?labelSelector=mine%3Dyes'), made).length === 1);
        const changed = { spec: { template: { spec: { restartPolicy: 'OnFailure' } } } };
        expect((await bench.refused('PATCH', `${jobs}/j`, changed, patchType.merge)).message).toContain('field is immutable');
      },
    },
    {
      name: 'a Job completes when enough of its pods have',
      needs: ['controllers', 'pods'],
      kubectl: ['wait', 'logs'],
      fields: { JobSpec: 'completions parallelism' },
      async run(bench) {
        await bench.api('POST', jobs, job(bench, 'j', 'echo done', { completions: 2, parallelism: 2 }));
        await bench.ok(['wait', '--for=condition=complete', 'job/j', '--timeout=60s']);
        expect((await bench.api('GET', `${jobs}/j`)).status).toMatchObject({ succeeded: 2, completionTime: expect.any(String) });
        expect(await bench.ok(['logs', 'job/j'])).toContain('done');
        expect(await bench.ok(['get', 'job', 'j'])).toMatch(/2\/2/);
      },
    },
    {
      name: 'each pod of an indexed Job knows its index',
      needs: ['controllers', 'pods'],
      fields: { JobSpec: 'completionMode' },
      async run(bench) {
        await bench.api(
          'POST',
          jobs,
          job(bench, 'j', 'echo index $JOB_COMPLETION_INDEX', { completionMode: 'Indexed', completions: 2, parallelism: 2 }),
        );
        await holding(bench, 'j', 'Complete');
        const { items } = await bench.api('GET', 'pods?labelSelector=job-name%3Dj');
        const logs = await Promise.all(items.map(({ metadata }: Answer) => bench.api('GET', `pods/${metadata.name}/log`)));
        expect(logs.sort()).toEqual(['index 0\n', 'index 1\n']);
      },
    },
    {
      name: 'a Job fails after so many failed pods',
      needs: ['controllers', 'pods'],
      fields: { JobSpec: 'backoffLimit' },
      async run(bench) {
        await bench.api('POST', jobs, job(bench, 'j', 'exit 3', { backoffLimit: 0 }));
        const failed = await holding(bench, 'j', 'Failed');
        expect([reasonOf(failed, 'Failed'), failed.status.failed]).toEqual(['BackoffLimitExceeded', 1]);
      },
    },
    {
      name: 'with OnFailure the container starts again in its pod until it succeeds',
      needs: ['controllers', 'pods'],
      fields: { PodSpec: 'restartPolicy' },
      async run(bench) {
        const spec = { restartPolicy: 'OnFailure', volumes: [{ name: 'v', emptyDir: {} }] };
        const body = job(bench, 'j', 'test -e /v/tried || { echo x > /v/tried; exit 1; }', {}, spec);
        Object.assign(body.spec.template.spec.containers[0]!, { volumeMounts: [{ name: 'v', mountPath: '/v' }] });
        await bench.api('POST', jobs, body);
        expect((await holding(bench, 'j', 'Complete')).status.failed ?? 0).toBe(0);
      },
    },
  ],
};
