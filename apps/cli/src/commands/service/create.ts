import type { ServiceView } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeService } from './describe-service.ts';

export const command: Command = {
  name: 'service create',
  summary: 'Create a service: repository, registry projects, namespaces, secret paths and roles in every environment.',
  arguments: ['NAME'],
  options: { provider: { type: 'string', value: 'COMPANY', help: 'the company that develops it; yours when left out' }, ...jsonOption },
  example: 'desp service create sample-app',
  async run({ positionals: [name], values, flags, io }) {
    const service = await connect(io).post<ServiceView>('/api/services', {
      name,
      ...(values['provider'] ? { provider: values['provider'] } : {}),
    });
    show(io, flags['json'], service, describeService);
    return exitCodes.done;
  },
};
