import { registerSecret } from '@desp/runtime';
import { z } from 'zod';
import { GitError } from '../errors.ts';
import type { MemberLevel, TagLevel } from '../gitlab/access-level.ts';

export interface GitLabClientOptions {
  /** Without `/api/v4`. */
  readonly url: string;
  /** An access token with the scope `api`. */
  readonly token: string;
  /** Milliseconds for one call; default 15,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: the global one. A caller with a CA of its own brings a `fetch` that trusts it. */
  readonly fetch?: typeof fetch;
}

export interface GitLabGroup {
  readonly id: number;
  /** As the host spells it. */
  readonly path: string;
  /** Undefined where the host does not say. */
  readonly branchProtection?: number | undefined;
}

export interface GitLabProject {
  readonly id: number;
  readonly path: string;
  readonly cloneUrl: string;
}

export interface DesiredMember {
  readonly username: string;
  /** A title for people. */
  readonly name: string;
  /** Undefined: no member. */
  readonly level: MemberLevel | undefined;
}

/** A client of GitLab's REST API, version 4: what makes and rules a service's repository. Every `ensure` is safe to repeat. */
export interface GitLabClient {
  readonly url: string;
  /** The name under which this token acts: pushes of it carry the name. */
  username(): Promise<string>;
  /**
   * Makes the group, and those around it, where they are missing; private. Developers may push to default branches of its projects.
   * `DESP/SAMPLE-APP`.
   */
  ensureGroup(path: string): Promise<GitLabGroup>;
  /** Makes the project in the group where it is missing; private. */
  ensureProject(group: GitLabGroup, name: string): Promise<GitLabProject>;
  /** Tags that match (`*` is a wildcard) can be made from `level` up, and moved or deleted by no push. */
  ensureProtectedTags(project: GitLabProject, pattern: string, level: TagLevel): Promise<void>;
  /** A webhook for pushes of branches and tags; one that calls this address is set to this token. */
  ensureHook(project: GitLabProject, hook: { url: string; token: string }): Promise<void>;
  /**
   * Makes the group's own members be as wished, as to the people named; others are left alone. A person without an account gets
   * one where this token may make it.
   * @returns whom the host does not know and this token cannot make known
   */
  ensureMembers(group: GitLabGroup, members: readonly DesiredMember[]): Promise<string[]>;
}

const maxAnswerBytes = 8 * 1024 * 1024;
const maxPages = 1000;
const User = z.object({ id: z.number(), username: z.string() });
const Group = z.object({ id: z.number(), full_path: z.string(), default_branch_protection: z.number().nullish() });
/** GitLab's "partially protected": developers push to the default branch, and nobody forces; its own default keeps them out. */
const partlyProtected = 1;
const Project = z.object({ id: z.number(), path_with_namespace: z.string(), http_url_to_repo: z.string() });
const Member = z.object({ id: z.number(), username: z.string(), access_level: z.number() });
const Hook = z.object({ id: z.number(), url: z.string() });
const TagRule = z.object({ name: z.string(), create_access_levels: z.array(z.object({ access_level: z.number().nullable() })) });

interface Answer {
  readonly status: number;
  readonly json: unknown;
  readonly nextPage: string;
}

