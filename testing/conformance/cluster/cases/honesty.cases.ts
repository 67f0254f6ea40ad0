import { expect } from 'vitest';
import type { Area } from '../case.ts';
import { deployment, pod, template } from './objects.ts';

const needs = ['rehearsal'] as const;

export const honesty: Area = {
  title: 'What the rehearsal does not do, it says',
  cases: [
    {
      name: 'kubectl prints a warning for each field that is accepted and has no effect',
      needs,
      kubectl: ['apply', 'apply --server-side', 'patch', 'create'],
      async run(bench) {
        const spec = template(
          bench,
          { app: 'd' },
          'true',
          { resources: { limits: { 'nvidia.com/gpu': '1' } } },
          { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] },
        );
        const body = deployment(bench, 'd', { replicas: 0, template: spec });
        const told = [
          'Warning: spec.template.spec.topologySpreadConstraints has no effect in this rehearsal cluster: there is one node',
          'Warning: spec.template.spec.containers[0].resources.limits.nvidia.com/gpu has no effect in this rehearsal cluster: only memory and processor time are limited',
        ];
        for (const args of [['apply'], ['apply', '--server-side']]) {
          const { err } = await bench.kubectl([...args, '-f', '-'], { ...body, metadata: { name: args.length > 1 ? 'e' : 'd' } });
          for (const sentence of told) expect(err, args.join(' ')).toContain(sentence);
        }
        expect((await bench.kubectl(['patch', 'deployment', 'd', '-p', '{"spec":{"replicas":1,"paused":true}}'])).err).toContain(told[0]);
        expect((await bench.kubectl(['label', 'deployment', 'd', 'a=b'])).err).not.toContain('Warning');
        expect((await bench.kubectl(['create', 'service', 'nodeport', 'web', '--tcp=80'])).err).toContain(
          'Warning: spec.type NodePort has no effect',
        );
      },
    },
    {
      name: 'a kind that is stored only says so with every write',
      needs,
      kubectl: ['apply'],
      async run(bench) {
        const metadata = { name: 'x' };
        const selector = { matchLabels: { a: 'b' } };
        const pods = template(bench, { a: 'b' }, 'true');
        const kinds: [string, string, object][] = [
          ['apps/v1', 'StatefulSet', { serviceName: 'x', selector, template: pods }],
          ['apps/v1', 'DaemonSet', { selector, template: pods }],
          [
            'batch/v1',
            'CronJob',
            { schedule: '0 * * * *', jobTemplate: { spec: { template: { spec: { ...pods.spec, restartPolicy: 'Never' } } } } },
          ],
          ['networking.k8s.io/v1', 'NetworkPolicy', { podSelector: {} }],
          [
            'autoscaling/v2',
            'HorizontalPodAutoscaler',
            { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
          ],
          ['policy/v1', 'PodDisruptionBudget', { minAvailable: 1, selector }],
          ['v1', 'ResourceQuota', { hard: { pods: '1' } }],
          ['v1', 'LimitRange', { limits: [{ type: 'Container', max: { cpu: '1' } }] }],
        ];
        for (const [apiVersion, kind, spec] of kinds) {
          const { code, err } = await bench.kubectl(['apply', '-f', '-'], { apiVersion, kind, metadata, spec });
          expect([kind, code], err).toEqual([kind, 0]);
          expect(err).toContain(`Warning: a ${kind} is stored, but this rehearsal cluster runs no`);
        }
      },
    },
    {
      name: 'what would open the machine to a pod is refused where its owner looks',
      needs: ['rehearsal', 'pods'],
      kubectl: ['describe'],
      async run(bench) {
        const refused = [
          ['network', { hostNetwork: true }, {}, 'spec.hostNetwork is not allowed'],
          ['path', { volumes: [{ name: 'v', hostPath: { path: '/etc' } }] }, {}, 'hostPath volumes are not allowed'],
          [
            'nfs',
            { volumes: [{ name: 'v', nfs: { server: '192.0.2.1', path: '/' } }] },
            {},
            'of a kind that the rehearsal does not support',
          ],
          ['privileged', {}, { securityContext: { privileged: true } }, 'securityContext.privileged is not allowed'],
          ['capable', {}, { securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }, 'the capability SYS_ADMIN is not allowed'],
          [
            'elsewhere',
            {},
            { lifecycle: { preStop: { httpGet: { host: '192.0.2.1', port: 80, path: '/' } } } },
            'a hook that asks another host',
          ],
        ] as const;
        for (const [name, spec, container] of refused) await bench.api('POST', 'pods', pod(bench, name, 'true', container, spec));
        for (const [name, , , message] of refused)
          await bench.until(`${name} to be refused`, async () => (await bench.ok(['describe', 'pod', name])).includes(message));
      },
    },
    {
      name: 'what is not served is not found, and what a kind lacks is named',
      needs,
      kubectl: ['get'],
      async run(bench) {
        expect((await bench.kubectl(['get', 'flowschemas'])).err).toContain("the server doesn't have a resource type");
        const { gitVersion } = await bench.api('GET', '/version');
        expect(gitVersion).toMatch(/\+rehearsal$/);
        expect((await bench.refused('GET', 'pods/p/portforward')).reason).toBe('NotImplemented');
      },
    },
  ],
};
