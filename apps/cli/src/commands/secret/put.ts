import { CliError } from '../../cli-error.ts';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';

export const command: Command = {
  name: 'secret put',
  summary: "Write a secret in an environment's store. Values come from standard input, one a line, never from an argument.",
  arguments: ['ENV', 'PATH', 'KEY=-…'],
  options: {},
  example: "printf 'accessForS3\\nsecretForS3\\n' | desp secret put e2e sample-app/s3 access=- secret=-",
  notes:
    "PATH is the store's path and the secret's name, as `desp service show` prints them. The keys that stand in it already stay unless they are named.",
  async run({ positionals: [environment = '', path = '', ...keys], io }) {
    const names = keys.map((key) => {
      if (!key.endsWith('=-')) {
        throw new CliError(
          'USAGE',
          `${key.split('=')[0]} must be given as ${key.split('=')[0]}=-: a value in an argument shows in the process list and in the shell's history.`,
          { kind: 'user', cure: "printf 'VALUE\\n' | desp secret put ENV PATH KEY=-" },
        );
      }
      return key.slice(0, -2);
    });
    const lines = await readLines(names.length);
    const values = Object.fromEntries(names.map((name, index) => [name, lines[index] as string]));
    const [service = '', ...rest] = path.split('/');
    await connect(io).put(
      `/api/services/${encodeURIComponent(service)}/secrets/${encodeURIComponent(environment)}/${rest.map(encodeURIComponent).join('/')}`,
      { values },
    );
    io.out(`${path} in ${environment}: ${names.join(', ')} written.\n`);
    return exitCodes.done;
  },
};

async function readLines(count: number): Promise<string[]> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.length > 4_000_000) throw new CliError('USAGE', 'Standard input is over 4 MB.', { kind: 'user' });
  }
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (lines.length !== count || (count === 1 && lines[0] === '')) {
    throw new CliError(
      'USAGE',
      `${count} ${count === 1 ? 'value is' : 'values are'} named, and standard input has ${text ? lines.length : 0} lines.`,
      { kind: 'user', cure: "printf 'VALUE\\n' | desp secret put ENV PATH KEY=-" },
    );
  }
  return lines;
}
