import { expect } from 'vitest';
import { type Answer, type Area, type Bench, patchType } from '../case.ts';
import { configMap, outputOf, pod, shell } from './objects.ts';

const needs = ['controllers', 'pods'] as const;
const secret = (name: string, stringData: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
const statusOf = ({ status }: Answer, name = 'c') => status.containerStatuses.find((each: Answer) => each.name === name);
const forever = 'exec sleep 1000';

/** The pod once this holds of its first container's status. */
const container = (bench: Bench, name: string, what: string, is: (status: Answer) => boolean) =>
  bench.until(`the container of ${name} to be ${what}`, async () => {
    const found = await bench.api('GET', `pods/${name}`);
    return found.status.containerStatuses !== undefined && is(statusOf(found)) && found;
  });

export const podsArea: Area = {
  title: 'Pods: commands, environment, ends',
  cases: [
    {
      name: 'a container runs its command with its arguments in its folder, and the pod succeeds with it',
      needs,
      kubectl: ['logs'],
      verbs: { pods: 'create get' },
      fields: { PodSpec: 'containers restartPolicy', Container: 'name image command args workingDir' },
      async run(bench) {
        const body = pod(bench, 'p', '', {
          command: ['sh', '-c', 'echo "$0 $1 in $PWD"'],
          args: ['one', 'two $(NAME) $$(NAME)'],
          workingDir: '/tmp',
          env: [{ name: 'NAME', value: 'x' }],
        });
        expect(await outputOf(bench, body)).toBe('one two x $(NAME) in /tmp\n');
        expect(await bench.ok(['logs', 'p'])).toContain('in /tmp');
        const { status } = await bench.api('GET', 'pods/p');
        expect(statusOf({ status }).state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
      },
    },
    {
      name: 'its environment comes from values, ConfigMaps, Secrets, the pod and its resources',
      needs,
      fields: {
        Container: 'env resources',
        EnvVar: 'name value valueFrom',
        EnvVarSource: 'configMapKeyRef secretKeyRef fieldRef resourceFieldRef',
        ConfigMapKeySelector: 'name key optional',
        SecretKeySelector: 'name key optional',
        ObjectFieldSelector: 'fieldPath',
        ResourceFieldSelector: 'containerName divisor resource',
        ResourceRequirements: 'limits requests',
      },
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('m', { key: 'from-map' }));
        await bench.api('POST', 'secrets', secret('s', { key: 'from-secret' }));
        const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
        const resource = (name: string, key: string, divisor: string, more: object = {}) => ({
          name,
          valueFrom: { resourceFieldRef: { resource: key, divisor, ...more } },
        });
        const env = [
          { name: 'A', value: 'first' },
          { name: 'B', value: '$(A) and second' },
          { name: 'C', valueFrom: { configMapKeyRef: { name: 'm', key: 'key' } } },
          { name: 'D', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
          { name: 'E', valueFrom: { configMapKeyRef: { name: 'none', key: 'key', optional: true } } },
          { name: 'F', valueFrom: { secretKeyRef: { name: 's', key: 'none', optional: true } } },
          field('G', 'metadata.name'),
          field('H', "metadata.labels['tier']"),
          field('I', 'spec.serviceAccountName'),
          resource('J', 'limits.memory', '1Mi'),
          resource('K', 'requests.cpu', '1m', { containerName: 'c' }),
          // Without a limit of its own: the processor time of the whole node, in thousandths.
          resource('L', 'limits.cpu', '1m'),
        ];
        const script = 'echo "$A|$B|$C|$D|$E|$F|$G|$H|$I|$J|$K"; test "$L" -gt 5 && echo all of the node';
        const resources = { limits: { memory: '64Mi' }, requests: { cpu: '5m' } };
        const output = await outputOf(bench, pod(bench, 'p', script, { env, resources }, {}, { labels: { tier: 'x' } }));
        expect(output).toBe('first|first and second|from-map|from-secret|||p|x|default|64|5\nall of the node\n');
      },
    },
    {
      name: 'whole ConfigMaps and Secrets become variables, with a prefix',
      needs,
      fields: {
        Container: 'envFrom',
        EnvFromSource: 'configMapRef secretRef prefix',
        ConfigMapEnvSource: 'name optional',
        SecretEnvSource: 'name optional',
      },
      async run(bench) {
        await bench.api('POST', 'configmaps', configMap('m', { ONE: '1' }));
        await bench.api('POST', 'secrets', secret('s', { TWO: '2' }));
        const envFrom = [
          { configMapRef: { name: 'm' }, prefix: 'MAP_' },
          { secretRef: { name: 's' } },
          { configMapRef: { name: 'none', optional: true } },
          { secretRef: { name: 'none', optional: true } },
        ];
        expect(await outputOf(bench, pod(bench, 'p', 'echo $MAP_ONE $TWO', { envFrom }))).toBe('1 2\n');
      },
    },
    {
      name: 'a pod whose Secret is missing waits, says why, and goes on once it is there',
      needs,
      kubectl: ['describe'],
      async run(bench) {
        const env = [{ name: 'X', valueFrom: { secretKeyRef: { name: 'later', key: 'k' } } }];
        await bench.api('POST', 'pods', pod(bench, 'p', 'echo $X', { env }));
        const waiting = await container(
          bench,
          'p',
          'waiting for its Secret',
          ({ state }) => state.waiting?.reason === 'CreateContainerConfigError',
        );
        expect(statusOf(waiting).state.waiting.message).toContain('secret "later" not found');
        expect(await bench.ok(['describe', 'pod', 'p'])).toContain('secret "later" not found');
        await bench.api('POST', 'secrets', secret('later', { k: 'v' }));
        expect((await bench.ended('p')).status.phase).toBe('Succeeded');
      },
    },
    {
      name: 'init containers run one after the other before the others start',
      needs,
      fields: { PodSpec: 'initContainers volumes', Container: 'volumeMounts', VolumeMount: 'name mountPath', Volume: 'name emptyDir' },
      async run(bench) {
        const volumeMounts = [{ name: 'v', mountPath: '/v' }];
        const init = (name: string) => shell(bench, `echo ${name} >> /v/order`, { name, volumeMounts });
        const body = pod(
          bench,
          'p',
          'cat /v/order',
          { volumeMounts },
          { initContainers: [init('first'), init('second')], volumes: [{ name: 'v', emptyDir: {} }] },
        );
        expect(await outputOf(bench, body)).toBe('first\nsecond\n');
      },
    },
    {
      name: 'an init container that always restarts is a sidecar: it runs beside the others and does not hold the end up',
      needs,
      fields: { Container: 'restartPolicy startupProbe' },
      async run(bench) {
        const volumeMounts = [{ name: 'v', mountPath: '/v' }];
        const probe = { exec: { command: ['test', '-e', '/v/up'] }, periodSeconds: 1 };
        const sidecar = shell(bench, 'sleep 1; echo up > /v/up; exec sleep 1000', {
          name: 'side',
          volumeMounts,
          restartPolicy: 'Always',
          startupProbe: probe,
        });
        const body = pod(bench, 'p', 'cat /v/up', { volumeMounts }, { initContainers: [sidecar], volumes: [{ name: 'v', emptyDir: {} }] });
        expect(await outputOf(bench, body)).toBe('up\n');
      },
    },
    {
      name: 'an init container that fails for good fails the pod',
      needs,
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'true', {}, { initContainers: [shell(bench, 'exit 4', { name: 'i' })] }));
        const { status } = await bench.ended('p');
        expect([status.phase, status.initContainerStatuses[0].state.terminated.exitCode]).toEqual(['Failed', 4]);
      },
    },
    {
      name: 'a container that ends is started again, later each time, and its former log is kept',
      needs,
      kubectl: ['logs', 'get'],
      fields: { PodSpec: 'restartPolicy' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'echo attempt; exit 7', {}, { restartPolicy: 'Always' }));
        const crashed = await container(bench, 'p', 'backing off', ({ state }) => state.waiting?.reason === 'CrashLoopBackOff');
        expect(statusOf(crashed).lastState.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
        expect(statusOf(crashed).restartCount).toBeGreaterThan(0);
        expect(await bench.ok(['logs', 'p', '--previous'])).toBe('attempt\n');
        expect(await bench.ok(['get', 'pod', 'p'])).toContain('CrashLoopBackOff');
      },
    },
    {
      name: 'a container that takes more memory than its limit is killed for it',
      needs,
      fields: { Container: 'resources' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'x=a; while true; do x=$x$x; done', { resources: { limits: { memory: '20Mi' } } }));
        const ended = await bench.ended('p');
        expect(statusOf(ended).state.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
        expect(ended.status.qosClass).toBe('Burstable');
      },
    },
    {
      name: 'a pod that is active too long is ended',
      needs,
      fields: { PodSpec: 'activeDeadlineSeconds' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', forever, {}, { activeDeadlineSeconds: 2 }));
        expect((await bench.ended('p')).status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
      },
    },
    {
      name: 'what a container writes into its message file stands in its status',
      needs,
      fields: { Container: 'terminationMessagePath' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'echo last words > /tmp/message', { terminationMessagePath: '/tmp/message' }));
        expect(statusOf(await bench.ended('p')).state.terminated.message).toBe('last words\n');
      },
    },
    {
      name: 'a deleted pod gets the signal and its grace, with a hook before; then it is gone',
      needs,
      verbs: { pods: 'delete' },
      kubectl: ['delete', 'logs'],
      fields: {
        PodSpec: 'terminationGracePeriodSeconds',
        Container: 'lifecycle',
        Lifecycle: 'preStop postStart',
        LifecycleHandler: 'exec',
        ExecAction: 'command',
      },
      async run(bench) {
        const lifecycle = {
          postStart: { exec: { command: ['sh', '-c', 'echo started > /proc/1/fd/1'] } },
          preStop: { exec: { command: ['sh', '-c', 'echo stopping > /proc/1/fd/1'] } },
        };
        const script = 'trap "echo got TERM; sleep 2; exit 0" TERM; while true; do sleep 0.1; done';
        await bench.api('POST', 'pods', pod(bench, 'p', script, { lifecycle }, { terminationGracePeriodSeconds: 20 }));
        await bench.ready('p');
        const following = bench.ok(['logs', '-f', 'p']);
        await bench.ok(['delete', 'pod', 'p', '--timeout=15s']);
        const log = await following;
        for (const line of ['started', 'stopping', 'got TERM']) expect(log).toContain(line);
        expect((await bench.refused('GET', 'pods/p')).reason).toBe('NotFound');
      },
    },
    {
      name: 'a container is ended by the signal that it asks for',
      needs: [...needs, 'rehearsal'],
      fields: { Lifecycle: 'stopSignal' },
      async run(bench) {
        const farewell = 'echo got USR1; sleep 1; echo last words; sleep 1; exit 0';
        const script = `trap "" TERM; trap "${farewell}" USR1; echo up; while true; do sleep 0.1; done`;
        await bench.api('POST', 'pods', pod(bench, 'p', script, { lifecycle: { stopSignal: 'SIGUSR1' } }, { os: { name: 'linux' } }));
        await bench.ready('p');
        const following = bench.ok(['logs', '-f', 'p']);
        const deleting = bench.ok(['delete', 'pod', 'p', '--grace-period=20', '--timeout=15s']);
        await bench.until('the pod is being deleted', async () => {
          const { metadata } = (await bench.api('GET', 'pods/p')) as { metadata: { deletionTimestamp?: string } };
          return metadata.deletionTimestamp !== undefined;
        });
        // Who begins to follow now still gets all that the container says at its end.
        const late = bench.ok(['logs', '-f', 'p']);
        const tail = bench.ok(['logs', '-f', '--tail=1', 'p']);
        await deleting;
        expect(await tail).toContain('last words');
        for (const log of [await following, await late]) for (const line of ['got USR1', 'last words']) expect(log).toContain(line);
      },
    },
    {
      name: 'hooks ask over HTTP and wait a while, too',
      needs,
      fields: { LifecycleHandler: 'httpGet sleep', SleepAction: 'seconds' },
      async run(bench) {
        const lifecycle = { postStart: { sleep: { seconds: 1 } }, preStop: { httpGet: { port: 8080, path: '/cgi-bin/stop' } } };
        const script =
          'mkdir -p /tmp/w/cgi-bin; printf "#!/bin/sh\\necho; echo asked > /proc/1/fd/1; sleep 2\\n" > /tmp/w/cgi-bin/stop; chmod +x /tmp/w/cgi-bin/stop; exec httpd -f -p 8080 -h /tmp/w';
        await bench.api('POST', 'pods', pod(bench, 'p', script, { lifecycle }));
        await bench.ready('p');
        const following = bench.ok(['logs', '-f', 'p']);
        await bench.ok(['delete', 'pod', 'p', '--grace-period=10', '--timeout=20s']);
        expect(await following).toContain('asked');
      },
    },
    {
      name: 'a pod with a gate is not scheduled, and is once the gate is taken away',
      needs,
      fields: { PodSpec: 'schedulingGates', PodSchedulingGate: 'name' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'gated', 'true', {}, { schedulingGates: [{ name: 'example.com/gate' }] }));
        await outputOf(bench, pod(bench, 'other', 'true'));
        expect((await bench.api('GET', 'pods/gated')).spec.nodeName).toBeUndefined();
        await bench.api('PATCH', 'pods/gated', { spec: { schedulingGates: null } }, patchType.merge);
        expect((await bench.ended('gated')).status.phase).toBe('Succeeded');
      },
    },
    {
      name: 'a pod with a readiness gate is ready when its condition holds as well',
      needs,
      verbs: { pods: 'patch' },
      fields: { PodSpec: 'readinessGates', PodReadinessGate: 'conditionType' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', forever, {}, { readinessGates: [{ conditionType: 'example.com/warm' }] }));
        const condition = (found: Answer, type: string) => (found.status.conditions ?? []).find((each: Answer) => each.type === type);
        const waiting = await bench.until('the containers to be ready', async () => {
          const found = await bench.api('GET', 'pods/p');
          return condition(found, 'ContainersReady')?.status === 'True' && found;
        });
        expect(condition(waiting, 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
        await bench.api(
          'PATCH',
          'pods/p/status',
          { status: { conditions: [{ type: 'example.com/warm', status: 'True' }] } },
          patchType.strategic,
        );
        await bench.ready('p');
      },
    },
    {
      name: 'a pod that fits nowhere stays, and says what is lacking',
      needs,
      fields: { PodSpec: 'nodeSelector schedulerName', ResourceRequirements: 'requests' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'large', 'true', { resources: { requests: { memory: '900Ti' } } }));
        await bench.api('POST', 'pods', pod(bench, 'picky', 'true', {}, { nodeSelector: { 'example.com/none': 'x' } }));
        await bench.api('POST', 'pods', pod(bench, 'other', 'true', {}, { schedulerName: 'somebody-else' }));
        for (const [name, message] of [
          ['large', 'Insufficient memory'],
          ['picky', "didn't match Pod's node affinity/selector"],
        ] as const) {
          const found = await bench.until(`${name} to be unschedulable`, async () => {
            const { status } = await bench.api('GET', `pods/${name}`);
            return status.conditions?.find(({ type, status: is }: Answer) => type === 'PodScheduled' && is === 'False');
          });
          expect(found).toMatchObject({ reason: 'Unschedulable', message: expect.stringContaining(message) });
        }
        expect((await bench.api('GET', 'pods/other')).spec.nodeName).toBeUndefined();
      },
    },
    {
      name: 'a pod can name its node, and be told to tolerate its taints',
      needs,
      fields: { PodSpec: 'nodeName tolerations os', Toleration: 'key operator value effect' },
      async run(bench) {
        const { items } = await bench.api('GET', '/api/v1/nodes');
        const spec = {
          nodeName: items[0].metadata.name,
          tolerations: [{ operator: 'Exists' }, { key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
          os: { name: 'linux' },
        };
        expect(await outputOf(bench, pod(bench, 'p', 'echo here', {}, spec))).toBe('here\n');
      },
    },
    {
      name: 'an image that may not be pulled and is not there keeps its pod waiting',
      needs,
      fields: { Container: 'imagePullPolicy' },
      async run(bench) {
        const body = pod(bench, 'p', 'true', { imagePullPolicy: 'IfNotPresent' });
        expect(await outputOf(bench, body)).toBe('');
        expect((await bench.refused('POST', 'pods', pod(bench, 'q', 'true', { imagePullPolicy: 'Sometimes' }))).reason).toBe('Invalid');
      },
    },
    {
      name: 'what runs cannot be changed but for its image, deadline and tolerations',
      verbs: { pods: 'update' },
      needs: ['controllers'],
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', forever));
        const change = (spec: object) => bench.refused('PATCH', 'pods/p', { spec }, patchType.strategic);
        expect((await change({ containers: [{ name: 'c', command: ['true'] }] })).message).toContain(
          'pod updates may not change fields other than',
        );
        await bench.api('PATCH', 'pods/p', { spec: { activeDeadlineSeconds: 100 } }, patchType.strategic);
      },
    },
    {
      name: 'kubectl logs shows one container or all, the last lines, with times, since when',
      needs,
      kubectl: ['logs'],
      async run(bench) {
        const body = pod(bench, 'p', 'echo one; echo two; echo three >&2');
        body.spec.containers.push(shell(bench, 'echo other', { name: 'd' }));
        await outputOf(bench, body);
        expect(await bench.ok(['logs', 'p', '-c', 'd'])).toBe('other\n');
        expect((await bench.ok(['logs', 'p', '-c', 'c', '--tail=1'])).trim().split('\n')).toHaveLength(1);
        expect(await bench.ok(['logs', 'p', '--all-containers'])).toMatch(/one[\s\S]*other|other[\s\S]*one/);
        expect(await bench.ok(['logs', 'p', '-c', 'd', '--timestamps'])).toMatch(/^\d{4}-\d\d-\d\dT\S+Z other\n$/);
        expect(await bench.ok(['logs', 'p', '-c', 'd', '--since=1h'])).toBe('other\n');
        expect(await bench.ok(['logs', 'p', '-c', 'd', '--limit-bytes=3'])).toBe('oth');
      },
    },
    {
      name: 'kubectl exec runs a command, with input and output, and gives its exit code',
      needs,
      kubectl: ['exec'],
      fields: { Container: 'stdin tty stdinOnce' },
      async run(bench) {
        await bench.api('POST', 'pods', pod(bench, 'p', 'cat', { stdin: true, stdinOnce: false, tty: false }));
        await bench.ready('p');
        expect(await bench.ok(['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2'])).toBe('out\n');
        expect(await bench.ok(['exec', '-i', 'p', '--', 'cat'], 'through\nand back')).toBe('through\nand back');
        const { code, err } = await bench.kubectl(['exec', 'p', '--', 'sh', '-c', 'exit 3']);
        expect([code, err]).toEqual([3, expect.stringContaining('exit code 3')]);
        const large = 'x'.repeat(300_000);
        expect((await bench.ok(['exec', '-i', 'p', '--', 'wc', '-c'], large)).trim()).toBe('300000');
      },
    },
  ],
};
