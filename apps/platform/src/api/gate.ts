import { GateReport } from '@desp/model';
import { z } from 'zod';
import { latestVerdict } from '../gate/judge-image.ts';
import { PlatformError } from '../platform-error.ts';
import { endpoint } from './endpoint.ts';

const Question = z.object({ repository: z.string().max(300), digest: z.string().max(200) });

/** `host/service/image` or `service/image`: the host does not matter to a digest. */
const pathOf = (repository: string): string => {
  const [first = '', ...rest] = repository.split('/');
  return /[.:]/.test(first) ? rest.join('/').replace(/:[^/:]*$/, '') : repository.replace(/:[^/:]*$/, '');
};

export const gateEndpoints = [
  endpoint({
    method: 'GET',
    url: '/api/gate',
    summary: "The gate's newest verdicts on an image",
    access: 'gate.read',
    query: Question,
    answer: GateReport,
    service: ({ query }) => pathOf(query.repository).split('/')[0],
    async run({ platform, query }) {
      const repository = pathOf(query.repository);
      const service = repository.split('/')[0] as string;
      const image = await platform.database.sql
        .selectFrom('images')
        .select(['facts'])
        .where('service', '=', service)
        .where('repository', '=', repository)
        .where('digest', '=', query.digest)
        .executeTakeFirst();
      if (!image)
        throw new PlatformError('NOT_FOUND', `The gate knows no ${repository}@${query.digest}.`, {
          kind: 'user',
          cure: 'desp delivery show prints the digests that were built.',
        });
      const verdicts = [];
      for (const environment of platform.config.environments) {
        const latest = await latestVerdict(platform, service, query.digest, environment.name);
        if (latest)
          verdicts.push({
            environment: environment.name,
            outcome: latest.verdict.outcome,
            judgedAt: latest.verdict.judgedAt,
            verdict: latest.verdict,
          });
      }
      return { service, repository, digest: query.digest, packages: (image.facts as { packages: unknown[] }).packages.length, verdicts };
    },
  }),
];
