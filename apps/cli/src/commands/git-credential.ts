import { type Command, exitCodes } from '../command.ts';
import { accessToken, requirePlatform } from '../session.ts';

export const command: Command = {
  name: 'git-credential',
  summary: 'Answer Git with your login, as a credential helper (gitcredentials(7)).',
  arguments: ['OPERATION'],
  options: {},
  example: "git config --global credential.http://127.0.0.1:7301.helper '!desp git-credential'",
  async run({ positionals: [operation], io }) {
    if (operation !== 'get') return exitCodes.done;
    let asked = '';
    for await (const chunk of process.stdin.setEncoding('utf8')) asked += chunk;
    const place = requirePlatform(io);
    // Only the platform's own Git host gets the token: Git says which one it asks for.
    const { protocol, host } = new URL(place.git);
    const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(asked)?.[1];
    if (`${field('protocol')}:` !== protocol || field('host') !== host) return exitCodes.done;
    const access = await accessToken(io, place);
    if (!access) return exitCodes.done;
    const expiry = access.expiresAt ? `password_expiry_utc=${Math.floor(Date.parse(access.expiresAt) / 1000)}\n` : '';
    io.out(`username=desp\npassword=${access.token}\n${expiry}`);
    return exitCodes.done;
  },
};
