import { z } from 'zod';
import { accessLevels, type MemberLevel, memberLevels } from './access-level.ts';
import { type ApiCall, count, findGroup, findProject, idOf, now, type Route } from './call.ts';
import type { MemberRow, MemberSource } from './directory.ts';
import { ApiRefusal, type ApiReply, badParameter, created, forbidden, noContent, notFound, ok, page, parse } from './wire.ts';

/** Members of groups and projects (GitLab's API documentation, "Group and project members"). */
export const memberRoutes: readonly Route[] = (['group', 'project'] as const).flatMap((source): Route[] => [
  ['GET', `/${source}s/:id/members`, (call, id = '') => listMembers(call, source, id)],
  ['GET', `/${source}s/:id/members/all`, (call, id = '') => listAllMembers(call, source, id)],
  ['POST', `/${source}s/:id/members`, (call, id = '') => addMember(call, source, id)],
  ['GET', `/${source}s/:id/members/:user`, (call, id = '', user = '') => getMember(call, source, id, user)],
  ['PUT', `/${source}s/:id/members/:user`, (call, id = '', user = '') => changeMember(call, source, id, user)],
  ['DELETE', `/${source}s/:id/members/:user`, (call, id = '', user = '') => removeMember(call, source, id, user)],
]);

const memberView = (call: ApiCall, member: MemberRow) => ({
  id: member.id,
  username: member.username,
  name: member.name,
  state: 'active',
  web_url: `${call.context.url}/${member.username}`,
  access_level: member.level,
  created_at: member.memberSince,
  expires_at: null,
});

interface Source {
  readonly id: number;
  /** The caller's own level on it. */
  readonly level: number;
}

function find(call: ApiCall, source: MemberSource, key: string): Source {
  const { access } = call.context;
  if (source === 'group') {
    const group = findGroup(call, key);
    // Who sees a group only because it leads to something of their own is told nothing about its people.
    const level = access.onGroup(call.account, group);
    if (level === 0) throw notFound('Group');
    return { id: group.id, level };
  }
  const project = findProject(call, key);
  const level = access.onProject(call.account, project);
  if (level === 0) throw notFound('Project');
  return { id: project.id, level };
}

/** GitLab: owners manage a group's members, maintainers a project's. */
function administer(call: ApiCall, source: MemberSource, key: string): Source {
  const found = find(call, source, key);
  if (found.level < (source === 'group' ? accessLevels.owner : accessLevels.maintainer)) throw forbidden();
  return found;
}

function listMembers(call: ApiCall, source: MemberSource, key: string): ApiReply {
  const { id } = find(call, source, key);
  const wanted = (call.query.get('query') ?? '').toLowerCase();
  const found = call.context.directory.members(source, id).filter((member) => member.username.toLowerCase().includes(wanted));
  return page(found, call.query, (member) => memberView(call, member));
}

/** With those of the groups around it; the highest level of each. */
function listAllMembers(call: ApiCall, source: MemberSource, key: string): ApiReply {
  const { directory } = call.context;
  const { id } = find(call, source, key);
  const namespace = source === 'group' ? id : (directory.project(id)?.namespace ?? 0);
  const everybody = [
    ...(source === 'project' ? directory.members('project', id) : []),
    ...directory.lineage(namespace).flatMap((group) => directory.members('group', group.id)),
  ];
  const highest = new Map<number, MemberRow>();
  for (const member of everybody) if ((highest.get(member.id)?.level ?? 0) < member.level) highest.set(member.id, member);
  return page(
    [...highest.values()].sort((a, b) => a.id - b.id),
    call.query,
    (member) => memberView(call, member),
  );
}

function existing(call: ApiCall, source: MemberSource, id: number, user: string): MemberRow {
  const member = call.context.directory.members(source, id).find((one) => one.id === idOf(user, 'user_id'));
  if (!member) throw notFound('Member');
  return member;
}

function getMember(call: ApiCall, source: MemberSource, key: string, user: string): ApiReply {
  return ok(memberView(call, existing(call, source, find(call, source, key).id, user)));
}

const level = count.refine(
  (value): value is MemberLevel => (memberLevels as readonly number[]).includes(value),
  'does not have a valid value',
);
const expiry = z.union([z.null(), z.literal('')]).optional();
const NewMember = z.object({
  user_id: count.optional(),
  username: z.string().max(255).optional(),
  access_level: level,
  expires_at: expiry,
});
const MemberChange = z.object({ access_level: level, expires_at: expiry });

function addMember(call: ApiCall, source: MemberSource, key: string): ApiReply {
  const { directory } = call.context;
  const own = administer(call, source, key);
  const wanted = parse(NewMember, call.parameters);
  if ((wanted.user_id === undefined) === (wanted.username === undefined))
    throw badParameter('user_id, username are missing, exactly one parameter must be provided');
  const user = wanted.user_id === undefined ? directory.userNamed(wanted.username ?? '') : directory.user(wanted.user_id);
  if (!user) throw notFound('User');
  mayGive(own, wanted.access_level);
  if (directory.memberLevel(source, own.id, user.id) !== undefined) throw new ApiRefusal(409, { message: 'Member already exists' });
  directory.putMember(source, own.id, user.id, wanted.access_level as MemberLevel, now(call));
  return created(memberView(call, existing(call, source, own.id, String(user.id))));
}

function changeMember(call: ApiCall, source: MemberSource, key: string, user: string): ApiReply {
  const own = administer(call, source, key);
  const member = existing(call, source, own.id, user);
  const wanted = parse(MemberChange, call.parameters);
  mayGive(own, Math.max(member.level, wanted.access_level));
  call.context.directory.putMember(source, own.id, member.id, wanted.access_level as MemberLevel, now(call));
  return ok(memberView(call, existing(call, source, own.id, user)));
}

function removeMember(call: ApiCall, source: MemberSource, key: string, user: string): ApiReply {
  const own = administer(call, source, key);
  const member = existing(call, source, own.id, user);
  mayGive(own, member.level);
  call.context.directory.removeMember(source, own.id, member.id);
  return noContent;
}

/** Nobody gives, changes or takes away a level above their own. */
function mayGive(own: Source, wanted: number): void {
  if (wanted > own.level) throw forbidden();
}
