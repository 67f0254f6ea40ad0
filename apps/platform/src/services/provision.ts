import type { GitLabClient } from '@desp/git';
import type { Person } from '@desp/identity';
import type { HarborClient, HarborProjectRules } from '@desp/oci';
import type { Logger } from '@desp/runtime';
import type { Provision } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';
import { membersOf } from './members.ts';

export interface ProvisionOptions {
  readonly git: GitLabClient;
  readonly quarantine: HarborClient;
  readonly environments: ReadonlyMap<string, HarborClient>;
  /** Where the Git host tells of pushes, and what it must show there. */
  readonly hook: { readonly url: string; readonly token: string };
  people(): Promise<readonly Person[]>;
  readonly log: Logger;
}

/** Quarantine keeps what nobody judged yet from everybody; a tag may be pushed again until it is released. */
const quarantineRules: HarborProjectRules = { preventVulnerable: true, severity: 'high', scanOnPush: true, immutableTags: false };
/**
 * A release came through the gate, and runs on when something is found in it later: the registry does not prevent its pull. Its
 * tags never move.
 */
const releaseRules: HarborProjectRules = { preventVulnerable: false, severity: 'high', scanOnPush: true, immutableTags: true };

const everyTag = '*';
const developersMakeTags = 30;

/**
 * Makes what a service needs at the Git host and the registries, through their APIs alone: embedded or real is a question of the
 * address. Each step is safe to repeat, and each ends in what is wished, whatever was there.
 */
export function createProvision(options: ProvisionOptions): Provision {
  const { git, quarantine, environments, hook, log } = options;

  const registryOf = (environment: string | undefined): HarborClient => {
    const registry = environment === undefined ? quarantine : environments.get(environment);
    if (registry) return registry;
    throw new PlatformError('NOT_FOUND', `There is no registry of ${environment}.`, { kind: 'user' });
  };

  const tellUnknown = (where: string, service: string, unknown: readonly string[]) => {
    if (unknown.length > 0)
      log.warn({ where, service, people: unknown }, 'These people have no account there yet, and no rights: they log in there once.');
  };

  return {
    async repository(service) {
      const slash = service.repository.lastIndexOf('/');
      const group = await git.ensureGroup(service.repository.slice(0, slash));
      const project = await git.ensureProject(group, service.repository.slice(slash + 1));
      await git.ensureProtectedTags(project, everyTag, developersMakeTags);
      // Before anybody may push: from the first one on, pushes are told.
      await git.ensureHook(project, hook);
      tellUnknown(git.url, service.name, await git.ensureMembers(group, membersOf(await options.people(), service).git));
    },
    async project(environment, service) {
      const registry = registryOf(environment);
      await registry.ensureProject(service.name, environment === undefined ? quarantineRules : releaseRules);
      const members = membersOf(await options.people(), service);
      const wanted = environment === undefined ? members.quarantine : members.release;
      tellUnknown(registry.url, service.name, await registry.ensureMembers(service.name, wanted));
    },
    async pullRobot(environment, service) {
      const { username, secret } = await registryOf(environment).ensureRobot(service.name, 'pull', ['pull']);
      return { username, password: secret };
    },
  };
}
