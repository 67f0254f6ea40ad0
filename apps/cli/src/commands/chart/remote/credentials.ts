import { readFileSync } from 'node:fs';
import { registerSecret } from '@desp/runtime';
import type { Flags } from '../flags.ts';
import { HelmError } from '../helm-command.ts';

export interface Login {
  readonly username: string;
  readonly password: string;
}

const maxPasswordBytes = 64 * 1024;
let fromStdin: string | undefined;

/** `--username` with `--password-stdin`, or with Helm's `--password`, which other users of the machine can see. */
export function loginOf(flags: Flags): Login | undefined {
  const username = flags.text('username') ?? '';
  if (flags.isOn('password-stdin')) {
    if (fromStdin === undefined) {
      const text = readFileSync(0, 'utf8');
      if (text.length > maxPasswordBytes) throw new HelmError('what came on standard input is too long for a password');
      fromStdin = text.replace(/\r?\n$/, '');
    }
    return made(username, fromStdin);
  }
  return made(username, flags.text('password') ?? '');
}

function made(username: string, password: string): Login | undefined {
  if (username === '' || password === '') return undefined;
  registerSecret(password);
  return { username, password };
}
