import type { Clock, Logger } from '@desp/runtime';
import type { ContentDigest } from '../digest.ts';
import type { Descriptor } from '../manifest.ts';
import type { RegistryStore } from '../store/registry-store.ts';

export type RegistryAction = 'pull' | 'push' | 'delete';

/** Who calls. Robots are the registry's own; the others come from the injected `authenticate`. */
export interface RegistryPrincipal {
  readonly kind: 'person' | 'job' | 'robot' | 'platform';
  readonly name: string;
}

type Awaitable<T> = T | Promise<T>;

/** What a pull policy is asked. */
export interface PullQuestion {
  readonly registry: string;
  readonly repository: string;
  readonly digest: ContentDigest;
  readonly mediaType: string;
  readonly artifactType: string | undefined;
  /** The digest that this manifest is about, when it is a referrer (an SBOM, a verdict). */
  readonly subject: ContentDigest | undefined;
  readonly principal: RegistryPrincipal;
}

export type PullDecision = { readonly kind: 'allow' } | { readonly kind: 'prevented'; readonly message: string };

/** What a push policy is asked, after the manifest was read and found complete. */
export interface PushQuestion extends PullQuestion {
  readonly tag: string | undefined;
}

export type PushDecision =
  | { readonly kind: 'allow' }
  | { readonly kind: 'denied'; readonly code: 'DENIED' | 'PRECONDITION'; readonly message: string };

export interface ManifestNotice extends PushQuestion {
  readonly size: number;
}

export interface VulnerabilityReports {
  /** The report of one artifact as Harbor shows it, or undefined when nobody has scanned it. */
  read(question: { registry: string; repository: string; digest: ContentDigest }): Awaitable<object | undefined>;
}

export interface RegistryLimits {
  /** Bytes of one blob; default 20 GiB. */
  readonly blobBytes?: number;
  /** Uploads open at one time in one project; default 1,000. */
  readonly openUploads?: number;
  /** Request bodies being received at one time; default 256. */
  readonly transfers?: number;
}

export interface RegistryOptions {
  /** Names the registry in its store, its tokens and its log: `quarantine`, `e2e`. */
  readonly name: string;
  readonly store: RegistryStore;
  /** Where clients find it, as they must see it in the challenge; default: what the client put into `Host`. */
  readonly url?: string;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly limits?: RegistryLimits;
  /** Basic credentials to a principal; undefined for wrong ones. Must compare in constant time. */
  authenticate(username: string, password: string): Awaitable<RegistryPrincipal | undefined>;
  /**
   * May `principal` do this in `project`? Asked at the token and again at every request, so that a right lost is lost at once.
   * Default: people may what their membership gives, the platform everything, and nobody else anything.
   */
  authorize?(principal: RegistryPrincipal, project: string, action: RegistryAction): boolean;
  /** Is this the name of somebody? Who is nobody becomes no member. Default: every name is. */
  knowsUser?(username: string): Awaitable<boolean>;
  /** May `principal` create and rule the project and its robots over Harbor's API? Default: the platform, and its project administrators. */
  administers?(principal: RegistryPrincipal, project: string): boolean;
  /** Not asked for the platform itself, nor in projects whose metadata say `prevent_vul: "false"`. A throw closes: the pull is refused. */
  beforePull?(question: PullQuestion): Awaitable<PullDecision>;
  /** Asked for everybody. A throw closes: the push is refused. */
  beforePush?(question: PushQuestion): Awaitable<PushDecision>;
  /** After a manifest is durable. Its failure is logged and does not undo the push. */
  onManifest?(notice: ManifestNotice): Awaitable<void>;
  readonly vulnerabilities?: VulnerabilityReports;
}

export interface Project {
  readonly name: string;
  /** `immutable`: a tag, once pushed, keeps its digest and cannot be deleted. */
  readonly tags: 'mutable' | 'immutable';
  readonly createdAt: string;
  /** As Harbor keeps them: strings. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Harbor's roles: 1 projectAdmin, 2 developer, 3 guest, 4 maintainer, 5 limitedGuest. */
export type MemberRole = 1 | 2 | 3 | 4 | 5;

export interface Member {
  readonly id: number;
  readonly project: string;
  readonly username: string;
  readonly role: MemberRole;
}

export interface Robot {
  readonly id: number;
  /** `robot$PROJECT+NAME`: what the client logs in as. */
  readonly name: string;
  readonly project: string;
  readonly actions: readonly RegistryAction[];
  readonly expiresAt: string | undefined;
}

/** The in-process side for those who own the registry; everybody else comes by HTTP. */
export interface Registry {
  readonly name: string;
  /** Idempotent; a project that exists gets the given rule. */
  ensureProject(name: string, options: { tags: 'mutable' | 'immutable' }): Promise<Project>;
  listProjects(): Project[];
  /** The secret is shown this once and stored hashed; creating a robot anew replaces its secret. */
  createRobot(robot: {
    project: string;
    name: string;
    actions: readonly RegistryAction[];
    expiresAt?: Date;
  }): Promise<Robot & { secret: string }>;
  deleteRobot(name: string): Promise<boolean>;
  listRobots(project?: string): Robot[];
  /** Starts a listener; resolves to its address. Port 0 takes a free one. Give `tls` for HTTPS. */
  listen(at: { host?: string; port: number; tls?: { key: string; cert: string } }): Promise<{ host: string; port: number; url: string }>;
  /** Stops listeners; requests under way have 2 s to end. The store stays open. */
  close(): Promise<void>;
}

export type { Descriptor };
