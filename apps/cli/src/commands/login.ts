import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import { createApiClient } from '../client.ts';
import { type Command, exitCodes, type Io } from '../command.ts';
import { awaitTokens, startDeviceFlow } from '../login/device-flow.ts';
import { walkForms } from '../login/form-walk.ts';
import { requirePlatform, saveLogin } from '../session.ts';

export const command: Command = {
  name: 'login',
  summary: "Log in for the commands that follow: with a code that you confirm in a browser, or as one of the rehearsal's people.",
  arguments: [],
  options: {
    as: { type: 'string', value: 'PERSON', help: 'rehearsal only: provider, other-provider, ivv, security, operator or executive' },
  },
  example: 'desp login --as provider',
  notes:
    "The rehearsal's first passwords lie in its data folder, readable by its owner only; that is where --as finds them. A login lasts 14 days.",
  async run({ values, io }) {
    const place = requirePlatform(io);
    const person = values['as'];
    const password = person === undefined ? undefined : firstPassword(place.data, person);
    const code = await startDeviceFlow(place.issuer);
    if (person !== undefined && password !== undefined) await walkForms(code.completeAddress, { person, password });
    else ask(io, code);
    const tokens = await awaitTokens(code);
    const me = await createApiClient(place.server, async () => tokens.token).get<{ name: string }>('/api/me');
    saveLogin(io, place, { person: me.name, ...tokens });
    io.out(`You are ${me.name} at ${place.server}.\n`);
    return exitCodes.done;
  },
};

function ask(io: Io, code: { completeAddress: string; userCode: string; expiresInSeconds: number }): void {
  io.out(
    `Open this address in a browser:\n\n  ${code.completeAddress}\n\nIt must show the code ${code.userCode}. Waiting, at most ${Math.round(code.expiresInSeconds / 60)} minutes …\n`,
  );
}

function firstPassword(data: string, person: string): string {
  const file = join(data, 'credentials');
  if (!existsSync(file))
    throw new CliError('NOT_LOGGED_IN', `There are no first credentials in ${data}.`, {
      kind: 'user',
      cure: 'Log in where the rehearsal runs, as its owner; elsewhere: desp login.',
    });
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${person} `));
  if (!line)
    throw new CliError('NOT_LOGGED_IN', `The rehearsal has nobody called ${person}.`, {
      kind: 'user',
      cure: 'provider, other-provider, ivv, security, operator and executive are there.',
    });
  return line.slice(person.length + 1).trim();
}
