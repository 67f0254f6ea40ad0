import type { ServiceView } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { formatTable } from '../../table.ts';

export const command: Command = {
  name: 'service list',
  summary: 'List the services that you may see.',
  arguments: [],
  options: jsonOption,
  example: 'desp service list --json',
  async run({ flags, io }) {
    const answer = await connect(io).get<{ services: ServiceView[] }>('/api/services');
    show(io, flags['json'], answer, ({ services }) =>
      services.length
        ? formatTable(
            ['NAME', 'PROVIDER', 'GIT'],
            services.map((service) => [service.name, service.provider, service.gitRemote]),
          )
        : 'No services yet. desp service create NAME makes one.\n',
    );
    return exitCodes.done;
  },
};
