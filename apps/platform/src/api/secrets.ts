import { PutSecret } from '@desp/model';
import { PlatformError } from '../platform-error.ts';
import { pullSecretName } from '../services/names.ts';
import { endpoint } from './endpoint.ts';

export const secretEndpoints = [
  endpoint({
    method: 'PUT',
    url: '/api/services/:service/secrets/:environment/:secret',
    summary: "Write keys of a secret in an environment's store",
    access: 'secret.write',
    service: ({ params }) => params['service'],
    body: PutSecret,
    async run({ platform, params, body }) {
      const { service = '', environment = '', secret = '' } = params;
      const parts = platform.environments.get(environment);
      if (!parts)
        throw new PlatformError('NOT_FOUND', `There is no environment ${environment.slice(0, 60)}.`, {
          kind: 'user',
          cure: `There are ${[...platform.environments.keys()].join(', ')}.`,
        });
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(secret))
        throw new PlatformError('INVALID', `${JSON.stringify(secret.slice(0, 60))} cannot be a secret's name.`, {
          kind: 'user',
          cure: 'Letters, digits, dots, dashes and underscores.',
        });
      if (secret === pullSecretName)
        throw new PlatformError('NOT_ALLOWED', "The pull secret is the platform's to write.", { kind: 'user' });
      const store = parts.vault.kv(service);
      await store.patch(secret, body.values);
      return { path: `${service}/${secret}`, keys: Object.keys((await store.read(secret))?.data ?? {}).sort() };
    },
  }),
];
