import { parseArgs } from 'node:util';
import { DespError, formatPlace, messageOf } from '@desp/runtime/errors';
import { type Command, type ExitCode, exitCodes, type Io } from './command.ts';
import type { CommandEntry } from './commands/command-entry.ts';

/** Runs one command line; the one place where an error becomes words and an exit code. */
export async function main(argv: readonly string[], io: Io, commandList: readonly CommandEntry[]): Promise<number> {
  try {
    if (argv.length === 0 || argv[0] === 'help' || argv[0] === '--help' || argv[0] === '-h')
      return await overview(argv.slice(1), io, commandList);
    if (argv[0] === '--version') {
      io.out('desp 0.1.0\n');
      return exitCodes.done;
    }
    const entry = find(argv, commandList);
    if (!entry) return unknown(argv, io, commandList);
    const rest = argv.slice(entry.name.split(' ').length);
    const command = await entry.load();
    if ('runRaw' in command) return await command.runRaw(rest, io);
    return await invoke(command, rest, io);
  } catch (error) {
    return report(error, io, argv.includes('--json'));
  }
}

/** The longest name that the line begins with. */
function find(argv: readonly string[], commandList: readonly CommandEntry[]): CommandEntry | undefined {
  return commandList
    .filter((entry) => entry.name.split(' ').every((word, index) => argv[index] === word))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

async function invoke(command: Command, argv: readonly string[], io: Io): Promise<ExitCode> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(command, argv);
  } catch (error) {
    io.err(`desp ${command.name}: ${messageOf(error)}\n\n${usage(command)}`);
    return exitCodes.usage;
  }
  if (parsed.values['help'] === true) {
    io.out(help(command));
    return exitCodes.done;
  }
  const required = command.arguments.filter((argument) => !argument.startsWith('[')).length;
  const open = command.arguments.some((argument) => argument.includes('…'));
  if (parsed.positionals.length < required || (!open && parsed.positionals.length > command.arguments.length)) {
    const count = parsed.positionals.length;
    io.err(
      `desp ${command.name}: ${count < required ? `${command.arguments[count]} is missing` : `${parsed.positionals[command.arguments.length]} is one too many`}.\n\n${usage(command)}`,
    );
    return exitCodes.usage;
  }
  const values: Record<string, string> = {};
  const flags: Record<string, boolean> = {};
  for (const [name, value] of Object.entries(parsed.values)) {
    if (typeof value === 'boolean') flags[name] = value;
    else if (typeof value === 'string') values[name] = value;
  }
  return command.run({ positionals: parsed.positionals, values, flags, io });
}

function parse(command: Command, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type, short }]) => [name, { type, ...(short ? { short } : {}) }]),
  );
  return parseArgs({ args: [...argv], options: { ...options, help: { type: 'boolean', short: 'h' } }, allowPositionals: true });
}

const usage = (command: Command) =>
  `Usage: desp ${[command.name, ...command.arguments].join(' ')}${Object.keys(command.options).length ? ' [options]' : ''}\nMore: desp ${command.name} --help\n`;

function help(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]): [string, string] => [
    `${option.short ? `-${option.short}, ` : ''}--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`,
    option.help,
  ]);
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return [
    `${command.summary}\n`,
    `Usage: desp ${[command.name, ...command.arguments].join(' ')}${rows.length ? ' [options]' : ''}\n`,
    ...(rows.length ? ['Options:', ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`), ''] : []),
    `Example:\n  ${command.example.split('\n').join('\n  ')}\n`,
    ...(command.notes ? [`${command.notes}\n`] : []),
  ].join('\n');
}

async function overview(words: readonly string[], io: Io, commandList: readonly CommandEntry[]): Promise<ExitCode> {
  const entry = words.length ? find(words, commandList) : undefined;
  if (entry) {
    const command = await entry.load();
    if ('runRaw' in command) await command.runRaw(['--help'], io);
    else io.out(help(command));
    return exitCodes.done;
  }
  const width = Math.max(...commandList.map(({ name }) => name.length));
  const lines = commandList.filter(({ hidden }) => !hidden).map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  io.out(
    `desp takes a service from an empty Git repository to an accepted, running, accounted release.\n\nCommands:\n${lines.join('\n')}\n\nHelp on one: desp COMMAND --help\nBegin: desp up, then desp login --as provider, then desp service create my-service\n`,
  );
  return exitCodes.done;
}

function unknown(argv: readonly string[], io: Io, commandList: readonly CommandEntry[]): ExitCode {
  const near = commandList.filter(({ name, hidden }) => !hidden && name.split(' ')[0] === argv[0]);
  io.err(
    near.length
      ? `desp ${argv[0]}: say which: ${near.map(({ name }) => name).join(', ')}.\n`
      : `desp: there is no command ${argv[0]}. desp --help lists them.\n`,
  );
  return exitCodes.usage;
}

/** Whose move it is decides the code: wrong use 2, a no 1, anything else 3. */
function report(error: unknown, io: Io, json: boolean): ExitCode {
  const known = error instanceof DespError ? error : undefined;
  if (json && known) io.out(`${JSON.stringify({ error: known })}\n`);
  io.err(`desp: ${known?.where ? `${formatPlace(known.where)}: ` : ''}${messageOf(error)}\n`);
  if (known?.cure) io.err(`      ${known.cure}\n`);
  if (!known) {
    io.err('      This is a fault of desp; please report it with what follows.\n');
    if (error instanceof Error && error.stack) io.err(`${error.stack}\n`);
    return exitCodes.broken;
  }
  if (known.code === 'USAGE') return exitCodes.usage;
  return known.kind === 'user' ? exitCodes.no : exitCodes.broken;
}
