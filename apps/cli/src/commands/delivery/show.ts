import type { Delivery } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeDelivery } from './describe-delivery.ts';

export const command: Command = {
  name: 'delivery show',
  summary: 'Show one delivery, stop by stop: state, reason, who acts next.',
  arguments: ['ID'],
  options: jsonOption,
  example: 'desp delivery show d-1',
  async run({ positionals: [id = ''], flags, io }) {
    const delivery = await connect(io).get<Delivery>(`/api/deliveries/${encodeURIComponent(id)}`);
    show(io, flags['json'], delivery, describeDelivery);
    return exitCodes.done;
  },
};
