import { createHash } from 'node:crypto';
import { invalidRequest, notFound, unsupportedOperation, VaultError } from '../errors.ts';
import { isObject, type JsonObject } from '../exact-json.ts';
import { list } from '../kubernetes-auth.ts';
import { diagnosePolicy } from '../policy/policy.ts';
import type { Caller } from './auth-endpoints.ts';
import { type Call, expectOperation, type Mount, type Reply, type VaultCore } from './core.ts';

/** What this server says it is: a subset, and no Vault. */
export const version = '1.15.0+rehearsal';

const noHandler = (path: string) =>
  new VaultError('NOT_FOUND', `no handler for route ${JSON.stringify(path.slice(0, 200))}. route entry not found.`);

/** Calls that need no token: load balancers and clients ask them first. Undefined when `path` is none of them. */
export function serveOpenSystem(core: VaultCore, call: Call): { status: number; body: JsonObject } | undefined {
  const now = Math.floor(core.now().getTime() / 1000);
  switch (call.path) {
    case 'sys/health':
      return {
        status: Number(/^[1-5]\d\d$/.exec(call.query.get('activecode') ?? '')?.[0] ?? 200),
        body: {
          initialized: true,
          sealed: false,
          standby: false,
          performance_standby: false,
          replication_performance_mode: 'disabled',
          replication_dr_mode: 'disabled',
          server_time_utc: now,
          version,
          cluster_name: 'desp',
          cluster_id: clusterId,
        },
      };
    case 'sys/seal-status':
      return {
        status: 200,
        body: {
          type: 'shamir',
          initialized: true,
          sealed: false,
          t: 1,
          n: 1,
          progress: 0,
          nonce: '',
          version,
          build_date: '',
          migration: false,
          cluster_name: 'desp',
          cluster_id: clusterId,
          recovery_seal: false,
          storage_type: 'file',
        },
      };
    case 'sys/init':
      return call.operation === 'read'
        ? { status: 200, body: { initialized: true } }
        : { status: 400, body: { errors: ['Vault is already initialized'] } };
    case 'sys/leader':
      return { status: 200, body: { ha_enabled: false, is_self: false, leader_address: '', leader_cluster_address: '' } };
    default:
      return undefined;
  }
}

const clusterId = '00000000-0000-4000-8000-00000000de5b';

/** `sys/…` with a token that the policies let through. */
export function serveSystem(core: VaultCore, call: Call, caller: Caller): Reply {
  const path = call.path.slice('sys/'.length).replace(/\/+$/, '');
  const [, kind, rest] = /^(mounts|auth)(?:\/(.+))?$/.exec(path) ?? [];
  if (kind === 'mounts' || kind === 'auth') return serveMounts(core, call, kind, rest);
  const [, policyKind, policy] = /^(policy|policies\/acl)(?:\/(.+))?$/.exec(path) ?? [];
  if (policyKind !== undefined) return servePolicies(core, call, policyKind === 'policy', policy);
  if (path === 'capabilities-self' || path === 'capabilities') return serveCapabilities(core, call, caller, path);
  if (path === 'internal/ui/mounts') {
    expectOperation(call, 'read');
    return visibleMounts(core, caller);
  }
  if (path === 'internal/ui/resultant-acl') {
    expectOperation(call, 'read');
    return { data: { root: caller.live.record.policies.includes('root'), exact_paths: {}, glob_paths: {} } };
  }
  throw noHandler(call.path);
}

const mountView = (mount: Mount): JsonObject => ({
  accessor: mount.accessor,
  config: { default_lease_ttl: 0, force_no_cache: false, max_lease_ttl: 0 },
  description: mount.description,
  external_entropy_access: false,
  local: false,
  options: mount.options,
  seal_wrap: false,
  type: mount.type,
  uuid: mount.uuid,
});

const builtIn = (type: string): Mount => ({ uuid: '', accessor: `${type}_builtin`, type, description: '', options: null });

/** `sys/mounts` and `sys/auth` as maps by path, also at the top as old clients read them. */
function tableView(core: VaultCore, kind: 'mounts' | 'auth'): JsonObject {
  const table: Record<string, Mount> = {
    ...core.table(kind),
    ...(kind === 'auth' ? { 'token/': builtIn('token') } : { 'sys/': builtIn('system') }),
  };
  return Object.fromEntries(Object.entries(table).map(([path, mount]) => [path, mountView(mount)]));
}

function serveMounts(core: VaultCore, call: Call, kind: 'mounts' | 'auth', rest: string | undefined): Reply {
  if (rest === undefined) {
    expectOperation(call, 'read');
    const table = tableView(core, kind);
    return { data: table, top: table };
  }
  const tune = rest.endsWith('/tune');
  const path = tune ? rest.slice(0, -'/tune'.length) : rest;
  switch (call.operation) {
    case 'read': {
      const mount = core.table(kind)[`${path}/`];
      if (!mount) throw invalidRequest(`No ${kind === 'auth' ? 'auth engine' : 'secret engine mount'} at ${path}/`);
      const view = tune
        ? {
            default_lease_ttl: 2764800,
            max_lease_ttl: 2764800,
            description: mount.description,
            force_no_cache: false,
            options: mount.options,
          }
        : mountView(mount);
      return { data: view, top: view };
    }
    case 'write':
      if (tune) throw invalidRequest('tuning a mount is not supported here');
      core.enable(kind, path, {
        ...mountRequest(kind, call.body),
        description: typeof call.body['description'] === 'string' ? call.body['description'].slice(0, 1000) : '',
      });
      return { status: 204 };
    case 'delete':
      core.disable(kind, path);
      return { status: 204 };
    default:
      throw unsupportedOperation();
  }
}

