import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { invalidRequest, notFound, VaultError } from './errors.ts';
import type { Json, JsonObject } from './exact-json.ts';
import type { SealedStore } from './sealed-store.ts';
import type { KubernetesAuthConfig, TokenReviewer } from './types.ts';

const Config = z.object({
  kubernetes_host: z.string(),
  kubernetes_ca_cert: z.string(),
  token_reviewer_jwt: z.string(),
  disable_local_ca_jwt: z.boolean(),
});

const Role = z.object({
  bound_service_account_names: z.array(z.string()),
  bound_service_account_namespaces: z.array(z.string()),
  audience: z.string(),
  alias_name_source: z.string(),
  token_policies: z.array(z.string()),
  token_ttl: z.number(),
  token_max_ttl: z.number(),
  token_period: z.number(),
  token_num_uses: z.number(),
});
type Role = z.infer<typeof Role>;

export interface KubernetesLogin {
  readonly role: Role;
  readonly roleName: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly uid: string;
}

/** One mount of the Kubernetes auth method (Vault API, "Kubernetes auth method"): who a pod is, the cluster says. */
export class KubernetesAuth {
  readonly #store: SealedStore;
  readonly #prefix: string;
  readonly #review: TokenReviewer;

  constructor(store: SealedStore, uuid: string, review: TokenReviewer) {
    this.#store = store;
    this.#prefix = `auth/${uuid}/`;
    this.#review = review;
  }

