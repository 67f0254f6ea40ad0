import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CliError } from '../../cli-error.ts';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';

const batch = 500;

export const command: Command = {
  name: 'advisories import',
  summary: 'Import OSV records (one JSON file each) and have every later verdict use them.',
  arguments: ['DIR'],
  options: {
    database: { type: 'string', value: 'NAME', help: "the database's name (default: the folder's)" },
    date: { type: 'string', value: 'INSTANT', help: 'when it was taken, as 2026-01-31T08:00:00.000Z (default: the newest record)' },
  },
  example: 'desp advisories import ./osv/Debian --database Debian',
  async run({ positionals: [folder = ''], values, io }) {
    const path = resolve(io.cwd, folder);
    const files = jsonFiles(path);
    const records = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>);
    const newest = records
      .map((record) => String(record['modified'] ?? ''))
      .sort()
      .at(-1);
    const date = values['date'] ?? (newest ? new Date(newest).toISOString() : undefined);
    if (!date)
      throw new CliError('FILE', `There are no OSV records in ${folder}.`, { kind: 'user', cure: 'Name a folder of OSV JSON files.' });
    const client = connect(io);
    const database = values['database'] ?? basename(path);
    for (let from = 0; from < records.length; from += batch) {
      await client.post('/api/advisories', { database, date, records: records.slice(from, from + batch) });
      io.err(`${Math.min(from + batch, records.length)} of ${records.length}\n`);
    }
    io.out(`${records.length} records of ${database}, as of ${date}.\n`);
    return exitCodes.done;
  },
};

function jsonFiles(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw new CliError('FILE', `${folder} is not a folder that can be read.`, { kind: 'user', cause });
  }
  const files = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name));
  const large = files.find((file) => statSync(file).size > 10_000_000);
  if (large) throw new CliError('FILE', `${large} is over 10 MB: no OSV record is.`, { kind: 'user' });
  return files;
}
