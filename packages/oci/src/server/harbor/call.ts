import type { z } from 'zod';
import { OciError } from '../../errors.ts';
import type { Caller } from '../access.ts';
import type { RegistryContext } from '../context.ts';
import type { Project, RegistryAction } from '../types.ts';
import { type Exchange, readBody, sendJson } from '../wire.ts';

/** What every endpoint of Harbor's API works with. */
export interface HarborCall {
  readonly context: RegistryContext;
  readonly exchange: Exchange;
  readonly caller: Caller;
}

/** `parts` are the variable segments of the path, in order. */
export type Handler = (call: HarborCall, ...parts: string[]) => void | Promise<void>;

/** Method, path below `/api/v2.0` with `:name` for a variable segment, handler. */
export type HarborRoute = readonly [method: string, path: string, handler: Handler];

export const notFound = (what: string): OciError => new OciError('NOT_FOUND', `${what} not found`);

export const may = ({ context, caller }: HarborCall, project: string, action: RegistryAction): boolean =>
  context.gate.mayDo(caller.principal, project, action);

/** The project by name or number; one on which the caller has no right is not there. */
export function visibleProject(call: HarborCall, key: string): Project {
  const { metadata, options } = call.context;
  const numbered = /^[1-9]\d{0,9}$/.test(key) ? metadata.projectNumbered(options.name, Number(key)) : undefined;
  const project = metadata.project(options.name, key) ?? numbered;
  if (!project || !may(call, project.name, 'pull')) throw notFound(`project ${key.slice(0, 300)}`);
  return project;
}

/** The project, for who may change it: 404 for who does not see it, 403 for who only sees it. */
export function administeredProject(call: HarborCall, key: string): Project {
  const project = visibleProject(call, key);
  demandAdministrator(call, project.name);
  return project;
}

export function demandAdministrator(call: HarborCall, project: string): void {
  if (!call.context.gate.mayAdminister(call.caller.principal, project)) throw new OciError('DENIED', 'forbidden');
}

export async function readJson<T extends z.ZodType>(exchange: Exchange, schema: T): Promise<z.infer<T>> {
  const text = (await readBody(exchange.request, 64 * 1024)).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new OciError('BAD_REQUEST', 'The body is no JSON text.', { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new OciError('BAD_REQUEST', `${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
}

/** Harbor's paging: `page` from 1, `page_size` 10 to at most 100, `X-Total-Count`. */
export function sendPage<T>(exchange: Exchange, all: readonly T[], view: (one: T) => unknown): void {
  const number = (key: string, fallback: number, most: number) => {
    const text = exchange.query.get(key);
    if (text === null) return fallback;
    if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > most) throw new OciError('BAD_REQUEST', `${key} must be a number from 1 to ${most}`);
    return Number(text);
  };
  const page = number('page', 1, 1e9);
  const size = number('page_size', 10, 100);
  const shown = all.slice((page - 1) * size, page * size).map(view);
  sendJson(exchange, 200, shown, { 'x-total-count': all.length });
}
