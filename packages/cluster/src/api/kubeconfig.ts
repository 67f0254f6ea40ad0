import { stringify } from 'yaml';
import type { KubeconfigOptions } from './types.ts';

/** A kubeconfig with one cluster, one user and one context. */
export function renderKubeconfig(cluster: string, certificateAuthority: string, server: string, options: KubeconfigOptions): string {
  const context = `${options.user}@${cluster}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: cluster,
        cluster: { server, 'certificate-authority-data': Buffer.from(certificateAuthority, 'utf8').toString('base64') },
      },
    ],
    users: [{ name: options.user, user: { token: options.token } }],
    contexts: [
      {
        name: context,
        context: { cluster, user: options.user, ...(options.namespace === undefined ? {} : { namespace: options.namespace }) },
      },
    ],
    'current-context': context,
    preferences: {},
  });
}
