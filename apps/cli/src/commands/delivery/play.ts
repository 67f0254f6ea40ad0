import type { Delivery } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeDelivery } from './describe-delivery.ts';

export const command: Command = {
  name: 'delivery play',
  summary: 'Start a job that waits to be started by hand.',
  arguments: ['ID', 'JOB'],
  options: jsonOption,
  example: 'desp delivery play d-1 build-image-a',
  async run({ positionals: [id = '', job], flags, io }) {
    const delivery = await connect(io).post<Delivery>(`/api/deliveries/${encodeURIComponent(id)}/play`, job ? { job } : {});
    show(io, flags['json'], delivery, describeDelivery);
    return exitCodes.done;
  },
};
