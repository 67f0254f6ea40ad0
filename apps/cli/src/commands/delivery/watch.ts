import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '@desp/model';
import { CliError } from '../../cli-error.ts';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption } from '../../listing.ts';
import { isOver, stopLine } from './describe-delivery.ts';

export const command: Command = {
  name: 'delivery watch',
  summary: 'Follow a delivery until it ends: exit code 0 when it passed, 1 when it did not.',
  arguments: ['[ID]'],
  options: {
    service: { type: 'string', value: 'NAME', help: 'with no ID: the newest delivery of this service' },
    timeout: { type: 'string', value: 'SECONDS', help: 'give up after so many seconds (default 1800)' },
    ...jsonOption,
  },
  example: 'desp delivery watch d-2',
  notes: 'Without ID it follows the newest delivery that you may see.',
  async run({ positionals: [named], values, flags, io }) {
    const client = connect(io);
    const deadline = Date.now() + Number(values['timeout'] ?? 1800) * 1000;
    const query = values['service'] ? `?service=${encodeURIComponent(values['service'])}` : '';
    const id = named ?? (await client.get<{ deliveries: Delivery[] }>(`/api/deliveries${query}`)).deliveries[0]?.id;
    if (!id) throw new CliError('REFUSED', 'There is no delivery yet.', { kind: 'user', cure: 'A git push starts one.' });
    const printed = new Map<string, string>();
    for (;;) {
      const delivery = await client.get<Delivery>(`/api/deliveries/${encodeURIComponent(id)}`);
      for (const stop of delivery.stops) {
        const line = stopLine(stop);
        if (stop.state === 'waiting' || printed.get(stop.name) === line) continue;
        printed.set(stop.name, line);
        if (!flags['json']) io.out(`${line}\n`);
      }
      if (isOver(delivery)) {
        io.out(
          flags['json']
            ? `${JSON.stringify(delivery, null, 2)}\n`
            : `\n${delivery.id} ${delivery.state}${delivery.version ? ` as ${delivery.version}` : ''}\n`,
        );
        return delivery.state === 'passed' ? exitCodes.done : exitCodes.no;
      }
      if (Date.now() > deadline)
        throw new CliError('REFUSED', `${id} is still running.`, { kind: 'user', cure: `desp delivery watch ${id}` });
      await sleep(400);
    }
  },
};
