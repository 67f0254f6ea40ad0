import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Flags } from '../flags.ts';

/** Helm's own files, which are read and never written: repositories that the user added, and logins. */

const configHome = (): string =>
  process.env['HELM_CONFIG_HOME'] ?? join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'helm');
const cacheHome = (): string => process.env['HELM_CACHE_HOME'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'helm');

export const repositoryConfigPath = (flags: Flags): string =>
  flags.text('repository-config') ?? process.env['HELM_REPOSITORY_CONFIG'] ?? join(configHome(), 'repositories.yaml');

export const repositoryCachePath = (flags: Flags): string =>
  flags.text('repository-cache') ?? process.env['HELM_REPOSITORY_CACHE'] ?? join(cacheHome(), 'repository');

/** Where logins for registries are looked for, the first that has one wins. */
export const registryConfigPaths = (flags: Flags): string[] => {
  const given = flags.text('registry-config') ?? process.env['HELM_REGISTRY_CONFIG'];
  const docker = join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
  return [given ?? join(configHome(), 'registry/config.json'), docker];
};