  #config(): KubernetesAuthConfig | undefined {
    const found = this.#store.get(`${this.#prefix}config`);
    return found === undefined ? undefined : Config.parse(found);
  }

  /** The reviewer's token is never shown again. */
  readConfig(): JsonObject {
    const config = this.#config();
    if (!config) throw notFound();
    const { token_reviewer_jwt, ...shown } = config;
    return { ...shown, token_reviewer_jwt_set: token_reviewer_jwt !== '', disable_iss_validation: true, issuer: '', pem_keys: [] };
  }

  writeConfig(body: JsonObject): void {
    const present = this.#config();
    const host = text(body, 'kubernetes_host') ?? present?.kubernetes_host ?? '';
    if (!/^https?:\/\//.test(host) || !URL.canParse(host)) throw invalidRequest('no host provided');
    this.#store.put(`${this.#prefix}config`, {
      kubernetes_host: host,
      kubernetes_ca_cert: text(body, 'kubernetes_ca_cert') ?? present?.kubernetes_ca_cert ?? '',
      token_reviewer_jwt: text(body, 'token_reviewer_jwt') ?? present?.token_reviewer_jwt ?? '',
      disable_local_ca_jwt: body['disable_local_ca_jwt'] === true,
    });
  }

  #role(name: string): Role | undefined {
    const found = this.#store.get(`${this.#prefix}role/${name.toLowerCase()}`);
    return found === undefined ? undefined : Role.parse(found);
  }

  roleExists(name: string): boolean {
    return this.#role(name) !== undefined;
  }

  readRole(name: string): JsonObject {
    const role = this.#role(name);
    if (!role) throw notFound();
    const { audience, ...shown } = role;
    return {
      ...shown,
      ...(audience === '' ? {} : { audience }),
      token_bound_cidrs: [],
      token_explicit_max_ttl: 0,
      token_no_default_policy: false,
      token_type: 'default',
    } as unknown as JsonObject;
  }

  writeRole(name: string, body: JsonObject): void {
    if (!/^[\w.-]{1,128}$/.test(name)) throw invalidRequest('missing name');
    const present = this.#role(name);
    const names = list(body, 'bound_service_account_names') ?? present?.bound_service_account_names ?? [];
    const namespaces = list(body, 'bound_service_account_namespaces') ?? present?.bound_service_account_namespaces ?? [];
    if (names.length === 0) throw invalidRequest('"bound_service_account_names" can not be empty');
    if (namespaces.length === 0) throw invalidRequest('"bound_service_account_namespaces" can not be empty');
    if (body['token_bound_cidrs'] !== undefined && list(body, 'token_bound_cidrs')?.length)
      throw invalidRequest('token_bound_cidrs is not supported here');
    if (body['bound_service_account_namespace_selector'])
      throw invalidRequest('bound_service_account_namespace_selector is not supported here');
    const ttl = parseDuration(body['token_ttl'] ?? body['ttl'], 'token_ttl') ?? present?.token_ttl ?? 0;
    const maxTtl = parseDuration(body['token_max_ttl'] ?? body['max_ttl'], 'token_max_ttl') ?? present?.token_max_ttl ?? 0;
    if (maxTtl > 0 && ttl > maxTtl) throw invalidRequest("'token_ttl' cannot be greater than 'token_max_ttl'");
    const role: Role = {
      bound_service_account_names: names,
      bound_service_account_namespaces: namespaces,
      audience: text(body, 'audience') ?? present?.audience ?? '',
      alias_name_source: text(body, 'alias_name_source') ?? present?.alias_name_source ?? 'serviceaccount_uid',
      token_policies: (list(body, 'token_policies') ?? list(body, 'policies') ?? present?.token_policies ?? []).map((one) =>
        one.toLowerCase(),
      ),
      token_ttl: ttl,
      token_max_ttl: maxTtl,
      token_period: parseDuration(body['token_period'] ?? body['period'], 'token_period') ?? present?.token_period ?? 0,
      token_num_uses: Number(body['token_num_uses'] ?? body['num_uses'] ?? present?.token_num_uses ?? 0) || 0,
    };
    if (role.token_policies.includes('root')) throw invalidRequest('auth methods cannot create root tokens');
    this.#store.put(`${this.#prefix}role/${name.toLowerCase()}`, role as unknown as Json);
  }

  deleteRole(name: string): void {
    this.#store.delete(`${this.#prefix}role/${name.toLowerCase()}`);
  }

  listRoles(): JsonObject {
    const keys = this.#store.list(`${this.#prefix}role/`);
    if (keys.length === 0) throw notFound();
    return { keys };
  }

  /**
   * @throws VaultError INVALID_REQUEST `invalid role name "x"`; PERMISSION_DENIED when the token is not genuine or its
   * account is not bound.
   */
  async login(body: JsonObject): Promise<KubernetesLogin> {
    const roleName = text(body, 'role');
    const jwt = text(body, 'jwt');
    if (!roleName) throw invalidRequest('missing role');
    if (!jwt) throw invalidRequest('missing jwt');
    const role = this.#role(roleName);
    if (!role) throw invalidRequest(`invalid role name ${JSON.stringify(roleName.slice(0, 200))}`);
    const config = this.#config();
    if (!config) throw invalidRequest('could not load backend configuration');
    const audience = role.audience === '' ? undefined : role.audience;
    const review = await this.#review({ jwt, config, audience }).catch(() => ({ authenticated: false as const }));
    if (!review.authenticated) throw permissionDeniedWith('permission denied');
    if (!matchesAny(role.bound_service_account_names, review.serviceAccount))
      throw permissionDeniedWith('service account name not authorized');
    if (!matchesAny(role.bound_service_account_namespaces, review.namespace)) throw permissionDeniedWith('namespace not authorized');
    return { role, roleName, namespace: review.namespace, serviceAccount: review.serviceAccount, uid: review.uid };
  }

  erase(): void {
    for (const path of this.#store.list(this.#prefix)) this.#store.delete(`${this.#prefix}${path}`);
  }
}

const permissionDeniedWith = (text: string) => new VaultError('PERMISSION_DENIED', text);

/** `*` alone, or as prefix or suffix, as Vault's StrListContainsGlob. */
function matchesAny(patterns: readonly string[], value: string): boolean {
  return patterns.some((pattern) => {
    const start = pattern.startsWith('*');
    const end = pattern.endsWith('*');
    if (pattern === '*') return true;
    if (start && end) return value.includes(pattern.slice(1, -1));
    if (start) return value.endsWith(pattern.slice(1));
    return end ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
  });
}

function text(body: JsonObject, key: string): string | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidRequest(`${key} must be a string`);
  return value;
}

/** A list, or its items with commas between. */
export function list(body: JsonObject, key: string): string[] | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  const items = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(items) || items.length > 1000 || !items.every((item): item is string => typeof item === 'string')) {
    throw invalidRequest(`${key} must be a list of strings`);
  }
  return items.map((item) => item.trim()).filter(Boolean);
}
