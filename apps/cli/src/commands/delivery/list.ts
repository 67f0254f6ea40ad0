import type { Delivery } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { formatTable } from '../../table.ts';

export const command: Command = {
  name: 'delivery list',
  summary: 'List deliveries, newest first.',
  arguments: [],
  options: { service: { type: 'string', value: 'NAME', help: "only this service's" }, ...jsonOption },
  example: 'desp delivery list --service sample-app',
  async run({ values, flags, io }) {
    const query = values['service'] ? `?service=${encodeURIComponent(values['service'])}` : '';
    const answer = await connect(io).get<{ deliveries: Delivery[] }>(`/api/deliveries${query}`);
    show(io, flags['json'], answer, ({ deliveries }) =>
      deliveries.length
        ? formatTable(
            ['ID', 'SERVICE', 'COMMIT', 'REF', 'STATE', 'VERSION', 'TITLE'],
            deliveries.map((one) => [
              one.id,
              one.service,
              one.commit.slice(0, 8),
              one.ref.replace(/^refs\/(heads|tags)\//, ''),
              one.state,
              one.version ?? '',
              one.title,
            ]),
          )
        : 'No deliveries yet. A git push starts one.\n',
    );
    return exitCodes.done;
  },
};
