import { type Command, exitCodes } from '../command.ts';
import { requirePlatform, tokenFor } from '../session.ts';

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
    const token = tokenFor(io, requirePlatform(io));
    // Only the platform's own host gets the token: Git says which one it asks for.
    const host = /^host=(.+)$/m.exec(asked)?.[1] ?? '';
    if (token && host.startsWith(new URL(requirePlatform(io).server).hostname)) io.out(`username=desp\npassword=${token}\n`);
    return exitCodes.done;
  },
};
