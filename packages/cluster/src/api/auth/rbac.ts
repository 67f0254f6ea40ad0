import { type ApiObject, at, isRecord, listAt, textAt, textsAt } from '../object.ts';
import type { Store } from '../store/store.ts';
import type { UserInfo } from '../types.ts';

/** Role-based access control, evaluated from the stored roles and bindings on each request. */

/** What somebody wants to do. */
export type Attributes =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      readonly plural: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

const rbacGroup = 'rbac.authorization.k8s.io';
export const storageOfRoles = {
  Role: `${rbacGroup}/roles`,
  ClusterRole: `${rbacGroup}/clusterroles`,
  RoleBinding: `${rbacGroup}/rolebindings`,
  ClusterRoleBinding: `${rbacGroup}/clusterrolebindings`,
} as const;

export const parseRules = (role: ApiObject | undefined): PolicyRule[] =>
  listAt(role, 'rules').map((rule) => ({
    verbs: textsAt(rule, 'verbs'),
    apiGroups: textsAt(rule, 'apiGroups'),
    resources: textsAt(rule, 'resources'),
    resourceNames: textsAt(rule, 'resourceNames'),
    nonResourceURLs: textsAt(rule, 'nonResourceURLs'),
  }));

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

/** Does one rule allow it? */
export function ruleAllows(rule: PolicyRule, wanted: Attributes): boolean {
  if (!has(rule.verbs, wanted.verb)) return false;
  if (wanted.kind === 'path') {
    return rule.nonResourceURLs.some(
      (url) => url === '*' || url === wanted.path || (url.endsWith('*') && wanted.path.startsWith(url.slice(0, -1))),
    );
  }
  if (!has(rule.apiGroups, wanted.group)) return false;
  if (rule.resourceNames.length > 0 && !rule.resourceNames.includes(wanted.name)) return false;
  const { plural, subresource } = wanted;
  return rule.resources.some(
    (resource) =>
      resource === '*' ||
      resource === (subresource ? `${plural}/${subresource}` : plural) ||
      (subresource !== '' && resource === `*/${subresource}`),
  );
}

export class Authorizer {
  #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  allows(user: UserInfo, wanted: Attributes): boolean {
    if (user.groups.includes('system:masters')) return true;
    for (const rule of this.#rulesFor(user, wanted.kind === 'resource' ? wanted.namespace : '')) if (ruleAllows(rule, wanted)) return true;
    return false;
  }

  /** All rules that hold for a user in a namespace (cluster-wide ones included). */
  rules(user: UserInfo, namespace: string): PolicyRule[] {
    const everything: PolicyRule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] };
    const everyPath: PolicyRule = { ...everything, apiGroups: [], resources: [], nonResourceURLs: ['*'] };
    const masters = user.groups.includes('system:masters') ? [everything, everyPath] : [];
    return [...masters, ...this.#rulesFor(user, namespace)];
  }

  *#rulesFor(user: UserInfo, namespace: string): Generator<PolicyRule> {
    for (const binding of this.#store.list(storageOfRoles.ClusterRoleBinding)) {
      if (appliesTo(binding, user, '')) yield* this.roleRules(binding, '');
    }
    if (namespace === '') return;
    for (const binding of this.#store.list(storageOfRoles.RoleBinding, namespace)) {
      if (!appliesTo(binding, user, namespace)) continue;
      for (const rule of this.roleRules(binding, namespace)) if (rule.nonResourceURLs.length === 0) yield rule;
    }
  }

  /** Is the role that a binding refers to there? */
  roleExists(binding: ApiObject, namespace: string): boolean {
    const kind = textAt(binding, 'roleRef', 'kind');
    if (kind !== 'Role' && kind !== 'ClusterRole') return false;
    return this.#store.get(storageOfRoles[kind], kind === 'Role' ? namespace : '', textAt(binding, 'roleRef', 'name') ?? '') !== undefined;
  }

  /** The rules of the role that a binding refers to; none when the role is missing. */
  roleRules(binding: ApiObject, namespace: string): PolicyRule[] {
    const name = textAt(binding, 'roleRef', 'name') ?? '';
    const kind = textAt(binding, 'roleRef', 'kind');
    if (kind === 'Role') return namespace === '' ? [] : parseRules(this.#store.get(storageOfRoles.Role, namespace, name));
    if (kind !== 'ClusterRole') return [];
    return this.clusterRoleRules(this.#store.get(storageOfRoles.ClusterRole, '', name));
  }

  /** A cluster role's own rules, or those of the roles that its aggregationRule selects, through any number of levels. */
  clusterRoleRules(role: ApiObject | undefined, seen: ReadonlySet<string> = new Set()): PolicyRule[] {
    const selectors = listAt(role, 'aggregationRule', 'clusterRoleSelectors');
    if (role === undefined || selectors.length === 0) return parseRules(role);
    const visited = new Set([...seen, role.metadata.name]);
    const selected = this.#store
      .list(storageOfRoles.ClusterRole)
      .filter((other) => !visited.has(other.metadata.name) && selectors.some((selector) => selects(selector, other)));
    return selected.flatMap((other) => this.clusterRoleRules(other, visited));
  }
}

/** matchLabels and matchExpressions of an aggregation rule. */
function selects(selector: unknown, role: ApiObject): boolean {
  const labels = role.metadata.labels ?? {};
  const wanted = at(selector, 'matchLabels');
  const expressions = listAt(selector, 'matchExpressions');
  if (isRecord(wanted) && Object.entries(wanted).some(([key, value]) => labels[key] !== value)) return false;
  return expressions.every((expression) => {
    const key = textAt(expression, 'key') ?? '';
    const values = textsAt(expression, 'values');
    const present = Object.hasOwn(labels, key);
    switch (textAt(expression, 'operator')) {
      case 'In':
        return present && values.includes(labels[key]!);
      case 'NotIn':
        return !present || !values.includes(labels[key]!);
      case 'Exists':
        return present;
      case 'DoesNotExist':
        return !present;
      default:
        return false;
    }
  });
}

function appliesTo(binding: ApiObject, user: UserInfo, namespace: string): boolean {
  return listAt(binding, 'subjects').some((subject) => {
    const name = textAt(subject, 'name') ?? '';
    switch (textAt(subject, 'kind')) {
      case 'User':
        return name === user.username;
      case 'Group':
        return user.groups.includes(name);
      case 'ServiceAccount':
        return user.username === `system:serviceaccount:${textAt(subject, 'namespace') ?? namespace}:${name}`;
      default:
        return false;
    }
  });
}
