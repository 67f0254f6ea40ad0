import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { summarizeRecord, verifyRecord } from '@desp/release';
import { importPublicKey } from '@desp/security';
import { CliError } from '../../cli-error.ts';
import { type Command, exitCodes, type Io } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { findPlatform } from '../../session.ts';

export const command: Command = {
  name: 'release verify',
  summary: 'Verify a release record, offline: exit code 0 when every byte holds, 1 when not.',
  arguments: ['FILE'],
  options: { key: { type: 'string', value: 'FILE', help: "the platform's public key (PEM); default: the pinned one" }, ...jsonOption },
  example: 'desp release verify sample-app-1.0.1.json --key platform.pub',
  notes: 'The key that is trusted is the one that you name, else the one pinned at desp up; never one inside the file.',
  async run({ positionals: [file = ''], values, flags, io }) {
    const bytes = readBytes(resolve(io.cwd, file));
    const pem = readBytes(keyFile(io, values['key'])).toString();
    const result = await verifyRecord(bytes, [await importPublicKey(pem)]);
    const answer = {
      file,
      ok: result.ok,
      findings: result.findings,
      summary: result.ok && result.record ? summarizeRecord(result.record) : [],
    };
    show(io, flags['json'], answer, () =>
      result.ok
        ? `${file}: verified.\n${answer.summary.map((line) => `  ${line.at}  ${line.who}  ${line.what}\n${line.details.map((detail) => `      ${detail}\n`).join('')}`).join('')}`
        : `${file}: NOT verified.\n${result.findings.map((finding) => `  ${finding.message}\n`).join('')}`,
    );
    return result.ok ? exitCodes.done : exitCodes.no;
  },
};

function keyFile(io: Io, named: string | undefined): string {
  if (named) return resolve(io.cwd, named);
  const place = findPlatform(io);
  const pinned = [
    place ? join(place.data, 'keys', 'platform.pub') : undefined,
    join(io.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'desp', 'platform.pub'),
  ];
  const found = pinned.find((file) => file && existsSync(file));
  if (!found)
    throw new CliError('USAGE', 'No platform key is pinned here.', {
      kind: 'user',
      cure: 'Name it: desp release verify FILE --key platform.pub',
    });
  return found;
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CliError('FILE', `${file} cannot be read.`, { kind: 'user', cause });
  }
}
