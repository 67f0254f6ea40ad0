import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { invalidRequest, permissionDenied } from './errors.ts';
import type { Json } from './exact-json.ts';
import type { SealedStore } from './sealed-store.ts';

/** Seconds: Vault's default and maximum lease of a token (768 h). */
export const defaultTtl = 768 * 3600;

const TokenRecord = z.object({
  accessor: z.string(),
  policies: z.array(z.string()),
  display_name: z.string(),
  path: z.string(),
  meta: z.record(z.string(), z.string()).nullable(),
  parent: z.string().nullable(),
  orphan: z.boolean(),
  renewable: z.boolean(),
  creation_time: z.number(),
  creation_ttl: z.number(),
  explicit_max_ttl: z.number(),
  max_ttl: z.number(),
  period: z.number(),
  num_uses: z.number(),
  /** Milliseconds of the epoch; null never ends. */
  expires: z.number().nullable(),
  last_renewal: z.number().nullable(),
});
export type TokenRecord = z.infer<typeof TokenRecord>;

export interface NewToken {
  readonly policies: readonly string[];
  readonly displayName: string;
  readonly path: string;
  readonly meta?: Readonly<Record<string, string>> | null;
  /** Hash of the parent; absent for an orphan. */
  readonly parent?: string | undefined;
  /** Seconds; 0 never ends (root only). */
  readonly ttl: number;
  readonly maxTtl?: number;
  readonly explicitMaxTtl?: number;
  readonly period?: number;
  readonly renewable?: boolean;
  readonly numUses?: number;
  /** A value of the caller's choice instead of a random one. */
  readonly id?: string | undefined;
}

export interface LiveToken {
  readonly hash: string;
  readonly record: TokenRecord;
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

/** Tokens by their hash: whoever reads the store cannot use them. A look-up by hash leaks no timing of the token's text. */
export class Tokens {
  readonly #store: SealedStore;
  readonly #now: () => Date;

  constructor(store: SealedStore, now: () => Date) {
    this.#store = store;
    this.#now = now;
  }

  create(request: NewToken): { token: string; record: TokenRecord } {
    const token = request.id ?? `hvs.${randomBytes(30).toString('base64url')}`;
    const hash = hashOf(token);
    if (request.id !== undefined && this.#store.get(`token/id/${hash}`) !== undefined)
      throw invalidRequest('cannot create a token with a duplicate ID');
    const now = this.#now().getTime();
    const explicit = request.explicitMaxTtl ?? 0;
    const wanted = request.ttl || explicit;
    const most = [request.maxTtl ?? 0, explicit, request.ttl === 0 ? 0 : defaultTtl].filter((seconds) => seconds > 0);
    const ttl = request.period || Math.min(wanted, ...most);
    const record: TokenRecord = {
      accessor: randomBytes(18).toString('base64url'),
      policies: [...request.policies],
      display_name: request.displayName,
      path: request.path,
      meta: request.meta ? { ...request.meta } : null,
      parent: request.parent ?? null,
      orphan: request.parent === undefined,
      renewable: (request.renewable ?? true) && ttl > 0,
      creation_time: Math.floor(now / 1000),
      creation_ttl: ttl,
      explicit_max_ttl: explicit,
      max_ttl: request.maxTtl ?? 0,
      period: request.period ?? 0,
      num_uses: request.numUses ?? 0,
      expires: ttl > 0 ? now + ttl * 1000 : null,
      last_renewal: null,
    };
    this.#store.transaction(() => {
      this.#save(hash, record);
      this.#store.put(`token/accessor/${record.accessor}`, hash);
      if (request.parent !== undefined) this.#store.put(`token/child/${request.parent}/${hash}`, true);
    });
    return { token, record };
  }

