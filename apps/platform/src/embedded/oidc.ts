import { createOidcServer, type OidcServer, openOidcKeys } from '@desp/identity';
import type { Config } from '@desp/model';
import type { Clock, Logger } from '@desp/runtime';
import type { Database, DataFolder } from '@desp/storage';
import type { Authenticator } from '../authenticator.ts';

/** What access tokens of the identity provider, ours or another, must be for. */
export const apiAudience = (config: Config): string => `${config.server.url}/api`;

export interface OidcOptions {
  readonly config: Config;
  readonly data: DataFolder;
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The embedded identity provider, where the configured issuer is an address of this server; undefined where it is another's. */
export async function openOidc(options: OidcOptions): Promise<OidcServer | undefined> {
  const { config, data, database, authenticator, clock, log } = options;
  const { issuer } = config.identity;
  if (!issuer.startsWith(`${config.server.url}/`)) return undefined;
  return createOidcServer({
    issuer,
    audience: apiAudience(config),
    redirectUris: [`${config.server.url}/login/callback`],
    postLogoutRedirectUris: [`${config.server.url}/`],
    db: database.sql,
    clock,
    log,
    keys: await openOidcKeys(data.file('keys', 'oidc.json')),
    checkPassword: authenticator.login,
  });
}
