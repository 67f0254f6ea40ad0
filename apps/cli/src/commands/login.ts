import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApiClient } from '../client.ts';
import { CliError } from '../cli-error.ts';
import { type Command, exitCodes } from '../command.ts';
import { requirePlatform, saveLogin } from '../session.ts';

export const command: Command = {
  name: 'login',
  summary: 'Become one of the rehearsal\'s people for the commands that follow.',
  arguments: [],
  options: { as: { type: 'string', value: 'PERSON', help: 'provider, other-provider, ivv, security, operator or executive' } },
  example: 'desp login --as provider',
  notes: "The rehearsal's first passwords lie in its data folder, readable by its owner only; that is where this command finds them.",
  async run({ values, io }) {
    const person = values['as'];
    if (!person) throw new CliError('USAGE', 'Say who you are.', { kind: 'user', cure: 'desp login --as provider' });
    const place = requirePlatform(io);
    const password = firstPassword(place.data, person);
    const { token } = await createApiClient(place.server, undefined).post<{ token: string }>('/api/login', { person, password });
    saveLogin(io, place, { person, token });
    io.out(`You are ${person} at ${place.server}.\n`);
    return exitCodes.done;
  },
};

function firstPassword(data: string, person: string): string {
  const file = join(data, 'credentials');
  if (!existsSync(file)) throw new CliError('NOT_LOGGED_IN', `There are no first credentials in ${data}.`, { kind: 'user', cure: 'Log in where the rehearsal runs, as its owner.' });
  const line = readFileSync(file, 'utf8').split('\n').find((one) => one.startsWith(`${person} `));
  if (!line) throw new CliError('NOT_LOGGED_IN', `The rehearsal has nobody called ${person}.`, { kind: 'user', cure: 'provider, other-provider, ivv, security, operator and executive are there.' });
  return line.slice(person.length + 1).trim();
}
