import type { Answer, Bench } from '../case.ts';

/** Objects that many cases need, as small as they can be. */

export const configMap = (name: string, data: object = { a: '1' }, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

/** A container that runs this line of shell. */
export const shell = (bench: Bench, script: string, more: object = {}) => ({
  name: 'c',
  image: bench.image || 'example.invalid/none:1',
  command: ['sh', '-c', script],
  ...more,
});

/** A pod that runs this line of shell once. */
export const pod = (bench: Bench, name: string, script: string, container: object = {}, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...metadata },
  spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [shell(bench, script, container)], ...spec },
});

/** Creates it, waits for its end, and gives what it wrote; fails unless it succeeded. */
export async function outputOf(bench: Bench, object: Answer): Promise<string> {
  const { name } = object.metadata;
  await bench.api('POST', 'pods', object);
  const { status } = await bench.ended(name);
  const log = (await bench.api('GET', `pods/${name}/log?container=${object.spec.containers[0].name}`)) as string;
  if (status.phase !== 'Succeeded') throw new Error(`The pod ${name} failed: ${JSON.stringify(status.containerStatuses)}\n${log}`);
  return log;
}

export const template = (bench: Bench, labels: object, script: string, container: object = {}, spec: object = {}) => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 1, containers: [shell(bench, script, container)], ...spec },
});

export const deployment = (bench: Bench, name: string, spec: object = {}, container: object = {}, script = 'exec sleep 1000') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: template(bench, { app: name }, script, container), ...spec },
});

export const deployments = 'apps/v1/deployments';
export const replicaSets = 'apps/v1/replicasets';
export const jobs = 'batch/v1/jobs';

export const job = (bench: Bench, name: string, script: string, spec: object = {}, podSpec: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    template: { spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers: [shell(bench, script)], ...podSpec } },
    ...spec,
  },
});

/** A condition of that type whose status is True. */
export const holds = (object: Answer, type: string): boolean =>
  (object.status?.conditions ?? []).some((each: Answer) => each.type === type && each.status === 'True');

/** The objects of a list whose controller is this one. */
export const ownedBy = (list: Answer, owner: Answer): Answer[] =>
  list.items.filter(({ metadata }: Answer) => (metadata.ownerReferences ?? []).some(({ uid }: Answer) => uid === owner.metadata.uid));
