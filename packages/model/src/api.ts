import { z } from 'zod';
import { Delivery } from './delivery.ts';
import { Instant, Role } from './ids.ts';
import { Verdict, VerdictOutcome } from './security.ts';

/** What the platform's HTTP API takes and gives; OpenAPI, the command line and the console have their types from here. */

export const ServiceEnvironmentView = z.object({
  name: z.string(),
  namespace: z.string(),
  /** Image references in charts begin with this. */
  imagePrefix: z.string(),
  registry: z.object({ url: z.string(), host: z.string(), project: z.string() }),
  secrets: z.object({ url: z.string(), path: z.string(), role: z.string(), pullSecret: z.string() }),
  cluster: z.object({ server: z.string(), labels: z.record(z.string(), z.string()) }),
  /** Public names of the service end in this. */
  domain: z.string(),
  hostName: z.string(),
  /** A line to type that reaches the service there, without touching the machine's hosts file. */
  curl: z.string(),
  entry: z.enum(['direct', 'promotion']),
});
export type ServiceEnvironmentView = z.infer<typeof ServiceEnvironmentView>;

export const ServiceView = z.object({
  name: z.string(),
  provider: z.string(),
  repository: z.string(),
  gitRemote: z.string(),
  quarantine: z.object({ url: z.string(), host: z.string(), project: z.string() }),
  environments: z.array(ServiceEnvironmentView),
  createdAt: Instant,
  createdBy: z.string(),
  /** What to type next, in order. */
  next: z.array(z.string()),
});
export type ServiceView = z.infer<typeof ServiceView>;

export const CreateService = z.strictObject({
  name: z.string(),
  /** The company that develops it; a provider's own when absent. */
  provider: z.string().optional(),
});
export type CreateService = z.infer<typeof CreateService>;

export const DeliveryList = z.object({ deliveries: z.array(Delivery) });
export type DeliveryList = z.infer<typeof DeliveryList>;

export const JobLog = z.object({ delivery: z.string(), job: z.string(), text: z.string(), next: z.number().int(), ended: z.boolean() });
export type JobLog = z.infer<typeof JobLog>;

export const GateReport = z.object({
  service: z.string(),
  repository: z.string(),
  digest: z.string(),
  packages: z.number().int(),
  verdicts: z.array(z.object({ environment: z.string(), outcome: VerdictOutcome, judgedAt: Instant, verdict: Verdict })),
});
export type GateReport = z.infer<typeof GateReport>;

export const ReleaseSummary = z.object({
  service: z.string(),
  version: z.string(),
  commit: z.string(),
  delivery: z.string(),
  createdAt: Instant,
  updatedAt: Instant,
  deployments: z.array(z.object({ environment: z.string(), state: z.string(), reason: z.string(), at: Instant })),
});
export type ReleaseSummary = z.infer<typeof ReleaseSummary>;

export const ReleaseDetail = ReleaseSummary.extend({
  images: z.array(z.object({ repository: z.string(), tag: z.string(), digest: z.string(), outcome: VerdictOutcome, judgedAt: Instant })),
  notAssessed: z.array(z.object({ what: z.string(), why: z.string() })),
  manifests: z.array(z.object({ environment: z.string(), digest: z.string() })),
});
export type ReleaseDetail = z.infer<typeof ReleaseDetail>;

export const PutSecret = z.strictObject({ values: z.record(z.string().regex(/^[-._A-Za-z0-9]{1,253}$/), z.string().max(1_000_000)) });
export type PutSecret = z.infer<typeof PutSecret>;

export const ImportAdvisories = z.strictObject({
  database: z.string().min(1).max(100),
  date: Instant,
  records: z.array(z.record(z.string(), z.unknown())).max(5_000),
});
export type ImportAdvisories = z.infer<typeof ImportAdvisories>;

/** Where a personal token is good: the API, the Git host, the registries, or the cluster of one environment. */
export const TokenScope = z.union([z.enum(['api', 'git', 'registry']), z.templateLiteral(['kubernetes:', z.string().min(1).max(20)])]);
export type TokenScope = z.infer<typeof TokenScope>;

/** A token for the API acts for its person in everything that the API does. Clusters have tokens of their own: their kubeconfig. */
export const CreateToken = z.strictObject({
  title: z.string().min(1).max(100),
  days: z.number().int().min(1).max(365),
  scopes: z
    .array(z.enum(['api', 'git', 'registry']))
    .min(1)
    .max(3),
});
export type CreateToken = z.infer<typeof CreateToken>;

/** Where people log in: an OpenID Connect provider, ours or another, and the console's name there. */
export const LoginProvider = z.object({
  issuer: z.string(),
  clientId: z.string(),
  /** Where the provider sends people back to; the console logs in from this origin only. */
  redirectUri: z.string(),
});
export type LoginProvider = z.infer<typeof LoginProvider>;

/** Who a caller is: a person of the records, or a part of the platform itself, which has no roles. */
export const Caller = z.object({
  kind: z.enum(['person', 'job', 'robot', 'platform']),
  name: z.string(),
  company: z.string().optional(),
  roles: z.array(Role),
});
export type Caller = z.infer<typeof Caller>;

export const PlatformStatus = z.object({
  version: z.string(),
  profile: z.string(),
  rehearsal: z.boolean(),
  data: z.string(),
  parts: z.array(
    z.object({ name: z.string(), url: z.string(), state: z.enum(['ready', 'starting', 'missing', 'failed']), detail: z.string() }),
  ),
  environments: z.array(z.string()),
});
export type PlatformStatus = z.infer<typeof PlatformStatus>;

export const ApiProblem = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    kind: z.enum(['user', 'upstream', 'bug']),
    retryable: z.boolean(),
    cure: z.string().optional(),
    where: z.object({ file: z.string(), line: z.number().optional(), column: z.number().optional() }).optional(),
  }),
});
export type ApiProblem = z.infer<typeof ApiProblem>;