  #save(hash: string, record: TokenRecord): void {
    this.#store.put(`token/id/${hash}`, record as unknown as Json);
  }

  /** The token, when it is known and not over; one that is over is removed with its children. */
  find(token: string): LiveToken | undefined {
    return this.#live(hashOf(token));
  }

  findByAccessor(accessor: string): LiveToken | undefined {
    const hash = this.#store.get(`token/accessor/${accessor}`);
    return typeof hash === 'string' ? this.#live(hash) : undefined;
  }

  #live(hash: string): LiveToken | undefined {
    const found = this.#store.get(`token/id/${hash}`);
    if (found === undefined) return undefined;
    const record = TokenRecord.parse(found);
    if (record.expires === null || record.expires > this.#now().getTime()) return { hash, record };
    this.revoke({ hash, record });
    return undefined;
  }

  /** Counts one use of a token that has a number of them. @throws VaultError PERMISSION_DENIED after the last */
  use({ hash, record }: LiveToken): void {
    if (record.num_uses === 0) return;
    if (record.num_uses < 0) throw permissionDenied();
    record.num_uses = record.num_uses === 1 ? -1 : record.num_uses - 1;
    this.#save(hash, record);
  }

  /** True once the last use was counted: the request under way is the last. */
  spent({ record }: LiveToken): boolean {
    return record.num_uses < 0;
  }

  /** Extends by `increment` seconds, or anew by what it was created with; never past its maximum. */
  renew(live: LiveToken, increment: number | undefined): TokenRecord {
    const { hash, record } = live;
    if (!record.renewable) throw invalidRequest('lease is not renewable');
    const now = this.#now().getTime();
    const wanted = record.period > 0 ? record.period : increment || record.creation_ttl;
    const most = [record.period > 0 ? 0 : record.max_ttl || defaultTtl, record.explicit_max_ttl].filter((seconds) => seconds > 0);
    const end = Math.min(now + wanted * 1000, ...most.map((seconds) => (record.creation_time + seconds) * 1000));
    const renewed = { ...record, expires: Math.max(end, now), last_renewal: Math.floor(now / 1000) };
    this.#save(hash, renewed);
    return renewed;
  }

  /** Removes the token and everything that was made with it. */
  revoke(live: LiveToken): void {
    this.#store.transaction(() => this.#remove(live.hash));
  }

  #remove(first: string): void {
    const waiting = [first];
    for (let hash = waiting.pop(); hash !== undefined; hash = waiting.pop()) {
      const found = this.#store.get(`token/id/${hash}`);
      for (const child of this.#store.list(`token/child/${hash}/`)) {
        this.#store.delete(`token/child/${hash}/${child}`);
        waiting.push(child);
      }
      if (found === undefined) continue;
      const record = TokenRecord.parse(found);
      this.#store.delete(`token/id/${hash}`);
      this.#store.delete(`token/accessor/${record.accessor}`);
      if (record.parent !== null) this.#store.delete(`token/child/${record.parent}/${hash}`);
    }
  }

  /** Removes the token alone; its children become orphans. */
  revokeOrphan(live: LiveToken): void {
    this.#store.transaction(() => {
      for (const child of this.#store.list(`token/child/${live.hash}/`)) {
        this.#store.delete(`token/child/${live.hash}/${child}`);
        const found = this.#store.get(`token/id/${child}`);
        if (found !== undefined) this.#save(child, { ...TokenRecord.parse(found), parent: null, orphan: true });
      }
      this.#remove(live.hash);
    });
  }

  /** Makes `token` the one bootstrap root token; a former one ends, what was made with it stays as orphans. */
  setRoot(token: string): void {
    const present = this.find(token);
    const former = this.#store.get('core/root');
    if (present && former === present.hash) return;
    const known = typeof former === 'string' ? this.#live(former) : undefined;
    if (known) this.revokeOrphan(known);
    this.create({ id: token, policies: ['root'], displayName: 'root', path: 'auth/token/root', ttl: 0 });
    this.#store.put('core/root', hashOf(token));
  }

  /** Removes tokens that are over; the server calls it now and then. */
  collect(): number {
    let removed = 0;
    for (const hash of this.#store.list('token/id/')) {
      if (this.#store.get(`token/id/${hash}`) !== undefined && !this.#live(hash)) removed += 1;
    }
    return removed;
  }
}
