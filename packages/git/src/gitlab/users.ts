import { z } from 'zod';
import { type ApiCall, now, type Route, title } from './call.ts';
import type { UserRow } from './directory.ts';
import { ApiRefusal, type ApiReply, created, forbidden, notFound, ok, page, parse } from './wire.ts';

/** Users and the host itself (GitLab's API documentation, "Users", "Metadata"). */
export const userRoutes: readonly Route[] = [
  ['GET', '/version', () => ok({ version: '17.0.0+desp-rehearsal', revision: 'desp' })],
  ['GET', '/user', currentUser],
  ['GET', '/users', listUsers],
  ['POST', '/users', createUser],
  ['GET', '/users/:id', getUser],
];

const userView = ({ context }: ApiCall, user: UserRow) => ({
  id: user.id,
  username: user.username,
  name: user.name,
  state: 'active',
  web_url: `${context.url}/${user.username}`,
  created_at: user.createdAt,
});

function currentUser(call: ApiCall): ApiReply {
  const { account, context } = call;
  const user = context.directory.userNamed(account.name);
  if (account.kind === 'token' || (account.kind === 'user' && !user)) throw forbidden();
  return ok({
    ...(user ? userView(call, user) : { id: 0, username: account.name, name: account.name, state: 'active' }),
    is_admin: account.kind === 'admin',
  });
}

/** Narrower than GitLab: who is no administrator finds only themselves, for companies are not told of each other's people. */
function mayKnow(call: ApiCall, user: UserRow): boolean {
  return call.account.kind === 'admin' || (call.account.kind === 'user' && call.account.name.toLowerCase() === user.username.toLowerCase());
}

function listUsers(call: ApiCall): ApiReply {
  const exact = call.query.get('username')?.toLowerCase();
  const part = (call.query.get('search') ?? '').toLowerCase();
  const found = call.context.directory.users().filter((user) => {
    const username = user.username.toLowerCase();
    return (exact === undefined ? username.includes(part) : username === exact) && mayKnow(call, user);
  });
  return page(found, call.query, (user) => userView(call, user));
}

function getUser(call: ApiCall, id: string): ApiReply {
  const user = /^\d{1,12}$/.test(id) ? call.context.directory.user(Number(id)) : undefined;
  if (!user || !mayKnow(call, user)) throw notFound('User');
  return ok(userView(call, user));
}

const NewUser = z.object({
  username: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,253}$/),
  name: title,
  email: z.string().min(3).max(254),
});

/** An administrator's: who they are is proved by the identity provider, so no password is kept here. */
function createUser(call: ApiCall): ApiReply {
  if (call.account.kind !== 'admin') throw forbidden();
  const wanted = parse(NewUser, call.parameters);
  const user = call.context.directory.addUser(wanted.username, wanted.name, now(call));
  if (!user) throw new ApiRefusal(409, { message: 'Username has already been taken' });
  return created(userView(call, user));
}
