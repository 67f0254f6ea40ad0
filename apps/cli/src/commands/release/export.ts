import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';

export const command: Command = {
  name: 'release export',
  summary: 'Write the signed record of a release to a file that anybody can verify offline.',
  arguments: ['SERVICE', 'VERSION', 'FILE'],
  options: {},
  example: 'desp release export sample-app 1.0.1 sample-app-1.0.1.json',
  async run({ positionals: [service = '', version = '', file = ''], io }) {
    const record = await connect(io).bytes(`/api/releases/${encodeURIComponent(service)}/${encodeURIComponent(version)}/record`);
    writeFileSync(resolve(io.cwd, file), record);
    io.out(`${file}: ${record.length} bytes. Verify it anywhere: desp release verify ${file}\n`);
    return exitCodes.done;
  },
};
