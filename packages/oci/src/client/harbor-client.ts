import { registerSecret } from '@desp/runtime';
import { z } from 'zod';
import { OciError } from '../errors.ts';
import type { MemberRole, RegistryAction } from '../server/types.ts';
import type { RegistryCredentials } from './credentials.ts';
import { HttpConnections, readAnswer } from './http.ts';

export interface HarborClientOptions {
  /** Without `/api/v2.0`. */
  readonly url: string;
  /** A system administrator's, or a system robot's that may make projects, members and robots. */
  readonly credentials: RegistryCredentials;
  /** PEM certificates trusted besides the machine's. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HarborProjectRules {
  /** Refuse pulls of images that are not scanned, or have findings of `severity` or above. */
  readonly preventVulnerable: boolean;
  readonly severity: 'low' | 'medium' | 'high' | 'critical';
  /** Scan images as they are pushed. */
  readonly scanOnPush: boolean;
  /** Every tag keeps its digest. */
  readonly immutableTags: boolean;
}

export interface DesiredProjectMember {
  readonly username: string;
  /** Undefined: no member. */
  readonly role: MemberRole | undefined;
}

/** A client of Harbor's API, version 2.0: what makes and rules a service's project. Every `ensure` is safe to repeat. */
export interface HarborClient {
  readonly url: string;
  /** A private project with these rules. */
  ensureProject(name: string, rules: HarborProjectRules): Promise<void>;
  /**
   * Makes the members be as wished, as to the people named; others are left alone.
   * @returns whom the registry does not know: with OIDC, Harbor learns of people when they log in first
   */
  ensureMembers(project: string, members: readonly DesiredProjectMember[]): Promise<string[]>;
  /** A robot of the project and a secret for it, which is given this once: a robot that is there gets a new one. */
  ensureRobot(project: string, name: string, actions: readonly RegistryAction[]): Promise<{ username: string; secret: string }>;
  close(): void;
}

const maxAnswerBytes = 8 * 1024 * 1024;
const pageSize = 100;
const maxPages = 1000;
const Project = z.object({ project_id: z.number(), metadata: z.record(z.string(), z.string()).nullish() });
const Rule = z.object({
  id: z.number(),
  disabled: z.boolean().nullish(),
  tag_selectors: z.array(z.object({ pattern: z.string() })).nullish(),
});
const Member = z.object({ id: z.number(), entity_name: z.string(), entity_type: z.string().nullish(), role_id: z.number() });
const Robot = z.object({ id: z.number(), name: z.string() });
const Secret = z.object({ secret: z.string().min(1) });
const ErrorBody = z.object({ errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })).min(1) });

