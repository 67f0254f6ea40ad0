import type { Delivery } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeDelivery } from './describe-delivery.ts';

export const command: Command = {
  name: 'delivery cancel',
  summary: 'End a delivery; what runs is stopped.',
  arguments: ['ID'],
  options: jsonOption,
  example: 'desp delivery cancel d-1',
  async run({ positionals: [id = ''], flags, io }) {
    const delivery = await connect(io).post<Delivery>(`/api/deliveries/${encodeURIComponent(id)}/cancel`);
    show(io, flags['json'], delivery, describeDelivery);
    return exitCodes.done;
  },
};
