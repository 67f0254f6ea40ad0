import { z } from 'zod';
import { OciError } from '../../errors.ts';
import type { Member } from '../types.ts';
import { sendEmpty, sendJson } from '../wire.ts';
import { administeredProject, type HarborCall, type HarborRoute, notFound, readJson, sendPage } from './call.ts';
import { isMemberRole, roleNames } from './roles.ts';

/** Members of projects (Harbor's swagger.yaml, tag "member"): people only, no groups. */
export const memberRoutes: readonly HarborRoute[] = [
  ['GET', '/projects/:project/members', listMembers],
  ['POST', '/projects/:project/members', addMember],
  ['GET', '/projects/:project/members/:id', getMember],
  ['PUT', '/projects/:project/members/:id', changeMember],
  ['DELETE', '/projects/:project/members/:id', removeMember],
];

const memberView = ({ context }: HarborCall, member: Member) => ({
  id: member.id,
  project_id: context.metadata.projectNumber(context.options.name, member.project),
  entity_id: member.id,
  entity_name: member.username,
  entity_type: 'u',
  role_id: member.role,
  role_name: roleNames[member.role],
});

function listMembers(call: HarborCall, key = ''): void {
  const { name } = administeredProject(call, key);
  const wanted = call.exchange.query.get('entityname') ?? '';
  const found = call.context.metadata.members(call.context.options.name, name).filter(({ username }) => username.includes(wanted));
  sendPage(call.exchange, found, (member) => memberView(call, member));
}

const Role = z.number().refine(isMemberRole, 'must be 1 to 5');
const NewMember = z.object({
  role_id: Role,
  member_user: z.object({ username: z.string().min(1).max(255) }),
  member_group: z.undefined('groups are not served here').optional(),
});
const ChangedMember = z.object({ role_id: Role });

async function addMember(call: HarborCall, key = ''): Promise<void> {
  const { context, exchange } = call;
  const project = administeredProject(call, key);
  const wanted = await readJson(exchange, NewMember);
  const { username } = wanted.member_user;
  if (context.options.knowsUser && !(await context.options.knowsUser(username))) throw notFound(`user ${username}`);
  const member = await context.metadata.addMember(context.options.name, project.name, username, wanted.role_id);
  if (!member) throw new OciError('CONFLICT', `the project member ${username} already exists`);
  sendEmpty(exchange, 201, { location: `/api/v2.0/projects/${project.name}/members/${member.id}` });
}

function findMember(call: HarborCall, key: string, id: string): Member {
  const { name } = administeredProject(call, key);
  const member = call.context.metadata.members(call.context.options.name, name).find((one) => String(one.id) === id);
  if (!member) throw notFound(`project member ${id.slice(0, 40)}`);
  return member;
}

function getMember(call: HarborCall, key = '', id = ''): void {
  sendJson(call.exchange, 200, memberView(call, findMember(call, key, id)));
}

async function changeMember(call: HarborCall, key = '', id = ''): Promise<void> {
  const member = findMember(call, key, id);
  const { role_id: role } = await readJson(call.exchange, ChangedMember);
  await call.context.metadata.setMemberRole(member.id, role);
  sendEmpty(call.exchange, 200);
}

async function removeMember(call: HarborCall, key = '', id = ''): Promise<void> {
  await call.context.metadata.removeMember(findMember(call, key, id).id);
  sendEmpty(call.exchange, 200);
}
