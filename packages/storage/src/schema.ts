import type { DeliveryState, Instant, JobState, Role, Stop, TokenScope, Verdict, VerdictOutcome } from '@desp/model';
import type { ColumnType, Generated } from 'kysely';

/**
 * The platform's records as Kysely sees them; `migrations/` makes the tables. Instants are text in UTC, so that both
 * databases give the same and text order is time order. JSON columns are written as text and read parsed.
 */
type Json<T> = ColumnType<T, string, string>;

export interface Schema {
  companies: { name: string; title: string; created_at: Instant };
  people: {
    name: string;
    title: string;
    company: string | null;
    roles: Json<Role[]>;
    issuer: string;
    subject: string;
    /** scrypt, `N$salt$hash`; null where another identity provider keeps the password. */
    password: string | null;
    created_at: Instant;
  };
  services: { name: string; company: string; repository: string; created_by: string; created_at: Instant; ready_at: Instant | null };
  tokens: {
    id: Generated<number>;
    /** SHA-256 of the token in hex; the token itself is kept nowhere. */
    hash: string;
    kind: 'personal' | 'job' | 'robot';
    person: string | null;
    service: string | null;
    /** The delivery's number and job's name, for a job token. */
    delivery: number | null;
    job: string | null;
    title: string;
    /** Where a personal token is good; of no meaning for the others. */
    scopes: Json<TokenScope[]>;
    created_at: Instant;
    expires_at: Instant;
    revoked_at: Instant | null;
  };
  deliveries: {
    id: Generated<number>;
    service: string;
    commit: string;
    ref: string;
    title: string;
    pushed_by: string;
    state: DeliveryState;
    stops: Json<Stop[]>;
    templates: Json<{ project: string; commit: string } | null>;
    version: string | null;
    created_at: Instant;
    updated_at: Instant;
  };
  delivery_jobs: {
    delivery: number;
    name: string;
    position: number;
    state: JobState;
    reason: string;
    /** The planned job, as the pipeline package made it. */
    plan: Json<unknown>;
    environment: string | null;
    images: Json<{ reference: string; digest: string }[]>;
    attempt: number;
    started_at: Instant | null;
    ended_at: Instant | null;
  };
  job_logs: { delivery: number; job: string; seq: number; text: string };
  images: {
    digest: string;
    service: string;
    repository: string;
    tag: string;
    delivery: number;
    job: string;
    sbom: string;
    facts: Json<unknown>;
    created_at: Instant;
  };
  verdicts: {
    id: Generated<number>;
    service: string;
    digest: string;
    environment: string;
    outcome: VerdictOutcome;
    verdict: Json<Verdict>;
    envelope: Json<unknown>;
    judged_at: Instant;
  };
  advisories: { id: string; database: string; record: Json<unknown>; imported_at: Instant };
  releases: {
    service: string;
    version: string;
    commit: string;
    delivery: number;
    record: string;
    created_at: Instant;
    updated_at: Instant;
  };
  deployments: {
    id: Generated<number>;
    service: string;
    environment: string;
    version: string;
    commit: string;
    delivery: number;
    state: 'preparing' | 'deploying' | 'ready' | 'failed' | 'superseded';
    reason: string;
    /** How far Fleet is with it, as a stop's state. */
    fleet: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
    fleet_reason: string;
    manifests: string | null;
    created_at: Instant;
    updated_at: Instant;
  };
  audit: {
    seq: Generated<number>;
    at: Instant;
    who: string;
    action: string;
    target: string;
    outcome: string;
    previous: string;
    hash: string;
  };
  oidc: {
    kind: string;
    id: string;
    payload: Json<unknown>;
    grant_id: string | null;
    user_code: string | null;
    uid: string | null;
    expires_at: Instant | null;
  };
  settings: { name: string; value: Json<unknown> };
}
