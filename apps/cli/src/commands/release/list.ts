import type { ReleaseSummary } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { formatTable } from '../../table.ts';

export const command: Command = {
  name: 'release list',
  summary: 'List releases, newest first.',
  arguments: [],
  options: { service: { type: 'string', value: 'NAME', help: "only this service's" }, ...jsonOption },
  example: 'desp release list --service sample-app',
  async run({ values, flags, io }) {
    const query = values['service'] ? `?service=${encodeURIComponent(values['service'])}` : '';
    const answer = await connect(io).get<{ releases: ReleaseSummary[] }>(`/api/releases${query}`);
    show(io, flags['json'], answer, ({ releases }) =>
      releases.length
        ? formatTable(
            ['SERVICE', 'VERSION', 'COMMIT', 'DELIVERY', 'DEPLOYED'],
            releases.map((one) => [
              one.service,
              one.version,
              one.commit.slice(0, 8),
              one.delivery,
              one.deployments.map((on) => `${on.environment} ${on.state}`).join(', '),
            ]),
          )
        : 'No releases yet. A push whose pipeline passes the gate makes one.\n',
    );
    return exitCodes.done;
  },
};
