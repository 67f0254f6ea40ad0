import { registerSecret } from '@desp/runtime';
import { z } from 'zod';
import { VaultError } from '../errors.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../exact-json.ts';

export interface VaultClientOptions {
  /** `http://vault.vault.svc:8200`: without `/v1`. */
  readonly url: string;
  /** Absent for a client that only logs in. */
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until a call is given up; default 15,000. */
  readonly timeoutMs?: number;
  /** Default: the global one. A caller with a CA of its own brings a `fetch` that trusts it. */
  readonly fetch?: typeof fetch;
}

export interface SecretVersion {
  /** Values as written; numbers beyond a double's precision stay raw JSON. */
  readonly data: JsonObject;
  readonly version: number;
  readonly createdTime: string;
}

export interface KubernetesRole {
  readonly serviceAccounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly policies: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  readonly audience?: string;
}

export interface IssuedToken {
  readonly token: string;
  readonly policies: readonly string[];
  /** Seconds; 0 never ends. */
  readonly leaseDuration: number;
}

/** A client of Vault, OpenBao or this package's server: what the platform's own controllers and commands need. */
export interface VaultClient {
  readonly url: string;
  health(): Promise<{ initialized: boolean; sealed: boolean; version: string }>;
  kv(mount: string): {
    /** Undefined when there is nothing, or the version was deleted. */
    read(path: string, version?: number): Promise<SecretVersion | undefined>;
    /** @param options.cas the version that must be current; 0 for none yet. */
    write(path: string, data: JsonObject, options?: { cas?: number }): Promise<{ version: number }>;
    /** Merges; creates when there is nothing yet. */
    patch(path: string, data: JsonObject): Promise<{ version: number }>;
    /** Names below a folder, folders with a slash; empty when there are none. */
    list(folder?: string): Promise<string[]>;
    /** Removes all versions. */
    destroy(path: string): Promise<void>;
  };
  /** Idempotent: makes a KV v2 mount. */
  ensureKv(mount: string): Promise<void>;
  putPolicy(name: string, text: string): Promise<{ warnings: readonly string[] }>;
  deletePolicy(name: string): Promise<void>;
  kubernetes(mount?: string): {
    /** Idempotent: makes the auth mount and sets where tokens are reviewed. */
    configure(config: { host: string; caCertificate: string; reviewerToken?: string }): Promise<void>;
    putRole(name: string, role: KubernetesRole): Promise<void>;
    deleteRole(name: string): Promise<void>;
    login(role: string, jwt: string): Promise<IssuedToken>;
  };
  createToken(request: { policies: readonly string[]; ttl: number; displayName?: string; orphan?: boolean }): Promise<IssuedToken>;
  /** Ends this client's own token. */
  revokeSelf(): Promise<void>;
}

const Auth = z.object({ auth: z.object({ client_token: z.string(), policies: z.array(z.string()), lease_duration: z.number() }) });
const Written = z.object({ data: z.object({ version: z.number() }) });
const Reading = z.object({ data: z.object({ metadata: z.object({ version: z.number(), created_time: z.string() }) }) });
const Health = z.object({ initialized: z.boolean(), sealed: z.boolean(), version: z.string() });
/** Each segment encoded; a query that a method below put behind the path stays one. */
function encodePath(path: string): string {
  const [, bare = path, query = ''] = /^(.*?)(\?(?:version=\d+|list=true))?$/s.exec(path) ?? [];
  return `${bare.split('/').map(encodeURIComponent).join('/')}${query}`;
}

const maxAnswerBytes = 32 * 1024 * 1024;

