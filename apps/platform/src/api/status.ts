import { PlatformStatus } from '@desp/model';
import { endpoint } from './endpoint.ts';

export const statusEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/status',
    summary: 'What runs, where each part is, and what is missing',
    access: 'anybody',
    answer: PlatformStatus,
    run: async ({ platform }) => platform.status(),
  }),
  endpoint({
    method: 'GET',
    url: '/api/key',
    summary: "The platform's public key, to pin for offline verification",
    access: 'anybody',
    produces: 'application/x-pem-file',
    run: async ({ platform }) => platform.key.publicPem,
  }),
];
