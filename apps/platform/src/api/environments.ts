import { stringify } from 'yaml';
import { PlatformError } from '../platform-error.ts';
import { endpoint } from './endpoint.ts';

const kubeconfigDays = 1;

export const environmentEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/environments/:environment/kubeconfig',
    summary: "The caller's own kubeconfig for an environment's cluster",
    access: 'kubeconfig.issue',
    produces: 'application/yaml',
    async run({ platform, principal, params }) {
      const name = params['environment'] ?? '';
      const parts = platform.environments.get(name);
      if (!parts)
        throw new PlatformError('NOT_FOUND', `There is no environment ${name.slice(0, 60)}.`, {
          kind: 'user',
          cure: `There are ${[...platform.environments.keys()].join(', ')}.`,
        });
      if (principal.kind !== 'person') throw new PlatformError('NOT_ALLOWED', 'Only people have a kubeconfig.', { kind: 'user' });
      const token = await platform.tokens.createPersonal(principal.name, `kubeconfig ${name}`, kubeconfigDays, [`kubernetes:${name}`]);
      return stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': name,
        clusters: [
          {
            name,
            cluster: {
              server: parts.kube.server,
              'certificate-authority-data': Buffer.from(parts.certificateAuthority).toString('base64'),
            },
          },
        ],
        users: [{ name: principal.name, user: { token } }],
        contexts: [{ name, context: { cluster: name, user: principal.name } }],
      });
    },
  }),
];
