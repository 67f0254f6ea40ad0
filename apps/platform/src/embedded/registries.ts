import { may, type Principal } from '@desp/identity';
import type { Config } from '@desp/model';
import {
  allowPull,
  createRegistry,
  harborNotScanned,
  harborPrevented,
  harborScanPending,
  openRegistryStore,
  type Registry,
  type RegistryPrincipal,
  type RegistryStore,
} from '@desp/oci';
import type { Clock, Logger } from '@desp/runtime';
import { envelopeMediaType, sbomMediaType } from '@desp/security';
import type { Database, DataFolder } from '@desp/storage';
import type { Authenticator } from '../authenticator.ts';

/**
 * The embedded registries: quarantine, and one per environment. Rights are asked of the one table; a verdict is asked of the
 * records. What the gate did not pass leaves quarantine to nobody but the platform; what lies in a release project came through the gate.
 */
export interface EmbeddedRegistries {
  readonly quarantine: Registry;
  readonly environments: ReadonlyMap<string, Registry>;
  /** To be told when a service is made, so that its company is known. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

const statements = new Set<string>([sbomMediaType, envelopeMediaType]);

export interface RegistriesOptions {
  readonly config: Config;
  readonly data: DataFolder;
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function startRegistries(options: RegistriesOptions): Promise<EmbeddedRegistries> {
  const { config, database, authenticator, clock, log } = options;
  const store: RegistryStore = await openRegistryStore({ folder: options.data.file('registry'), clock, log });
  const companies = new Map<string, string>();
  const principals = new Map<string, Principal>();
  const reload = async () => {
    for (const row of await database.sql.selectFrom('services').select(['name', 'company']).execute()) companies.set(row.name, row.company);
  };
  await reload();

  const authenticate = async (username: string, password: string): Promise<RegistryPrincipal | undefined> => {
    const principal = await authenticator.basic(username, password);
    if (!principal) return undefined;
    const name =
      principal.kind === 'platform'
        ? 'platform'
        : principal.kind === 'job'
          ? `job of ${principal.service}`
          : principal.kind === 'robot'
            ? `${principal.service}+${principal.name}`
            : principal.name;
    principals.set(`${principal.kind}/${name}`, principal);
    return { kind: principal.kind, name };
  };

  const start = async (name: string, url: string, quarantine: boolean): Promise<Registry> => {
    const registry = await createRegistry({
      name,
      store,
      url,
      clock,
      log,
      authenticate,
      authorize(caller, project, action) {
        if (caller.kind === 'platform') return true;
        const principal = principals.get(`${caller.kind}/${caller.name}`);
        const company = companies.get(project);
        if (!principal || company === undefined) return false;
        const target = { service: { name: project, company } };
        if (action === 'pull') return may(principal, 'image.pull', target).allowed;
        // Only the platform writes release projects: what is in them came through the gate.
        return quarantine && action === 'push' && may(principal, 'image.push', target).allowed;
      },
      async beforePull({ repository, digest, subject, artifactType }) {
        // What is said about an image may be read; the image itself waits for its verdict.
        if (!quarantine || (subject && artifactType && statements.has(artifactType))) return allowPull;
        const verdicts = await database.sql
          .selectFrom('verdicts')
          .select(['environment', 'outcome', 'verdict'])
          .where('digest', '=', digest)
          .where('service', '=', repository.split('/')[0] ?? '')
          .orderBy('id', 'desc')
          .execute();
        const direct = config.environments.find((environment) => environment.entry === 'direct')?.name;
        const verdict = verdicts.find((row) => row.environment === direct);
        if (!verdict) return harborNotScanned({ severity: 'High' });
        if (verdict.outcome === 'pass') return allowPull;
        if (verdict.outcome === 'incomplete') return harborScanPending({ severity: 'High', status: 'Error' });
        return harborPrevented({ count: verdict.verdict.findings.filter((finding) => finding.blocks).length, severity: 'High' });
      },
    });
    await registry.listen({ host: new URL(url).hostname, port: Number(new URL(url).port) });
    return registry;
  };

  const quarantine = await start('quarantine', config.quarantine.url, true);
  const environments = new Map<string, Registry>();
  for (const environment of config.environments)
    environments.set(environment.name, await start(environment.name, environment.registry.url, false));
  return {
    quarantine,
    environments,
    reload,
    async close() {
      await Promise.all([quarantine, ...environments.values()].map((registry) => registry.close()));
      await store.close();
    },
  };
}
