import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { z } from 'zod';
import { writePrivate } from './authority.ts';
import { AcmeError } from './errors.ts';

const Account = z.object({
  /** The key's thumbprint; the account's URL ends in it. */
  id: z.string(),
  key: z.record(z.string(), z.unknown()),
  contact: z.array(z.string()),
  status: z.enum(['valid', 'deactivated']),
});
export interface Account {
  readonly id: string;
  readonly key: JWK;
  readonly contact: readonly string[];
  readonly status: 'valid' | 'deactivated';
}

export interface Accounts {
  get(id: string): Account | undefined;
  put(account: Account): Promise<void>;
}

const maxAccounts = 10_000;

/** Accounts outlive the process: a client keeps its key and must find its account again. */
export async function openAccounts(dataFolder: string): Promise<Accounts> {
  const file = join(dataFolder, 'accounts.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  const parsed = z.array(Account).safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new AcmeError('storeDamaged', `The accounts in ${file} are not readable.`, {
      cure: 'Restore or remove the file; clients register anew.',
    });
  }
  const accounts = new Map<string, Account>(parsed.data.map((account) => [account.id, account as Account]));
  let writing: Promise<void> = Promise.resolve();
  return {
    get: (id) => accounts.get(id),
    put(account) {
      if (!accounts.has(account.id) && accounts.size >= maxAccounts)
        throw new AcmeError('rateLimited', `There are ${maxAccounts} accounts already.`);
      accounts.set(account.id, account);
      const write = () => writePrivate(file, `${JSON.stringify([...accounts.values()])}\n`);
      writing = writing.then(write, write);
      return writing;
    },
  };
}
