import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { registerSecret } from '@desp/runtime';
import { type DataFolder, writeFileDurably } from '@desp/storage';

/** A secret of 256 bits, made at the first start and kept in the data folder with mode 0600. */
export function secretFile(data: DataFolder, name: string): string {
  const file = data.file(...name.split('/'));
  if (!existsSync(file)) writeFileDurably(file, `${randomBytes(32).toString('base64url')}\n`);
  const secret = readFileSync(file, 'utf8').trim();
  registerSecret(secret);
  return secret;
}