function mountRequest(kind: 'mounts' | 'auth', body: JsonObject): Pick<Mount, 'type' | 'options'> {
  const type = body['type'];
  if (kind === 'auth') {
    if (type === 'kubernetes') return { type, options: null };
    throw invalidRequest(`auth method ${JSON.stringify(type ?? '').slice(0, 60)} is not supported here; supported: kubernetes`);
  }
  const wanted = isObject(body['options']) ? body['options']['version'] : undefined;
  const kvVersion = type === 'kv-v2' ? '2' : wanted === undefined ? '1' : String(wanted);
  if (type !== 'kv' && type !== 'kv-v2' && type !== 'generic')
    throw invalidRequest(`secrets engine ${JSON.stringify(type ?? '').slice(0, 60)} is not supported here; supported: kv version 2`);
  if (kvVersion !== '2') throw invalidRequest('kv version 1 is not supported here; give options.version "2" or type kv-v2');
  return { type: 'kv', options: { version: '2' } };
}

function servePolicies(core: VaultCore, call: Call, legacy: boolean, name: string | undefined): Reply {
  if (name === undefined) {
    expectOperation(call, ...(legacy ? (['read', 'list'] as const) : (['list'] as const)));
    const keys = core.policyNames();
    return legacy ? { data: { keys, policies: keys }, top: { keys, policies: keys } } : { data: { keys } };
  }
  switch (call.operation) {
    case 'read': {
      const text = name === 'root' ? '' : core.policyText(name);
      if (text === undefined) throw notFound();
      const shown = name.toLowerCase();
      return legacy ? { data: { name: shown, rules: text }, top: { name: shown, rules: text } } : { data: { name: shown, policy: text } };
    }
    case 'write': {
      const given = call.body['policy'] ?? call.body['rules'];
      if (typeof given !== 'string' || given === '') throw invalidRequest("'policy' parameter not supplied or empty");
      const rules = core.putPolicy(name, decodePolicy(given));
      const kvMounts = Object.entries(core.table('mounts'))
        .filter(([, mount]) => mount.options?.['version'] === '2')
        .map(([path]) => path);
      const warnings = diagnosePolicy(rules, kvMounts);
      return warnings.length > 0 ? { data: null, warnings } : { status: 204 };
    }
    case 'delete':
      core.deletePolicy(name);
      return { status: 204 };
    default:
      throw unsupportedOperation();
  }
}

/** Vault takes a policy's text in Base64, too. */
function decodePolicy(text: string): string {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return text;
  return Buffer.from(text, 'base64').toString('utf8');
}

function serveCapabilities(core: VaultCore, call: Call, caller: Caller, path: string): Reply {
  expectOperation(call, 'write');
  const paths = list(call.body, 'paths') ?? list(call.body, 'path') ?? [];
  if (paths.length === 0 || paths.length > 100) throw invalidRequest('paths must be supplied');
  let live = caller.live;
  if (path === 'capabilities') {
    const token = call.body['token'];
    const found = typeof token === 'string' ? core.tokens.find(token) : undefined;
    if (!found) throw invalidRequest('invalid token');
    live = found;
  }
  const acl = core.acl(live.record.policies);
  const root = live.record.policies.includes('root');
  const found = Object.fromEntries(paths.map((one) => [one, root ? ['root'] : acl.capabilities(one, one.endsWith('/'))]));
  const data: JsonObject = { ...found, capabilities: found[paths[0]!]! };
  return { data, top: data };
}

function visibleMounts(core: VaultCore, caller: Caller): Reply {
  const acl = core.acl(caller.live.record.policies);
  const view = (kind: 'mounts' | 'auth', prefix: string): JsonObject =>
    Object.fromEntries(
      Object.entries(core.table(kind))
        .filter(([path]) => acl.reaches(`${prefix}${path}`))
        .map(([path, mount]) => [path, mountView(mount)]),
    );
  return { data: { secret: view('mounts', ''), auth: view('auth', 'auth/') } };
}

/**
 * `sys/internal/ui/mounts/PATH`: how the Vault CLI and Vault Agent learn that a path is KV v2. Needs a valid token, and
 * a policy that reaches something there; both a mount out of reach and none at all answer 403 alike.
 */
export function serveMountLookup(core: VaultCore, path: string, caller: Caller): Reply {
  const isAuth = path.startsWith('auth/');
  const inner = isAuth ? path.slice('auth/'.length) : path;
  const found = core.findMount(isAuth ? 'auth' : 'mounts', inner.endsWith('/') ? inner : `${inner}/`);
  const prefix = isAuth ? 'auth/' : '';
  if (!found || !core.acl(caller.live.record.policies).reaches(`${prefix}${found.prefix}`)) {
    throw new VaultError(
      'PERMISSION_DENIED',
      `preflight capability check returned 403, please ensure client's policies grant access to path ${JSON.stringify(path)}`,
    );
  }
  return { data: { ...mountView(found.mount), path: `${prefix}${found.prefix}` } };
}

/** A fingerprint for the log that tells tokens apart and gives none away. */
export const fingerprint = (accessor: string): string => createHash('sha256').update(accessor).digest('hex').slice(0, 12);
