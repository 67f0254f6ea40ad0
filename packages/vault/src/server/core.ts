import { randomUUID } from 'node:crypto';
import type { Logger } from '@desp/runtime';
import { z } from 'zod';
import { invalidRequest, unsupportedOperation } from '../errors.ts';
import type { Json, JsonObject } from '../exact-json.ts';
import { KubernetesAuth } from '../kubernetes-auth.ts';
import { KvMount } from '../kv.ts';
import { Acl } from '../policy/acl.ts';
import { parsePolicy } from '../policy/policy.ts';
import type { SealedStore } from '../sealed-store.ts';
import { Tokens } from '../tokens.ts';
import type { TokenReviewer } from '../types.ts';

export type Operation = 'read' | 'list' | 'write' | 'patch' | 'delete';

/** One request after the wire: what a handler sees. */
export interface Call {
  readonly operation: Operation;
  /** Without `/v1/`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
  readonly contentType: string;
}

/** What a handler answers. */
export interface Reply {
  readonly status?: number;
  readonly data?: JsonObject | null;
  readonly auth?: JsonObject;
  readonly warnings?: readonly string[];
  /** Keys beside `data` that old calls repeat at the top. */
  readonly top?: JsonObject;
}

const Mount = z.object({
  uuid: z.string(),
  accessor: z.string(),
  type: z.string(),
  description: z.string(),
  options: z.record(z.string(), z.string()).nullable(),
});
export type Mount = z.infer<typeof Mount>;
const MountTable = z.record(z.string(), Mount);

const policyName = /^[a-z0-9][a-z0-9._@-]{0,127}$/;

/** What every token may do with itself; Vault's own policy of this name says the same. */
export const defaultPolicy = `# Lets a token look after itself.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }
`;

/** The server's state and the questions that several endpoints ask of it. */
export class VaultCore {
  readonly store: SealedStore;
  readonly tokens: Tokens;
  readonly now: () => Date;
  readonly log: Logger;
  readonly #review: TokenReviewer;

  constructor(store: SealedStore, now: () => Date, log: Logger, review: TokenReviewer) {
    this.store = store;
    this.tokens = new Tokens(store, now);
    this.now = now;
    this.log = log;
    this.#review = review;
    if (store.get('policy/default') === undefined) store.put('policy/default', defaultPolicy);
  }

  // Mounts: `mounts` for secrets, `auth` for auth methods; keys end in a slash.

  table(kind: 'mounts' | 'auth'): Record<string, Mount> {
    return MountTable.parse(this.store.get(`core/${kind}`) ?? {});
  }

  /** The mount that a path belongs to, and the rest of the path. */
  findMount(kind: 'mounts' | 'auth', path: string): { prefix: string; mount: Mount; rest: string } | undefined {
    const table = this.table(kind);
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const prefix = path.slice(0, end + 1);
      const mount = Object.hasOwn(table, prefix) ? table[prefix] : undefined;
      if (mount) return { prefix, mount, rest: path.slice(end + 1) };
    }
    return undefined;
  }

  enable(kind: 'mounts' | 'auth', path: string, wanted: Omit<Mount, 'uuid' | 'accessor'>): void {
    const prefix = `${path.replace(/\/+$/, '')}/`;
    if (!/^(?:[\w.-]+\/)+$/.test(prefix) || prefix.length > 256 || prefix.includes('../'))
      throw invalidRequest(`invalid mount path ${JSON.stringify(path.slice(0, 100))}`);
    if (/^(?:sys|auth|cubbyhole|identity)\//.test(prefix) && kind === 'mounts') throw invalidRequest(`path is already in use at ${prefix}`);
    const table = this.table(kind);
    const clash = Object.keys(table).find((other) => other.startsWith(prefix) || prefix.startsWith(other));
    if (clash || (kind === 'auth' && prefix === 'token/')) throw invalidRequest(`path is already in use at ${clash ?? prefix}`);
    const uuid = randomUUID();
    table[prefix] = { uuid, accessor: `${wanted.type}_${uuid.slice(0, 8)}`, ...wanted };
    this.store.put(`core/${kind}`, table);
  }

  /** Removes the mount and all it holds; a path without mount is no error, as in Vault. */
  disable(kind: 'mounts' | 'auth', path: string): void {
    const prefix = `${path.replace(/\/+$/, '')}/`;
    const table = this.table(kind);
    const mount = table[prefix];
    if (!mount) return;
    delete table[prefix];
    this.store.transaction(() => {
      this.store.put(`core/${kind}`, table);
      if (kind === 'mounts') this.kv(mount).erase();
      else this.kubernetes(mount).erase();
    });
  }

  kv(mount: Mount): KvMount {
    return new KvMount(this.store, mount.uuid, this.now);
  }

  kubernetes(mount: Mount): KubernetesAuth {
    return new KubernetesAuth(this.store, mount.uuid, this.#review);
  }

  // Policies: the text, verbatim

  policyText(name: string): string | undefined {
    const found = this.store.get(`policy/${name.toLowerCase()}`);
    return typeof found === 'string' ? found : undefined;
  }

  policyNames(): string[] {
    return [...this.store.list('policy/'), 'root'].sort();
  }

  putPolicy(name: string, text: string): ReturnType<typeof parsePolicy> {
    const key = name.toLowerCase();
    if (key === 'root') throw invalidRequest('cannot update "root" policy');
    if (!policyName.test(key)) throw invalidRequest(`invalid policy name ${JSON.stringify(name.slice(0, 100))}`);
    const rules = parsePolicy(text);
    this.store.put(`policy/${key}`, text);
    return rules;
  }

  deletePolicy(name: string): void {
    const key = name.toLowerCase();
    if (key === 'root' || key === 'default') throw invalidRequest(`cannot delete "${key}" policy`);
    this.store.delete(`policy/${key}`);
  }

  /** What a token with these policies may do; a policy that is gone, or cannot be read, grants nothing. */
  acl(policies: readonly string[]): Acl {
    const rules = policies.flatMap((name) => {
      const text = this.policyText(name);
      return text === undefined ? [] : [parsePolicy(text)];
    });
    return new Acl(rules, policies.includes('root'));
  }
}

export const expectOperation = (call: Call, ...allowed: readonly Operation[]): void => {
  if (!allowed.includes(call.operation)) throw unsupportedOperation();
};

export const asJson = (value: unknown): Json => value as Json;
