import type { PlatformStatus } from '@desp/model';
import { createApiClient } from '../client.ts';
import { type Command, exitCodes } from '../command.ts';
import { jsonOption, show } from '../listing.ts';
import { requirePlatform } from '../session.ts';
import { formatTable } from '../table.ts';

export const command: Command = {
  name: 'status',
  summary: 'Say what runs, where each part is, and what is missing.',
  arguments: [],
  options: jsonOption,
  example: 'desp status',
  async run({ flags, io }) {
    const place = requirePlatform(io);
    const status = await createApiClient(place.server).get<PlatformStatus>('/api/status');
    show(
      io,
      flags['json'],
      status,
      (one) =>
        `desp ${one.version}, profile ${one.profile}${one.rehearsal ? ', rehearsal' : ''}, data in ${one.data}\n\n${formatTable(
          ['PART', 'STATE', 'ADDRESS', 'DETAIL'],
          one.parts.map((part) => [part.name, part.state, part.url, part.detail]),
        )}`,
    );
    return status.parts.every((part) => part.state === 'ready' || part.state === 'missing') ? exitCodes.done : exitCodes.no;
  },
};
