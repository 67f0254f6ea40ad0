/** The first tables. A migration that was released never changes: the next one mends it. */
export const platform = {
  name: '0001-platform',
  sql: `
create table companies (name text primary key, title text not null, created_at text not null);
create table people (
  name text primary key, title text not null, company text references companies, roles jsonb not null,
  issuer text not null, subject text not null, password text, created_at text not null, unique (issuer, subject));
create table services (
  name text primary key, company text not null references companies, repository text not null unique,
  created_by text not null, created_at text not null, ready_at text);
create table tokens (
  id integer generated always as identity primary key, hash text not null unique, kind text not null, person text references people,
  service text references services, delivery integer, job text, title text not null, created_at text not null, expires_at text not null, revoked_at text);
create index tokens_by_job on tokens (delivery, job);
create table deliveries (
  id integer generated always as identity primary key, service text not null references services, commit text not null, ref text not null,
  title text not null, pushed_by text not null, state text not null, stops jsonb not null, templates jsonb, version text,
  created_at text not null, updated_at text not null, unique (service, ref, commit));
create index deliveries_by_state on deliveries (state);
create table delivery_jobs (
  delivery integer not null references deliveries, name text not null, position integer not null, state text not null, reason text not null,
  plan jsonb not null, environment text, images jsonb not null, attempt integer not null, started_at text, ended_at text, primary key (delivery, name));
create table job_logs (delivery integer not null, job text not null, seq integer not null, text text not null, primary key (delivery, job, seq));
create table images (
  digest text not null, service text not null references services, repository text not null, tag text not null, delivery integer not null,
  job text not null, sbom text not null, facts jsonb not null, created_at text not null, primary key (service, repository, digest));
create table verdicts (
  id integer generated always as identity primary key, service text not null references services, digest text not null, environment text not null,
  outcome text not null, verdict jsonb not null, envelope jsonb not null, judged_at text not null);
create index verdicts_by_digest on verdicts (digest, environment, id);
create table advisories (id text primary key, database text not null, record jsonb not null, imported_at text not null);
create table releases (
  service text not null references services, version text not null, commit text not null, delivery integer not null, record text not null,
  created_at text not null, updated_at text not null, primary key (service, version));
create table deployments (
  id integer generated always as identity primary key, service text not null references services, environment text not null, version text not null,
  commit text not null, delivery integer not null, state text not null, reason text not null, fleet text not null, fleet_reason text not null, manifests text,
  created_at text not null, updated_at text not null, unique (service, environment, delivery));
create table audit (
  seq integer generated always as identity primary key, at text not null, who text not null, action text not null, target text not null,
  outcome text not null, previous text not null, hash text not null);
create function audit_is_append_only() returns trigger language plpgsql as $$ begin raise exception 'the audit log is append-only'; end $$;
create trigger audit_append_only before update or delete or truncate on audit for each statement execute function audit_is_append_only();
create table oidc (
  kind text not null, id text not null, payload jsonb not null, grant_id text, user_code text, uid text, expires_at text, primary key (kind, id));
create index oidc_by_grant on oidc (grant_id);
create table settings (name text primary key, value jsonb not null);
`,
};
