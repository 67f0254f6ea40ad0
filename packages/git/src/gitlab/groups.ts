import { z } from 'zod';
import { accessLevels } from './access-level.ts';
import { type ApiCall, count, demandOnGroup, findGroup, now, pathSegment, type Route, title, visibility } from './call.ts';
import type { GroupRow } from './directory.ts';
import { ApiRefusal, type ApiReply, badParameter, created, forbidden, notFound, ok, page, parse } from './wire.ts';

/** Groups and namespaces (GitLab's API documentation, "Groups", "Namespaces"). All groups are private here. */
export const groupRoutes: readonly Route[] = [
  ['GET', '/groups', listGroups],
  ['POST', '/groups', createGroup],
  ['GET', '/groups/:id', getGroup],
  ['PUT', '/groups/:id', changeGroup],
  ['GET', '/groups/:id/subgroups', listSubgroups],
  ['GET', '/namespaces', listNamespaces],
  ['GET', '/namespaces/:id', getNamespace],
];

/** GitLab's "partially protected": developers push to the default branch, and nobody forces. So is every default branch of this host. */
const partlyProtected = 1;

const groupView = ({ context }: ApiCall, group: GroupRow) => ({
  id: group.id,
  web_url: `${context.url}/groups/${group.fullPath}`,
  name: group.name,
  path: group.path,
  description: '',
  visibility: 'private',
  full_name: context.directory
    .lineage(group.id)
    .map(({ name }) => name)
    .reverse()
    .join(' / '),
  full_path: group.fullPath,
  created_at: group.createdAt,
  parent_id: group.parent,
  default_branch_protection: partlyProtected,
});

const namespaceView = (call: ApiCall, group: GroupRow) => ({
  id: group.id,
  name: group.name,
  path: group.path,
  kind: 'group',
  full_path: group.fullPath,
  parent_id: group.parent,
  web_url: `${call.context.url}/groups/${group.fullPath}`,
});

/** What of a listing the caller may see, and has asked for with `search`. */
function visible({ context, account, query }: ApiCall): GroupRow[] {
  const wanted = (query.get('search') ?? '').toLowerCase();
  return context.directory
    .groups()
    .filter((group) => group.fullPath.toLowerCase().includes(wanted) && context.access.seesGroup(account, group));
}

function listGroups(call: ApiCall): ApiReply {
  const top = call.query.get('top_level_only') === 'true';
  const found = visible(call).filter((group) => !top || group.parent === null);
  return page(found, call.query, (group) => groupView(call, group));
}

function listSubgroups(call: ApiCall, id: string): ApiReply {
  const parent = findGroup(call, id);
  const found = visible(call).filter((group) => group.parent === parent.id);
  return page(found, call.query, (group) => groupView(call, group));
}

function getGroup(call: ApiCall, id: string): ApiReply {
  return ok(groupView(call, findGroup(call, id)));
}

function listNamespaces(call: ApiCall): ApiReply {
  return page(visible(call), call.query, (group) => namespaceView(call, group));
}

function getNamespace(call: ApiCall, id: string): ApiReply {
  const { directory, access } = call.context;
  const group = /^\d{1,12}$/.test(id) ? directory.group(Number(id)) : directory.groupAt(id);
  if (!group || !access.seesGroup(call.account, group)) throw notFound('Namespace');
  return ok(namespaceView(call, group));
}

const branchProtection = count.refine((value) => value === partlyProtected, 'does not have a valid value').optional();
const NewGroup = z.object({
  name: title,
  path: pathSegment,
  parent_id: count.nullish(),
  visibility: visibility.optional(),
  default_branch_protection: branchProtection,
});
const GroupChange = z.object({ default_branch_protection: branchProtection });

/** A group at the top is an administrator's to make; one inside another, its owners'. */
function createGroup(call: ApiCall): ApiReply {
  const { context, account, parameters } = call;
  if (typeof parameters['parent_id'] === 'string' && parameters['parent_id'] === '') delete parameters['parent_id'];
  const wanted = parse(NewGroup, parameters);
  if (wanted.visibility === 'internal')
    throw new ApiRefusal(400, { message: 'Failed to save group {:visibility_level=>["internal is not served here"]}' });
  const parent = wanted.parent_id == null ? undefined : findGroup(call, String(wanted.parent_id));
  if (parent) demandOnGroup(call, parent, accessLevels.owner);
  else if (account.kind !== 'admin') throw forbidden();
  const group = context.directory.addGroup(parent, wanted.path, wanted.name, now(call));
  if (!group) throw new ApiRefusal(400, { message: 'Failed to save group {:path=>["has already been taken"]}' });
  return created(groupView(call, group));
}

/** Takes what every group has here already. */
function changeGroup(call: ApiCall, id: string): ApiReply {
  const group = findGroup(call, id);
  demandOnGroup(call, group, accessLevels.owner);
  if (parse(GroupChange, call.parameters).default_branch_protection === undefined)
    throw badParameter('default_branch_protection is missing');
  return ok(groupView(call, group));
}
