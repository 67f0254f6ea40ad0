import { findPerson } from '@desp/identity';
import type { Config, RegistryConfig } from '@desp/model';
import {
  allowPull,
  createRegistry,
  createRegistryClient,
  harborNotScanned,
  harborPrevented,
  harborScanPending,
  openRegistryStore,
  type Registry,
  type RegistryClient,
  type RegistryPrincipal,
  type RegistryStore,
} from '@desp/oci';
import type { Clock, Logger } from '@desp/runtime';
import { envelopeMediaType, sbomMediaType, type Verifier } from '@desp/security';
import type { Database, DataFolder } from '@desp/storage';
import type { Authenticator } from '../authenticator.ts';
import type { OutsideCredentials } from '../outside-credentials.ts';
import { attachedVerdict } from './attached-verdict.ts';

/**
 * The embedded registries: quarantine, and one per environment. They know who somebody is from the identity provider, and who
 * may do what from their own memberships. What the gate did not pass leaves quarantine to nobody but the platform: the verdict is
 * the signed one that is attached to the image. What lies in a release project came through the gate.
 */
export interface EmbeddedRegistries {
  close(): Promise<void>;
}

const statements = new Set<string>([sbomMediaType, envelopeMediaType]);

export interface RegistriesOptions {
  readonly config: Config;
  readonly data: DataFolder;
  readonly database: Database;
  readonly authenticator: Authenticator;
  readonly credentials: OutsideCredentials;
  /** Whose verdicts count. */
  readonly trusted: readonly Verifier[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who says what may leave quarantine. */
interface Judge {
  readonly client: RegistryClient;
  readonly environment: string;
  readonly trusted: readonly Verifier[];
}

export async function startRegistries(options: RegistriesOptions): Promise<EmbeddedRegistries> {
  const { config, database, authenticator, clock, log } = options;
  const store: RegistryStore = await openRegistryStore({ folder: options.data.file('registry'), clock, log });
  const authenticate = async (username: string, password: string): Promise<RegistryPrincipal | undefined> => {
    const principal = await authenticator.basic(username, password, 'registry');
    if (!principal) return undefined;
    const name =
      principal.kind === 'platform'
        ? 'platform'
        : principal.kind === 'job'
          ? `job of ${principal.service}`
          : principal.kind === 'robot'
            ? `${principal.service}+${principal.name}`
            : principal.name;
    return { kind: principal.kind, name };
  };

  const start = async (name: string, url: string, judge?: Judge): Promise<Registry> => {
    const registry = await createRegistry({
      name,
      store,
      url,
      clock,
      log,
      authenticate,
      knowsUser: async (username) => (await findPerson(database.sql, username)) !== undefined,
      async beforePull({ repository, digest, subject, artifactType }) {
        // What is said about an image may be read; the image itself waits for its verdict.
        if (!judge || (subject && artifactType && statements.has(artifactType))) return allowPull;
        const verdict = await attachedVerdict(judge.client, repository, digest, judge);
        if (!verdict) return harborNotScanned({ severity: 'High' });
        if (verdict.outcome === 'pass') return allowPull;
        if (verdict.outcome === 'incomplete') return harborScanPending({ severity: 'High', status: 'Error' });
        return harborPrevented({ count: verdict.findings.filter((finding) => finding.blocks).length, severity: 'High' });
      },
    });
    await registry.listen({ host: new URL(url).hostname, port: Number(new URL(url).port) });
    return registry;
  };

  // A registry with an account of ours is somebody else's: it runs already.
  const embedded = ({ account }: RegistryConfig) => account === undefined;
  const running: Registry[] = [];
  const direct = config.environments.find((environment) => environment.entry === 'direct')?.name ?? '';
  const client = createRegistryClient({ url: config.quarantine.url, credentials: options.credentials.registry(config.quarantine) });
  if (embedded(config.quarantine))
    running.push(await start('quarantine', config.quarantine.url, { client, environment: direct, trusted: options.trusted }));
  for (const { name, registry } of config.environments) if (embedded(registry)) running.push(await start(name, registry.url));
  return {
    async close() {
      client.close();
      await Promise.all(running.map((registry) => registry.close()));
      await store.close();
    },
  };
}
