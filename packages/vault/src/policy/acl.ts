import type { Capability, PolicyRule } from './policy.ts';

interface WildRule {
  readonly path: string;
  readonly prefix: boolean;
  readonly segments: readonly string[];
  readonly firstWildcard: number;
  readonly plusses: number;
  readonly capabilities: Set<Capability>;
}

/**
 * What a set of policies allows on a path. One rule decides: the exact one, else the most specific wild one; rules of
 * several policies for the same path add up, and deny among them wins (Vault, "Policies: priority matching").
 */
export class Acl {
  readonly #root: boolean;
  readonly #exact = new Map<string, Set<Capability>>();
  readonly #wild: WildRule[];

  constructor(policies: readonly (readonly PolicyRule[])[], root = false) {
    this.#root = root;
    const wild = new Map<string, WildRule>();
    for (const { path, capabilities } of policies.flat()) {
      const prefix = path.endsWith('*');
      const hasPlus = path.split('/').includes('+');
      if (!prefix && !hasPlus) {
        add(this.#exact.get(path) ?? setIn(this.#exact, path, new Set()), capabilities);
        continue;
      }
      const bare = prefix ? path.slice(0, -1) : path;
      const rule = wild.get(path) ?? {
        path,
        prefix,
        segments: bare.split('/'),
        firstWildcard: firstWildcard(path),
        plusses: path.split('/').filter((segment) => segment === '+').length,
        capabilities: new Set<Capability>(),
      };
      add(rule.capabilities, capabilities);
      wild.set(path, rule);
    }
    this.#wild = [...wild.values()].sort(moreSpecificFirst);
  }

  /** Names as `sys/capabilities-self` gives them; `deny` alone when nothing is allowed. */
  capabilities(path: string, listing = false): Capability[] {
    if (this.#root) return ['sudo', 'create', 'read', 'update', 'patch', 'delete', 'list'];
    const found = this.#rule(path, listing);
    return !found || found.size === 0 || found.has('deny') ? ['deny'] : [...found].sort();
  }

  allows(path: string, capability: Capability): boolean {
    if (this.#root) return true;
    const found = this.#rule(path, capability === 'list');
    return found !== undefined && !found.has('deny') && found.has(capability);
  }

  /** True when some rule grants anything on or below `prefix`. */
  reaches(prefix: string): boolean {
    if (this.#root) return true;
    const grants = (capabilities: ReadonlySet<Capability>) => capabilities.size > 0 && !capabilities.has('deny');
    for (const [path, capabilities] of this.#exact)
      if ((path.startsWith(prefix) || `${path}/` === prefix) && grants(capabilities)) return true;
    return this.#wild.some((rule) => grants(rule.capabilities) && mayMeet(rule, prefix));
  }

  #rule(path: string, listing: boolean): ReadonlySet<Capability> | undefined {
    const trimmed = path.replace(/\/$/, '');
    const exact = this.#exact.get(path) ?? (listing ? this.#exact.get(trimmed) : undefined);
    if (exact) return exact;
    return this.#wild.find((rule) => matches(rule, path) || (listing && matches(rule, trimmed)))?.capabilities;
  }
}

function setIn<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value);
  return value;
}

function add(target: Set<Capability>, more: ReadonlySet<Capability>): void {
  for (const capability of more) target.add(capability);
}

function firstWildcard(path: string): number {
  const plus = /(?:^|\/)\+(?=\/|\*?$)/.exec(path);
  const star = path.endsWith('*') ? path.length - 1 : Number.POSITIVE_INFINITY;
  const at = plus ? plus.index + plus[0].length - 1 : Number.POSITIVE_INFINITY;
  return Math.min(at, star);
}

/** Later first wildcard, then no trailing star, fewer plusses, longer, lexically greater. */
function moreSpecificFirst(a: WildRule, b: WildRule): number {
  return (
    b.firstWildcard - a.firstWildcard ||
    Number(a.prefix) - Number(b.prefix) ||
    a.plusses - b.plusses ||
    b.path.length - a.path.length ||
    (a.path < b.path ? 1 : -1)
  );
}

function matches(rule: WildRule, path: string): boolean {
  const parts = path.split('/');
  const { segments, prefix } = rule;
  if (prefix ? parts.length < segments.length : parts.length !== segments.length) return false;
  const last = segments.length - 1;
  return segments.every((segment, index) => {
    if (segment === '+') return true;
    const part = parts[index]!;
    return prefix && index === last ? part.startsWith(segment) : part === segment;
  });
}

/** Could this rule match something that begins with `prefix`? */
function mayMeet(rule: WildRule, prefix: string): boolean {
  const wanted = prefix.replace(/\/$/, '').split('/');
  return wanted.every((part, index) => {
    const segment = rule.segments[index];
    if (segment === undefined) return rule.prefix;
    const last = index === rule.segments.length - 1;
    return segment === '+' || segment === part || (rule.prefix && last && part.startsWith(segment));
  });
}
