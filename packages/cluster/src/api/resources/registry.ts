import { apiVersionOf, type Resource } from './resource.ts';

/** Everything that is served at the moment; custom resources come and go with their definitions. */
export class Registry {
  #builtin: readonly Resource[];
  #custom = new Map<string, readonly Resource[]>();
  #served = new Map<string, Resource>();
  #generation = 0;

  constructor(builtin: readonly Resource[]) {
    this.#builtin = builtin;
    this.#index();
  }

  /** Goes up with every change; what is derived from the registry is cached under it. */
  get generation(): number {
    return this.#generation;
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#served.get(`${group}/${version}/${plural}`);
  }

  /** By kind, for owner references and patches. */
  findKind(apiVersion: string, kind: string): Resource | undefined {
    return this.all().find((resource) => resource.kind === kind && apiVersionOf(resource) === apiVersion);
  }

  /** Any version of what is stored under this key. */
  findStorage(storage: string): Resource | undefined {
    return this.all().find((resource) => resource.storage === storage);
  }

  all(): readonly Resource[] {
    return [...this.#served.values()];
  }

  /** The served groups with their versions, the preferred one first; the core group is `''`. */
  groups(): ReadonlyMap<string, readonly string[]> {
    const groups = new Map<string, Set<string>>();
    for (const resource of this.all()) groups.set(resource.group, (groups.get(resource.group) ?? new Set()).add(resource.version));
    return new Map([...groups].map(([group, versions]) => [group, [...versions].sort(byVersionPriority)]));
  }

  setCustom(definition: string, resources: readonly Resource[]): void {
    this.#custom.set(definition, resources);
    this.#index();
  }

  removeCustom(definition: string): void {
    if (this.#custom.delete(definition)) this.#index();
  }

  #index(): void {
    this.#served.clear();
    for (const resource of [...this.#builtin, ...[...this.#custom.values()].flat()]) {
      this.#served.set(`${resource.group}/${resource.version}/${resource.plural}`, resource);
    }
    this.#generation += 1;
  }
}

/** Kubernetes' order of versions: v2, v1, v1beta2, v1beta1, v1alpha1, then others by name. */
export function byVersionPriority(a: string, b: string): number {
  const [left, right] = [rank(a), rank(b)];
  if (left === undefined || right === undefined) {
    if (left !== undefined) return -1;
    return right !== undefined ? 1 : a < b ? -1 : 1;
  }
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor;
}

function rank(version: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v(\d{1,9})(?:(alpha|beta)(\d{1,9}))?$/.exec(version);
  if (!match) return undefined;
  return { stage: match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
