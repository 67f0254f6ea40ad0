import { parseDuration } from '../duration.ts';
import { invalidRequest, permissionDenied, unsupportedOperation, VaultError } from '../errors.ts';
import { isObject, type JsonObject } from '../exact-json.ts';
import { list } from '../kubernetes-auth.ts';
import { defaultTtl, type LiveToken, type TokenRecord } from '../tokens.ts';
import { type Call, expectOperation, type Mount, type Reply, type VaultCore } from './core.ts';

/** The caller of a request that needs a token. */
export interface Caller {
  readonly token: string;
  readonly live: LiveToken;
}

const isRoot = (caller: Caller) => caller.live.record.policies.includes('root');

/** The `auth` part of an answer that hands out or renews a token. */
export function authReply(core: VaultCore, token: string, record: TokenRecord): JsonObject {
  return {
    client_token: token,
    accessor: record.accessor,
    policies: record.policies,
    token_policies: record.policies,
    metadata: record.meta,
    lease_duration: ttlOf(core, record),
    renewable: record.renewable,
    entity_id: '',
    token_type: 'service',
    orphan: record.orphan,
    mfa_requirement: null,
    num_uses: Math.max(0, record.num_uses),
  };
}

const ttlOf = (core: VaultCore, record: TokenRecord): number =>
  record.expires === null ? 0 : Math.max(0, Math.ceil((record.expires - core.now().getTime()) / 1000));

/** @param id the token itself, which only whoever already has it is shown. */
function lookup(core: VaultCore, id: string, record: TokenRecord): JsonObject {
  return {
    accessor: record.accessor,
    creation_time: record.creation_time,
    creation_ttl: record.creation_ttl,
    display_name: record.display_name,
    entity_id: '',
    expire_time: record.expires === null ? null : new Date(record.expires).toISOString(),
    explicit_max_ttl: record.explicit_max_ttl,
    id,
    issue_time: new Date(record.creation_time * 1000).toISOString(),
    meta: record.meta,
    num_uses: Math.max(0, record.num_uses),
    orphan: record.orphan,
    path: record.path,
    policies: record.policies,
    renewable: record.renewable,
    ttl: ttlOf(core, record),
    type: 'service',
    ...(record.last_renewal === null ? {} : { last_renewal_time: record.last_renewal }),
    ...(record.period === 0 ? {} : { period: record.period }),
  };
}

/** `auth/token/…` (Vault API, "Token auth method"). */
export function serveTokens(core: VaultCore, call: Call, rest: string, caller: Caller): Reply {
  const given = (): LiveToken & { token: string } => {
    const token = call.body['token'];
    const live = typeof token === 'string' && token ? core.tokens.find(token) : undefined;
    if (!live || typeof token !== 'string') throw new VaultError('PERMISSION_DENIED', 'bad token');
    return { ...live, token };
  };
  const byAccessor = (): LiveToken => {
    const accessor = call.body['accessor'];
    const live = typeof accessor === 'string' && /^[\w-]{1,100}$/.test(accessor) ? core.tokens.findByAccessor(accessor) : undefined;
    if (!live) throw new VaultError('PERMISSION_DENIED', 'invalid accessor');
    return live;
  };
  switch (rest) {
    case 'create':
    case 'create-orphan':
      expectOperation(call, 'write');
      return createToken(core, call, caller, rest === 'create-orphan');
    case 'lookup-self':
      expectOperation(call, 'read', 'write');
      return { data: lookup(core, caller.token, caller.live.record) };
    case 'lookup': {
      expectOperation(call, 'write');
      const found = given();
      return { data: lookup(core, found.token, found.record) };
    }
    case 'lookup-accessor':
      expectOperation(call, 'write');
      return { data: lookup(core, '', byAccessor().record) };
    case 'renew-self':
      expectOperation(call, 'write');
      return renew(core, call, caller.token, caller.live);
    case 'renew': {
      expectOperation(call, 'write');
      const found = given();
      return renew(core, call, found.token, found);
    }
    case 'revoke-self':
      expectOperation(call, 'write');
      core.tokens.revoke(caller.live);
      return { status: 204 };
    case 'revoke':
      expectOperation(call, 'write');
      core.tokens.revoke(given());
      return { status: 204 };
    case 'revoke-accessor':
      expectOperation(call, 'write');
      core.tokens.revoke(byAccessor());
      return { status: 204 };
    case 'revoke-orphan':
      expectOperation(call, 'write');
      core.tokens.revokeOrphan(given());
      return { status: 204 };
    default:
      throw new VaultError('NOT_FOUND', `no handler for route "auth/token/${rest.slice(0, 100)}". route entry not found.`);
  }
}

function renew(core: VaultCore, call: Call, token: string, live: LiveToken): Reply {
  const record = core.tokens.renew(live, parseDuration(call.body['increment'], 'increment'));
  return { auth: authReply(core, token, record) };
}

