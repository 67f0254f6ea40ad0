import type { Clock } from '@desp/runtime';
import { z } from 'zod';
import type { RepositoryReader } from '../reader.ts';
import { isRepositoryPath, type RepositoryPath } from '../repository-path.ts';
import type { Access, GitAccount } from './access.ts';
import type { Directory, GroupRow, ProjectRow } from './directory.ts';
import { type ApiReply, badParameter, forbidden, notFound } from './wire.ts';

/** What every endpoint works with. */
export interface ApiContext {
  readonly directory: Directory;
  readonly access: Access;
  readonly clock: Clock;
  /** The host's public address, without a slash at its end. */
  readonly url: string;
  /** Makes the bare repository; safe to repeat. */
  createRepository(path: RepositoryPath): Promise<void>;
  reader(path: RepositoryPath): RepositoryReader;
}

export interface ApiCall {
  readonly context: ApiContext;
  readonly account: GitAccount;
  readonly query: URLSearchParams;
  /** Of query and body together, not yet checked. */
  readonly parameters: Record<string, unknown>;
}

/** `parts` are the decoded variable segments of the path, in order. */
export type Handler = (call: ApiCall, ...parts: string[]) => ApiReply | Promise<ApiReply>;

/** Method, path with `:name` for a variable segment, handler. */
export type Route = readonly [method: string, path: string, handler: Handler];

/** A number, also as text, as forms send it. */
export const count = z
  .union([z.number(), z.string().regex(/^\d{1,12}$/)])
  .transform(Number)
  .pipe(z.number().int().min(0).max(1e12));
export const flag = z.union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1')]);

/** The name of a group or project in its address (the rules of GitLab's namespaces, as far as both parts agree). */
export const pathSegment = z
  .string()
  .refine(
    (text) => isRepositoryPath(`x/${text}`) && !text.includes('/'),
    "can contain only letters, digits, '_', '-' and '.', cannot start with '-' or end in '.', '.git' or '.atom'",
  );
/** A title: any text of a line. */
export const title = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !/\p{Cc}/u.test(text), 'is invalid');
export const visibility = z.enum(['private', 'internal', 'public']).refine((text) => text !== 'public', 'does not have a valid value');

/** The group by id or path; one that the caller may not see is not there. */
export function findGroup({ context, account }: ApiCall, key: string): GroupRow {
  const { directory, access } = context;
  const group = /^\d{1,12}$/.test(key) ? directory.group(Number(key)) : directory.groupAt(key);
  if (!group || !access.seesGroup(account, group)) throw notFound('Group');
  return group;
}

/** The project by id or path; one that the caller may not see is not there. */
export function findProject({ context, account }: ApiCall, key: string): ProjectRow {
  const { directory, access } = context;
  const project = /^\d{1,12}$/.test(key) ? directory.project(Number(key)) : directory.projectAt(key);
  if (!project || !access.seesProject(account, project)) throw notFound('Project');
  return project;
}

export function demandOnGroup({ context, account }: ApiCall, group: GroupRow, level: number): void {
  if (context.access.onGroup(account, group) < level) throw forbidden();
}

export function demandOnProject({ context, account }: ApiCall, project: ProjectRow, level: number): void {
  if (context.access.onProject(account, project) < level) throw forbidden();
}

export const now = ({ context }: ApiCall): string => context.clock.now().toISOString();

/** A row's id out of a path. @throws ApiRefusal 400 */
export function idOf(text: string, name: string): number {
  if (!/^\d{1,12}$/.test(text)) throw badParameter(`${name} is invalid`);
  return Number(text);
}
