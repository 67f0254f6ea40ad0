import type { GitLabClient } from '@desp/git';
import type { OidcServer, Tokens } from '@desp/identity';
import type { KubeClient } from '@desp/kube';
import type { Config, EnvironmentConfig, PlatformStatus } from '@desp/model';
import type { RegistryClient } from '@desp/oci';
import type { Profile } from '@desp/procedure';
import type { Clock, Logger } from '@desp/runtime';
import type { Database, DataFolder, Jobs } from '@desp/storage';
import type { VaultClient } from '@desp/vault';
import type { Announcer } from './announcer.ts';
import type { Authenticator } from './authenticator.ts';
import type { Builder } from './builder.ts';
import type { Advisories } from './gate/advisories.ts';
import type { PlatformKey } from './platform-key.ts';
import type { Source } from './source.ts';

/** One environment as the control plane reaches it: clients of protocols, nothing else. */
export interface EnvironmentParts {
  readonly config: EnvironmentConfig;
  readonly registry: RegistryClient;
  readonly vault: VaultClient;
  readonly kube: KubeClient;
  /** PEM; what a person's kubeconfig trusts. */
  readonly certificateAuthority: string;
}

/** Makes what a service needs at the parts that keep projects; safe to repeat. */
export interface Provision {
  /** The repository with its groups, members, protected tags and webhook. */
  repository(service: ServicePlace): Promise<void>;
  /** A project in an environment's registry, or in quarantine when `environment` is undefined, with its members and rules. */
  project(environment: string | undefined, service: ServicePlace): Promise<void>;
  /** A robot that pulls from the project, for the environment's cluster; its secret is given this once, a new call replaces it. */
  pullRobot(environment: string, service: ServicePlace): Promise<{ username: string; password: string }>;
}

/** A service as its record names it. */
export interface ServicePlace {
  readonly name: string;
  readonly company: string;
  /** In Git: groups and project. */
  readonly repository: string;
}

/** What every room of the control plane is given. Embedded or real, the parts look the same from here. */
export interface Platform {
  readonly config: Config;
  readonly profile: Profile;
  readonly data: DataFolder;
  readonly database: Database;
  readonly jobs: Jobs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly key: PlatformKey;
  readonly provision: Provision;
  /** The Git host's API, and what its webhook must show to us. */
  readonly gitHost: { readonly client: GitLabClient; readonly hookToken: string };
  readonly tokens: Tokens;
  readonly authenticator: Authenticator;
  /** The embedded identity provider; undefined where the configuration names another. */
  readonly oidc: OidcServer | undefined;
  readonly advisories: Advisories;
  readonly announcer: Announcer;
  readonly source: Source;
  readonly quarantine: RegistryClient;
  readonly environments: ReadonlyMap<string, EnvironmentParts>;
  /** The Kubernetes API that holds Fleet's objects. */
  readonly management: KubeClient;
  /** What runs, for `desp status`. */
  status(): PlatformStatus;
  /** Absent where there is no container engine: pushes are planned, and builds say what is missing. */
  readonly builder: Builder | { readonly missing: string };
}
