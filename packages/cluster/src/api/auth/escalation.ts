import { forbidden, notFound } from '../errors.ts';
import { type ApiObject, same, textAt } from '../object.ts';
import type { Resource } from '../resources/resource.ts';
import type { UserInfo } from '../types.ts';
import { type Authorizer, type PolicyRule, parseRules, storageOfRoles } from './rbac.ts';

/**
 * Nobody gives away more than they have: roles can only be written by who holds all their rules (or may `escalate`),
 * bindings only by who holds all the role's rules (or may `bind` it).
 */
export function preventEscalation(
  authorizer: Authorizer,
  user: UserInfo,
  resource: Resource,
  object: ApiObject,
  old: ApiObject | undefined,
): void {
  const namespace = object.metadata.namespace ?? '';
  const isRole = resource.storage === storageOfRoles.Role || resource.storage === storageOfRoles.ClusterRole;
  const isBinding = resource.storage === storageOfRoles.RoleBinding || resource.storage === storageOfRoles.ClusterRoleBinding;
  if (!isRole && !isBinding) return;
  const may = (verb: string, plural: string, name: string) =>
    authorizer.allows(user, { kind: 'resource', verb, group: resource.group, plural, subresource: '', namespace, name });
  let rules: PolicyRule[];
  if (isRole) {
    if (old !== undefined && same(old['rules'], object['rules']) && same(old['aggregationRule'], object['aggregationRule'])) return;
    if (may('escalate', resource.plural, object.metadata.name)) return;
    rules = [...parseRules(object), ...authorizer.clusterRoleRules(object)];
    if (object['aggregationRule'] !== undefined && !same(old?.['aggregationRule'], object['aggregationRule'])) {
      // What an aggregation will select later cannot be known now: only who holds everything may set one.
      rules = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] }];
    }
  } else {
    if (old !== undefined && same(old['subjects'], object['subjects']) && same(old['roleRef'], object['roleRef'])) return;
    const plural = textAt(object, 'roleRef', 'kind') === 'Role' ? 'roles' : 'clusterroles';
    const name = textAt(object, 'roleRef', 'name') ?? '';
    if (may('bind', plural, name)) return;
    // A role that comes later could hold anything.
    if (!authorizer.roleExists(object, namespace)) throw notFound({ group: resource.group, plural }, name);
    rules = authorizer.roleRules(object, namespace);
  }
  const held = authorizer.rules(user, namespace);
  const missing = rules.flatMap(atoms).filter((wanted) => !held.some((rule) => covers(rule, wanted)));
  if (missing.length === 0) return;
  const listed = missing.slice(0, 8).map(describe).join('\n');
  const why = `user "${user.username}" (groups=${JSON.stringify(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${listed}`;
  throw forbidden(resource, object.metadata.name, why);
}

interface Atom {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
  readonly url?: string;
}

function atoms(rule: PolicyRule): Atom[] {
  return rule.verbs.flatMap((verb): Atom[] => [
    ...rule.nonResourceURLs.map((url) => ({ verb, url })),
    ...rule.apiGroups.flatMap((group) =>
      rule.resources.flatMap((resource): Atom[] =>
        rule.resourceNames.length === 0 ? [{ verb, group, resource }] : rule.resourceNames.map((name) => ({ verb, group, resource, name })),
      ),
    ),
  ]);
}

const includes = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value);

function covers(rule: PolicyRule, wanted: Atom): boolean {
  if (!includes(rule.verbs, wanted.verb)) return false;
  const { url } = wanted;
  if (url !== undefined) {
    return rule.nonResourceURLs.some((held) => held === '*' || held === url || (held.endsWith('*') && url.startsWith(held.slice(0, -1))));
  }
  if (!includes(rule.apiGroups, wanted.group!)) return false;
  if (rule.resourceNames.length > 0 && (wanted.name === undefined || !rule.resourceNames.includes(wanted.name))) return false;
  const resource = wanted.resource!;
  const slash = resource.indexOf('/');
  return includes(rule.resources, resource) || (slash > 0 && rule.resources.includes(`*${resource.slice(slash)}`));
}

const describe = ({ verb, group, resource, name, url }: Atom): string =>
  url === undefined
    ? `{APIGroups:[${JSON.stringify(group)}], Resources:[${JSON.stringify(resource)}]${name === undefined ? '' : `, ResourceNames:[${JSON.stringify(name)}]`}, Verbs:[${JSON.stringify(verb)}]}`
    : `{NonResourceURLs:[${JSON.stringify(url)}], Verbs:[${JSON.stringify(verb)}]}`;