export function createHarborClient(options: HarborClientOptions): HarborClient {
  const base = options.url.replace(/\/+$/, '');
  const connections = new HttpConnections({ ca: options.ca, idleMs: 15_000 });
  const { username, password } = options.credentials;
  registerSecret(password);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  /** One call; `accepted` statuses are answers, every other one is an error with the registry's own words. */
  const call = async (
    method: string,
    path: string,
    accepted: readonly number[],
    body?: object,
  ): Promise<{ status: number; json: unknown }> => {
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const answer = await connections.call({
      method,
      url: new URL(`${base}/api/v2.0${path}`),
      headers: {
        authorization,
        accept: 'application/json',
        // A project may be called 123: its name is meant, never its number.
        'x-is-resource-name': 'true',
        ...(text ? { 'content-type': 'application/json', 'content-length': String(text.length) } : {}),
      },
      ...(text ? { body: text } : {}),
      signal: options.signal,
    });
    const said = (await readAnswer(answer, maxAnswerBytes)).toString('utf8');
    let json: unknown;
    try {
      json = said === '' ? undefined : JSON.parse(said);
    } catch {
      json = undefined;
    }
    if (accepted.includes(answer.status)) return { status: answer.status, json };
    const first = ErrorBody.safeParse(json).data?.errors[0];
    const why =
      `${method} ${base}/api/v2.0${path.split('?', 1)[0]}: ${answer.status} ${first ? `${first.code}: ${first.message ?? ''}` : ''}`.slice(
        0,
        800,
      );
    if (answer.status === 401 || answer.status === 403)
      throw new OciError(answer.status === 401 ? 'UNAUTHORIZED' : 'DENIED', why, {
        kind: 'upstream',
        cure: 'Give the platform an account that may make projects in this registry.',
      });
    throw new OciError('UPSTREAM_REFUSED', why, {
      kind: 'upstream',
      retryable: answer.status >= 500 || answer.status === 429,
      cure: "Look at the registry: what stands in the way there is not the platform's.",
    });
  };

  const read = <T>(schema: z.ZodType<T>, json: unknown, what: string): T => {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new OciError('UPSTREAM_PROTOCOL', `The answer of ${base} to ${what} is none of Harbor's API.`, {
      kind: 'upstream',
      cure: 'Look whether this is the address of a Harbor.',
    });
  };

  const list = async <T>(schema: z.ZodType<T>, path: string, what: string): Promise<T[]> => {
    const found: T[] = [];
    for (let page = 1; page <= maxPages; page += 1) {
      const { json } = await call('GET', `${path}${path.includes('?') ? '&' : '?'}page=${page}&page_size=${pageSize}`, [200]);
      const entries = read(z.array(schema).nullable(), json, what) ?? [];
      found.push(...entries);
      if (entries.length < pageSize) break;
    }
    return found;
  };

  const at = (project: string) => `/projects/${encodeURIComponent(project)}`;

  return {
    url: base,
    async ensureProject(name, rules) {
      const metadata = {
        public: 'false',
        prevent_vul: String(rules.preventVulnerable),
        severity: rules.severity,
        auto_scan: String(rules.scanOnPush),
      };
      const made = await call('POST', '/projects', [201, 409], { project_name: name, metadata });
      if (made.status === 409) {
        const project = read(Project, (await call('GET', at(name), [200])).json, 'a project');
        const differs = Object.entries(metadata).some(([key, value]) => project.metadata?.[key] !== value);
        if (differs) await call('PUT', at(name), [200], { metadata });
      }
      const standing = await list(Rule, `${at(name)}/immutabletagrules`, 'the immutable tag rules');
      const whole = standing.filter((rule) => rule.disabled !== true && rule.tag_selectors?.some(({ pattern }) => pattern === '**'));
      if (rules.immutableTags && whole.length === 0)
        await call('POST', `${at(name)}/immutabletagrules`, [201, 409], {
          disabled: false,
          action: 'immutable',
          template: 'immutable_template',
          tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: '**' }],
          scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
        });
    },
    async ensureMembers(project, members) {
      const path = `${at(project)}/members`;
      const people = (await list(Member, path, 'the members')).filter((member) => member.entity_type !== 'g');
      const standing = new Map(people.map((member) => [member.entity_name.toLowerCase(), member]));
      const unknown: string[] = [];
      for (const wanted of members) {
        const member = standing.get(wanted.username.toLowerCase());
        if (wanted.role === undefined) {
          if (member) await call('DELETE', `${path}/${member.id}`, [200, 404]);
        } else if (member) {
          if (member.role_id !== wanted.role) await call('PUT', `${path}/${member.id}`, [200], { role_id: wanted.role });
        } else {
          const body = { role_id: wanted.role, member_user: { username: wanted.username } };
          if ((await call('POST', path, [201, 404, 409], body)).status === 404) unknown.push(wanted.username);
        }
      }
      return unknown;
    },
    async ensureRobot(project, name, actions) {
      const made = await call('POST', '/robots', [201, 409], {
        name,
        description: 'Made by the DESP platform.',
        level: 'project',
        duration: -1,
        disable: false,
        permissions: [
          { kind: 'project', namespace: project, access: actions.map((action) => ({ resource: 'repository', action, effect: 'allow' })) },
        ],
      });
      if (made.status === 201) {
        const robot = read(Robot.extend(Secret.shape), made.json, 'a new robot');
        registerSecret(robot.secret);
        return { username: robot.name, secret: robot.secret };
      }
      const { project_id: number } = read(Project, (await call('GET', at(project), [200])).json, 'a project');
      const robots = await list(Robot, `/robots?q=${encodeURIComponent(`Level=project,ProjectID=${number}`)}`, 'the robots');
      const robot = robots.find((one) => one.name.endsWith(`${project}+${name}`));
      if (!robot)
        throw new OciError('UPSTREAM_REFUSED', `The robot ${name} of ${project} is said to be there at ${base}, and is not listed.`, {
          kind: 'upstream',
          retryable: true,
          cure: 'Remove it in the registry: it is made anew.',
        });
      const { secret } = read(Secret, (await call('PATCH', `/robots/${robot.id}`, [200], { secret: '' })).json, 'a new secret');
      registerSecret(secret);
      return { username: robot.name, secret };
    },
    close: () => connections.close(),
  };
}
