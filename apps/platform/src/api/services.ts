import { CreateService, ServiceView } from '@desp/model';
import { z } from 'zod';
import { createService, viewOf } from '../services/create-service.ts';
import { endpoint, visibleServices } from './endpoint.ts';

export const serviceEndpoints = [
  endpoint({
    method: 'POST',
    url: '/api/services',
    summary: 'Create a service',
    access: 'service.create',
    body: CreateService,
    answer: ServiceView,
    run: ({ platform, principal, body }) =>
      createService(platform, principal, { name: body.name, ...(body.provider ? { provider: body.provider } : {}) }),
  }),
  endpoint({
    method: 'GET',
    url: '/api/services',
    summary: 'The services that the caller may see',
    access: 'service.read',
    answer: z.object({ services: z.array(ServiceView) }),
    async run({ platform, principal }) {
      const names = await visibleServices(platform, principal);
      if (names.length === 0) return { services: [] };
      const rows = await platform.database.sql.selectFrom('services').selectAll().where('name', 'in', names).orderBy('name').execute();
      return { services: rows.map((row) => viewOf(platform, row)) };
    },
  }),
  endpoint({
    method: 'GET',
    url: '/api/services/:service',
    summary: 'One service',
    access: 'service.read',
    service: ({ params }) => params['service'],
    answer: ServiceView,
    async run({ platform, params }) {
      const row = await platform.database.sql
        .selectFrom('services')
        .selectAll()
        .where('name', '=', params['service'] ?? '')
        .executeTakeFirstOrThrow();
      return viewOf(platform, row);
    },
  }),
];
