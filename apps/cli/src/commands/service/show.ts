import type { ServiceView } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeService } from './describe-service.ts';

export const command: Command = {
  name: 'service show',
  summary: 'Show one service: where everything is, and what to do next.',
  arguments: ['NAME'],
  options: jsonOption,
  example: 'desp service show sample-app',
  async run({ positionals: [name = ''], flags, io }) {
    const service = await connect(io).get<ServiceView>(`/api/services/${encodeURIComponent(name)}`);
    show(io, flags['json'], service, describeService);
    return exitCodes.done;
  },
};
