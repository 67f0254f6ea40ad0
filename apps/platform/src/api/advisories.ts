import { ImportAdvisories } from '@desp/model';
import { endpoint } from './endpoint.ts';

/** A batch of `ImportAdvisories` with records as long as databases have them. */
const importLimit = 32 * 1024 * 1024;

export const advisoryEndpoints = [
  endpoint({
    method: 'POST',
    url: '/api/advisories',
    summary: 'Import OSV records; every later verdict uses them',
    access: 'advisories.import',
    body: ImportAdvisories,
    bodyLimit: importLimit,
    run: async ({ platform, body }) => ({ imported: await platform.advisories.add(body.database, body.date, body.records) }),
  }),
  endpoint({
    method: 'GET',
    url: '/api/advisories',
    summary: 'The advisory databases in use, with their dates',
    access: 'advisories.read',
    run: async ({ platform }) => ({ databases: (await platform.advisories.current()).databases }),
  }),
];
