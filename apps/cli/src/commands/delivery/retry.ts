import type { Delivery } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeDelivery } from './describe-delivery.ts';

export const command: Command = {
  name: 'delivery retry',
  summary: 'Run a failed job again, or all failed jobs.',
  arguments: ['ID', '[JOB]'],
  options: jsonOption,
  example: 'desp delivery retry d-1 build-image-a',
  async run({ positionals: [id = '', job], flags, io }) {
    const delivery = await connect(io).post<Delivery>(`/api/deliveries/${encodeURIComponent(id)}/retry`, job ? { job } : {});
    show(io, flags['json'], delivery, describeDelivery);
    return exitCodes.done;
  },
};