export function createVaultClient(options: VaultClientOptions): VaultClient {
  const { url, token, timeoutMs = 15_000 } = options;
  const send = options.fetch ?? fetch;
  if (token) registerSecret(token);

  /** One call; 404 is an answer, every other failure an error with Vault's own words. */
  const call = async (
    method: string,
    path: string,
    body?: JsonObject,
    contentType = 'application/json',
  ): Promise<{ status: number; body: Json }> => {
    const where = `${method} ${new URL(url).origin}/v1/${path}`;
    let response: Response;
    let text: string;
    try {
      const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])];
      response = await send(`${url.replace(/\/+$/, '')}/v1/${encodePath(path)}`, {
        method,
        redirect: 'error',
        headers: {
          'x-vault-request': 'true',
          ...(token ? { 'x-vault-token': token } : {}),
          ...(body ? { 'content-type': contentType } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.any(signals),
      });
      if (Number(response.headers.get('content-length') ?? 0) > maxAnswerBytes) throw new Error('the answer is too long');
      text = await response.text();
    } catch (cause) {
      throw new VaultError('UPSTREAM_UNREACHABLE', `${where} failed.`, {
        kind: 'upstream',
        retryable: true,
        cure: 'Look whether the secret store runs and its address is right.',
        cause,
      });
    }
    let json: Json = null;
    try {
      if (text !== '') json = parseJson(text);
    } catch {
      throw new VaultError('UPSTREAM_PROTOCOL', `${where} was answered with something that is no JSON.`, { kind: 'upstream' });
    }
    if (response.ok || response.status === 404) return { status: response.status, body: json };
    const errors = isObject(json) && Array.isArray(json['errors']) ? json['errors'].filter((one) => typeof one === 'string') : [];
    const code = response.status === 403 ? 'PERMISSION_DENIED' : response.status < 500 ? 'INVALID_REQUEST' : 'UPSTREAM_REFUSED';
    throw new VaultError(code, `${where}: ${response.status}: ${errors.join('; ').slice(0, 1000)}`, {
      kind: response.status < 500 ? 'user' : 'upstream',
      retryable: response.status >= 500,
      status: response.status,
      answered: errors,
    });
  };

  const parse = <T>(schema: z.ZodType<T>, json: Json, what: string): T => {
    const parsed = schema.safeParse(json);
    if (!parsed.success)
      throw new VaultError('UPSTREAM_PROTOCOL', `The secret store's answer to ${what} cannot be read.`, { kind: 'upstream' });
    return parsed.data;
  };
  const must = async (method: string, path: string, body?: JsonObject): Promise<Json> => {
    const answer = await call(method, path, body);
    if (answer.status === 404) throw new VaultError('NOT_FOUND', `${method} ${path}: there is nothing.`, { status: 404 });
    return answer.body;
  };
  const issued = (json: Json): IssuedToken => {
    const { auth } = parse(Auth, json, 'a log-in');
    registerSecret(auth.client_token);
    return { token: auth.client_token, policies: auth.policies, leaseDuration: auth.lease_duration };
  };
  const mounted = async (kind: 'mounts' | 'auth', path: string): Promise<JsonObject | undefined> => {
    const table = await must('GET', `sys/${kind}`);
    const found = isObject(table) && isObject(table['data']) ? table['data'][`${path}/`] : undefined;
    return isObject(found) ? found : undefined;
  };

  return {
    url,
    health: async () => parse(Health, await must('GET', 'sys/health'), 'sys/health'),
    kv: (mount) => ({
      read: async (path, version) => {
        const answer = await call('GET', `${mount}/data/${path}${version === undefined ? '' : `?version=${version}`}`);
        if (answer.status === 404) return undefined;
        const { metadata } = parse(Reading, answer.body, 'a read').data;
        const outer = (answer.body as JsonObject)['data'] as JsonObject;
        return { data: isObject(outer['data']) ? outer['data'] : {}, version: metadata.version, createdTime: metadata.created_time };
      },
      write: async (path, data, { cas } = {}) =>
        parse(Written, await must('POST', `${mount}/data/${path}`, { data, ...(cas === undefined ? {} : { options: { cas } }) }), 'a write')
          .data,
      patch: async (path, data) => {
        const answer = await call('PATCH', `${mount}/data/${path}`, { data }, 'application/merge-patch+json');
        if (answer.status !== 404) return parse(Written, answer.body, 'a patch').data;
        return parse(Written, await must('POST', `${mount}/data/${path}`, { data }), 'a write').data;
      },
      list: async (folder = '') => {
        const answer = await call('GET', `${mount}/metadata/${folder}?list=true`);
        if (answer.status === 404) return [];
        return parse(z.object({ data: z.object({ keys: z.array(z.string()) }) }), answer.body, 'a list').data.keys;
      },
      destroy: async (path) => {
        await call('DELETE', `${mount}/metadata/${path}`);
      },
    }),
    ensureKv: async (mount) => {
      const found = await mounted('mounts', mount);
      if (!found) await must('POST', `sys/mounts/${mount}`, { type: 'kv', options: { version: '2' } });
      else if (!isObject(found['options']) || found['options']['version'] !== '2') {
        throw new VaultError('INVALID_REQUEST', `The mount ${mount} is there, but is no KV version 2.`, { cure: 'Choose another mount.' });
      }
    },
    putPolicy: async (name, text) => {
      const answer = await must('PUT', `sys/policies/acl/${name}`, { policy: text });
      const warnings =
        isObject(answer) && Array.isArray(answer['warnings']) ? answer['warnings'].filter((one) => typeof one === 'string') : [];
      return { warnings };
    },
    deletePolicy: async (name) => {
      await call('DELETE', `sys/policies/acl/${name}`);
    },
    kubernetes: (mount = 'kubernetes') => ({
      configure: async ({ host, caCertificate, reviewerToken }) => {
        if (!(await mounted('auth', mount))) await must('POST', `sys/auth/${mount}`, { type: 'kubernetes' });
        await must('POST', `auth/${mount}/config`, {
          kubernetes_host: host,
          kubernetes_ca_cert: caCertificate,
          ...(reviewerToken === undefined ? {} : { token_reviewer_jwt: reviewerToken }),
        });
      },
      putRole: async (name, role) => {
        await must('POST', `auth/${mount}/role/${name}`, {
          bound_service_account_names: [...role.serviceAccounts],
          bound_service_account_namespaces: [...role.namespaces],
          token_policies: [...role.policies],
          token_ttl: role.ttl,
          ...(role.audience === undefined ? {} : { audience: role.audience }),
        });
      },
      deleteRole: async (name) => {
        await call('DELETE', `auth/${mount}/role/${name}`);
      },
      login: async (role, jwt) => issued(await must('POST', `auth/${mount}/login`, { role, jwt })),
    }),
    createToken: async ({ policies, ttl, displayName, orphan }) =>
      issued(
        await must('POST', `auth/token/${orphan ? 'create-orphan' : 'create'}`, {
          policies: [...policies],
          ttl: `${ttl}s`,
          ...(displayName === undefined ? {} : { display_name: displayName }),
        }),
      ),
    revokeSelf: async () => {
      await must('POST', 'auth/token/revoke-self');
    },
  };
}