export function createGitLabClient(options: GitLabClientOptions): GitLabClient {
  const { token, timeoutMs = 15_000 } = options;
  const send = options.fetch ?? fetch;
  const base = options.url.replace(/\/+$/, '');
  registerSecret(token);

  /** One call; `accepted` statuses are answers, every other one is an error with the host's own words. */
  const call = async (method: string, path: string, accepted: readonly number[], body?: object): Promise<Answer> => {
    const where = `${method} ${base}/api/v4${path}`;
    let response: Response;
    let text: string;
    try {
      response = await send(`${base}/api/v4${path}`, {
        method,
        redirect: 'error',
        headers: { 'private-token': token, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])]),
      });
      text = await readText(response);
    } catch (cause) {
      if (cause instanceof GitError) throw cause;
      throw new GitError('HOST_UNREACHABLE', `${where} failed.`, {
        kind: 'upstream',
        retryable: true,
        cure: 'Look whether the Git host runs and git.url is right.',
        cause,
      });
    }
    let json: unknown;
    try {
      json = text === '' ? undefined : JSON.parse(text);
    } catch {
      json = undefined;
    }
    if (accepted.includes(response.status)) return { status: response.status, json, nextPage: response.headers.get('x-next-page') ?? '' };
    const retryable = response.status >= 500 || response.status === 429;
    throw new GitError('HOST_REFUSED', `${where} was answered with ${response.status}: ${text.slice(0, 500)}`, {
      kind: 'upstream',
      retryable,
      cure:
        response.status === 401 || response.status === 403
          ? 'Give the platform a token with the scope api that owns the group of services.'
          : retryable
            ? 'It is tried again.'
            : "Look at the Git host: what stands in the way there is not the platform's.",
    });
  };

  const read = <T>(schema: z.ZodType<T>, { json }: Answer, what: string): T => {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new GitError('HOST_PROTOCOL', `The answer of ${base} to ${what} is none of GitLab's API.`, {
      kind: 'upstream',
      cure: 'Look whether git.url is the address of a GitLab.',
    });
  };

  const list = async <T>(schema: z.ZodType<T>, path: string, what: string): Promise<T[]> => {
    const found: T[] = [];
    let next = '1';
    for (let pages = 0; next !== '' && pages < maxPages; pages += 1) {
      const answer = await call('GET', `${path}${path.includes('?') ? '&' : '?'}per_page=100&page=${encodeURIComponent(next)}`, [200]);
      found.push(...read(z.array(schema), answer, what));
      next = answer.nextPage;
    }
    return found;
  };

  const groupAt = async (path: string): Promise<GitLabGroup | undefined> => {
    const answer = await call('GET', `/groups/${encodeURIComponent(path)}?with_projects=false`, [200, 404]);
    if (answer.status === 404) return undefined;
    const { id, full_path: full, default_branch_protection: branchProtection } = read(Group, answer, 'a group');
    return { id, path: full, branchProtection: branchProtection ?? undefined };
  };

  const projectAt = async (path: string): Promise<GitLabProject | undefined> => {
    const answer = await call('GET', `/projects/${encodeURIComponent(path)}`, [200, 404]);
    if (answer.status === 404) return undefined;
    const found = read(Project, answer, 'a project');
    return { id: found.id, path: found.path_with_namespace, cloneUrl: found.http_url_to_repo };
  };

  /** Found, else made, else found: somebody else may have been quicker, and GitLab answers 400 to a path that is taken. */
  const foundOrMade = async <T>(what: string, find: () => Promise<T | undefined>, make: () => Promise<Answer>): Promise<T> => {
    const before = await find();
    if (before !== undefined) return before;
    const answer = await make();
    const after = await find();
    if (after !== undefined) return after;
    throw new GitError(
      'HOST_REFUSED',
      `${what} could not be made at ${base}: ${JSON.stringify(answer.json ?? answer.status).slice(0, 300)}`,
      {
        kind: 'upstream',
        cure: "Look at the Git host: the path may be taken by something that the platform's token cannot see.",
      },
    );
  };

  const findUser = async (username: string): Promise<z.infer<typeof User> | undefined> => {
    const found = await list(User, `/users?username=${encodeURIComponent(username)}`, 'a search for a user');
    return found.find((user) => user.username.toLowerCase() === username.toLowerCase());
  };

  let own: Promise<string> | undefined;
  return {
    url: base,
    username() {
      own ??= call('GET', '/user', [200]).then(
        (answer) => read(z.object({ username: z.string() }), answer, 'who the token is of').username,
      );
      own.catch(() => {
        own = undefined;
      });
      return own;
    },
    async ensureGroup(path) {
      let group: GitLabGroup | undefined;
      for (const segment of path.split('/')) {
        const parent: GitLabGroup | undefined = group;
        const full = parent ? `${parent.path}/${segment}` : segment;
        group = await foundOrMade(
          `The group ${full}`,
          () => groupAt(full),
          () =>
            call('POST', '/groups', [201, 400, 409], {
              name: segment,
              path: segment,
              visibility: 'private',
              default_branch_protection: partlyProtected,
              ...(parent ? { parent_id: parent.id } : {}),
            }),
        );
      }
      const own = group as GitLabGroup;
      if (own.branchProtection !== undefined && own.branchProtection !== partlyProtected)
        await call('PUT', `/groups/${own.id}`, [200], { default_branch_protection: partlyProtected });
      return own;
    },
    ensureProject: (group, name) =>
      foundOrMade(
        `The project ${group.path}/${name}`,
        () => projectAt(`${group.path}/${name}`),
        () => call('POST', '/projects', [201, 400, 409], { name, path: name, namespace_id: group.id, visibility: 'private' }),
      ),
    async ensureProtectedTags(project, pattern, level) {
      const path = `/projects/${project.id}/protected_tags`;
      const standing = (await list(TagRule, path, 'the protected tags')).find((rule) => rule.name === pattern);
      const levels = standing?.create_access_levels.map((one) => one.access_level) ?? [];
      if (standing && levels.length === 1 && levels[0] === level) return;
      // GitLab changes no rule of this kind: it is made anew, and for that instant the tags are not protected.
      if (standing) await call('DELETE', `${path}/${encodeURIComponent(pattern)}`, [204, 404]);
      await call('POST', path, [201, 409, 422], { name: pattern, create_access_level: level });
    },
    async ensureHook(project, { url, token: secret }) {
      const path = `/projects/${project.id}/hooks`;
      const wanted = { url, token: secret, push_events: true, tag_push_events: true, enable_ssl_verification: true };
      const standing = (await list(Hook, path, 'the webhooks')).filter((hook) => hook.url === url);
      // The token can be written and not read: it is always written, so that a changed one takes effect.
      if (standing[0]) await call('PUT', `${path}/${standing[0].id}`, [200], wanted);
      else await call('POST', path, [201], wanted);
      for (const twin of standing.slice(1)) await call('DELETE', `${path}/${twin.id}`, [204, 404]);
    },
    async ensureMembers(group, members) {
      const path = `/groups/${group.id}/members`;
      const standing = new Map((await list(Member, path, 'the members')).map((member) => [member.username.toLowerCase(), member]));
      const unknown: string[] = [];
      for (const { username, name, level } of members) {
        const member = standing.get(username.toLowerCase());
        if (level === undefined) {
          if (member) await call('DELETE', `${path}/${member.id}`, [204, 404]);
        } else if (member) {
          if (member.access_level !== level) await call('PUT', `${path}/${member.id}`, [200], { access_level: level });
        } else {
          let user = await findUser(username);
          if (!user) {
            // 403: the token is no administrator's; the person must have logged in once.
            await call('POST', '/users', [201, 400, 403, 409], {
              username,
              name,
              email: `${username}@desp.invalid`,
              force_random_password: true,
              skip_confirmation: true,
            });
            user = await findUser(username);
          }
          if (user) await call('POST', path, [201, 409], { user_id: user.id, access_level: level });
          else unknown.push(username);
        }
      }
      return unknown;
    },
  };
}

async function readText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of response.body ?? []) {
    total += piece.length;
    if (total > maxAnswerBytes) throw new Error('the answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