function createToken(core: VaultCore, call: Call, caller: Caller, orphanPath: boolean): Reply {
  // Clients send null for what they leave out.
  const body = Object.fromEntries(Object.entries(call.body).filter(([, value]) => value !== null));
  const parent = caller.live.record;
  // Whoever has sudo on this path may do what root may (Vault, "auth/token/create").
  const sudo = isRoot(caller) || core.acl(parent.policies).allows(call.path, 'sudo');
  const orphan = orphanPath || body['no_parent'] === true;
  if (body['no_parent'] === true && !sudo) throw invalidRequest('root or sudo privileges required to create orphan token');
  if (body['id'] !== undefined && !sudo) throw invalidRequest('root or sudo privileges required to specify token id');
  const id = body['id'];
  if (id !== undefined && (typeof id !== 'string' || !/^[\x21-\x2d\x2f-\x7e]{1,200}$/.test(id)))
    throw invalidRequest('token id must be printable text without a dot');
  for (const field of ['role', 'entity_alias', 'role_name']) if (body[field]) throw invalidRequest(`${field} is not supported here`);
  if (body['type'] !== undefined && body['type'] !== '' && body['type'] !== 'service')
    throw invalidRequest(`tokens of type ${JSON.stringify(body['type']).slice(0, 40)} are not supported here`);
  const wanted = (list(body, 'policies') ?? []).map((name) => name.toLowerCase());
  const policies = new Set(wanted.length > 0 ? wanted : parent.policies);
  if (!sudo && !wanted.every((name) => name === 'default' || parent.policies.includes(name)))
    throw invalidRequest('child policies must be subset of parent');
  if (policies.has('root') && !isRoot(caller)) throw invalidRequest('root tokens may not be created without parent token being root');
  if (!policies.has('root') && body['no_default_policy'] !== true) policies.add('default');
  const ttl = parseDuration(body['ttl'] ?? body['lease'], 'ttl') ?? 0;
  const period = parseDuration(body['period'], 'period') ?? 0;
  if (period > 0 && !sudo) throw invalidRequest('root or sudo privileges required to create periodic token');
  const meta = body['meta'] ?? body['metadata'];
  if (meta !== undefined && meta !== null && !(isObject(meta) && Object.values(meta).every((value) => typeof value === 'string')))
    throw invalidRequest('meta must be a map of strings');
  const display = typeof body['display_name'] === 'string' ? body['display_name'].replace(/[^a-zA-Z0-9-]/g, '-').slice(0, 100) : '';
  const uses = Number(body['num_uses'] ?? 0);
  if (!Number.isSafeInteger(uses) || uses < 0) throw invalidRequest('number of uses cannot be negative');
  const { token, record } = core.tokens.create({
    policies: [...policies].sort(),
    displayName: display ? `token-${display}` : 'token',
    path: `auth/token/${orphanPath ? 'create-orphan' : 'create'}`,
    meta: (meta as Record<string, string> | null | undefined) ?? null,
    parent: orphan ? undefined : caller.live.hash,
    ttl: ttl > 0 ? ttl : policies.has('root') ? 0 : defaultTtl,
    explicitMaxTtl: parseDuration(body['explicit_max_ttl'], 'explicit_max_ttl') ?? 0,
    period,
    renewable: body['renewable'] !== false,
    numUses: uses,
    id,
  });
  return { auth: authReply(core, token, record) };
}

/** `auth/MOUNT/…` of a Kubernetes mount, except the login. */
export function serveKubernetesAuth(core: VaultCore, mount: Mount, call: Call, rest: string): Reply {
  const auth = core.kubernetes(mount);
  if (rest === 'config') {
    expectOperation(call, 'read', 'write');
    if (call.operation === 'read') return { data: auth.readConfig() };
    auth.writeConfig(call.body);
    return { status: 204 };
  }
  if (rest === 'role' || rest === 'role/') {
    expectOperation(call, 'list');
    return { data: auth.listRoles() };
  }
  const [, name] = /^role\/([^/]+)$/.exec(rest) ?? [];
  if (name === undefined)
    throw new VaultError('NOT_FOUND', `no handler for route ${JSON.stringify(call.path.slice(0, 200))}. route entry not found.`);
  switch (call.operation) {
    case 'read':
      return { data: auth.readRole(name) };
    case 'write':
      auth.writeRole(name, call.body);
      return { status: 204 };
    case 'delete':
      auth.deleteRole(name);
      return { status: 204 };
    default:
      throw unsupportedOperation();
  }
}

/** `auth/MOUNT/login`: the one call that needs no token. */
export async function serveLogin(core: VaultCore, path: string, call: Call): Promise<Reply> {
  expectOperation(call, 'write');
  // No AppRole can exist here, so this is what Vault answers about any.
  if (path === 'approle/login') throw invalidRequest('invalid role or secret ID');
  const found = core.findMount('auth', path);
  if (found?.mount.type !== 'kubernetes' || found.rest !== 'login') throw permissionDenied();
  const login = await core.kubernetes(found.mount).login(call.body);
  const { role } = login;
  const policies = [...new Set([...role.token_policies, 'default'])].sort();
  const { token, record } = core.tokens.create({
    policies,
    displayName: `${found.prefix.slice(0, -1)}-${login.namespace}-${login.serviceAccount}`,
    path: `auth/${found.prefix}login`,
    meta: {
      role: login.roleName,
      service_account_name: login.serviceAccount,
      service_account_namespace: login.namespace,
      service_account_secret_name: '',
      service_account_uid: login.uid,
    },
    ttl: role.token_ttl || role.token_max_ttl || defaultTtl,
    maxTtl: role.token_max_ttl,
    period: role.token_period,
    numUses: role.token_num_uses,
  });
  return { auth: authReply(core, token, record) };
}
