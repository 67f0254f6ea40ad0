import { readFileSync, statSync } from 'node:fs';
import type { Config, EnvironmentConfig, RegistryConfig } from '@desp/model';
import { messageOf, registerSecret } from '@desp/runtime';
import type { DataFolder } from '@desp/storage';
import { PlatformError } from './platform-error.ts';
import { secretFile } from './secret-file.ts';

/** What the platform shows to the parts that it works with: its own token to embedded ones, to others what their files hold. */
export interface OutsideCredentials {
  /** An access token for Git and its host's API. */
  readonly git: string;
  registry(registry: RegistryConfig): { readonly username: string; readonly password: string };
  /** A token that may make mounts, policies and roles. */
  vault(environment: EnvironmentConfig): string;
}

/** The platform's name where an embedded part asks for one. */
export const platformAccount = '$platform';

/** @throws PlatformError CONFIG for a file that is missing, empty, or readable by others */
export function outsideCredentials(config: Config, data: DataFolder): OutsideCredentials {
  const own = secretFile(data, 'keys/platform.token');
  return {
    git: config.git.tokenFile === undefined ? own : readSecret(config.git.tokenFile, 'git.tokenFile'),
    registry: ({ account }) =>
      account === undefined
        ? { username: platformAccount, password: own }
        : { username: account.username, password: readSecret(account.passwordFile, 'account.passwordFile') },
    vault: ({ name, vault }) =>
      vault.tokenFile === undefined ? secretFile(data, `keys/vault-${name}.token`) : readSecret(vault.tokenFile, 'vault.tokenFile'),
  };
}

function readSecret(file: string, field: string): string {
  const wrong = (why: string, cure: string, cause?: unknown) =>
    new PlatformError('CONFIG', `The file ${file}, which ${field} names, cannot be used: ${why}.`, {
      kind: 'user',
      cure,
      where: { file },
      cause,
    });
  let secret: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) throw wrong('others may read it', `chmod 600 ${file}`);
    secret = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw wrong(messageOf(cause), 'Put the secret there, in a file of mode 0600.', cause);
  }
  if (!/^[\x21-\x7e]{1,4096}$/.test(secret)) throw wrong('it holds no secret of one line', 'Put the secret there, and nothing else.');
  registerSecret(secret);
  return secret;
}
