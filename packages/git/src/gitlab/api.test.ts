import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGitLabClient, type GitLabClient } from '../client/gitlab-client.ts';
import { startTestHost, type TestHost } from '../testing/gitlab-host.ts';
import { matchesWildcard } from './host.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
let lab: TestHost;
let client: GitLabClient;

const people = [
  { username: 'alice', name: 'Alice', level: 30 as const },
  { username: 'ivv', name: 'Ivo', level: 20 as const },
];

/** What the platform makes for a service, over the API. */
async function provision(): Promise<{ group: number; project: number }> {
  const group = await client.ensureGroup('DESP/APP');
  const project = await client.ensureProject(group, 'app');
  await client.ensureProtectedTags(project, '*', 30);
  await client.ensureHook(project, { url: 'http://127.0.0.1:1/hook', token: 'hook-secret' });
  expect(await client.ensureMembers(group, people)).toEqual([]);
  return { group: group.id, project: project.id };
}

describe.skipIf(!hasGit)('the REST API of the embedded GitLab (needs git on this machine)', () => {
  beforeEach(async () => {
    lab = await startTestHost();
    client = createGitLabClient({ url: lab.url, token: 'token-platform' });
  });
  afterEach(() => lab.stop());

  test('makes groups, a project, protection, a webhook and members; twice is once', async () => {
    const first = await provision();
    expect(await provision()).toEqual(first);
    const project = await lab.call('GET', '/projects/DESP%2FAPP%2Fapp');
    expect(project.json).toMatchObject({
      id: first.project,
      path_with_namespace: 'DESP/APP/app',
      http_url_to_repo: `${lab.url}/DESP/APP/app.git`,
      visibility: 'private',
      empty_repo: true,
      namespace: { id: first.group, full_path: 'DESP/APP', kind: 'group' },
    });
    expect((await lab.call('GET', `/projects/${first.project}/protected_tags`)).json).toMatchObject([
      { name: '*', create_access_levels: [{ access_level: 30, access_level_description: 'Developers + Maintainers' }] },
    ]);
    const hooks = await lab.call('GET', `/projects/${first.project}/hooks`);
    expect(hooks.json).toMatchObject([{ url: 'http://127.0.0.1:1/hook', push_events: true, tag_push_events: true }]);
    expect(hooks.text).not.toContain('hook-secret');
    expect((await lab.call('GET', `/groups/${first.group}/members`)).json.map((one: { username: string }) => one.username)).toEqual([
      'alice',
      'ivv',
    ]);
    expect(await client.username()).toBe('$platform');
  });

  test('members follow what is wished: changed, removed, others left alone', async () => {
    const { group } = await provision();
    await lab.call('POST', '/users', { body: { username: 'guest', name: 'Guest', email: 'guest@example.org' } });
    expect((await lab.call('POST', `/groups/${group}/members`, { form: { username: 'guest', access_level: '10' } })).status).toBe(201);
    await client.ensureMembers({ id: group, path: 'DESP/APP' }, [
      { username: 'alice', name: 'Alice', level: undefined },
      { username: 'ivv', name: 'Ivo', level: 40 },
    ]);
    const members = (await lab.call('GET', `/groups/${group}/members`)).json as { username: string; access_level: number }[];
    expect(members.map(({ username, access_level }) => [username, access_level])).toEqual([
      ['ivv', 40],
      ['guest', 10],
    ]);
    // Who is no member any more sees nothing any more, at once.
    expect((await lab.call('GET', '/projects/DESP%2FAPP%2Fapp', { as: 'alice' })).status).toBe(404);
  });

  test('a group that keeps developers from its default branches, as GitLab makes them, is opened to them', async () => {
    await provision();
    const changes: unknown[] = [];
    const gitlab = createGitLabClient({
      url: lab.url,
      token: 'token-platform',
      async fetch(input, init) {
        if (init?.method === 'PUT') changes.push([String(input).replace(lab.url, ''), JSON.parse(String(init.body))]);
        const answer = await fetch(input, init);
        return new Response((await answer.text()).replace('"default_branch_protection":1', '"default_branch_protection":2'), answer);
      },
    });
    const { id } = await gitlab.ensureGroup('DESP/APP');
    expect(changes).toEqual([[`/api/v4/groups/${id}`, { default_branch_protection: 1 }]]);
  });

  test('what is there is kept over a restart', async () => {
    const ids = await provision();
    await lab.restart();
    client = createGitLabClient({ url: lab.url, token: 'token-platform' });
    expect(await provision()).toEqual(ids);
  });

  test("answers in GitLab's words", async () => {
    const { group, project } = await provision();
    const words = async (method: string, path: string, body?: unknown, as?: string) => {
      const answer = await lab.call(method, path, { ...(body === undefined ? {} : { body }), ...(as ? { as } : {}) });
      return [answer.status, answer.json];
    };
    expect(await words('GET', '/projects/1', undefined, 'nobody')).toEqual([401, { message: '401 Unauthorized' }]);
    expect(await words('GET', '/projects/nope%2Fnope')).toEqual([404, { message: '404 Project Not Found' }]);
    expect(await words('GET', '/groups/nope')).toEqual([404, { message: '404 Group Not Found' }]);
    expect(await words('GET', '/nothing')).toEqual([404, { error: '404 Not Found' }]);
    expect(await words('PATCH', '/projects/1')).toEqual([405, { error: '405 Not Allowed' }]);
    expect(await words('POST', '/groups', { path: 'x' })).toEqual([400, { error: 'name is missing' }]);
    expect(await words('POST', '/groups', { name: 'DESP', path: 'DESP' })).toEqual([
      400,
      { message: 'Failed to save group {:path=>["has already been taken"]}' },
    ]);
    expect((await words('POST', '/projects', { name: 'app', namespace_id: group }))[1]).toMatchObject({
      message: { path: ['has already been taken'] },
    });
    expect(await words('POST', `/groups/${group}/members`, { username: 'alice', access_level: 30 })).toEqual([
      409,
      { message: 'Member already exists' },
    ]);
    expect(await words('POST', `/groups/${group}/members`, { username: 'alice', access_level: 31 })).toEqual([
      400,
      { error: 'access_level does not have a valid value' },
    ]);
    expect(await words('POST', `/projects/${project}/protected_tags`, { name: '*' })).toEqual([
      422,
      { message: ['Name has already been taken'] },
    ]);
    expect(await words('POST', `/projects/${project}/hooks`, { url: 'file:///etc/passwd' })).toEqual([422, { error: 'Invalid url given' }]);
    expect(await words('POST', '/groups', '{"a"')).toEqual([400, { error: 'Invalid JSON' }]);
  });

  test('what cannot be honoured is refused, not ignored', async () => {
    const { group, project } = await provision();
    const refused = [
      ['/projects', { name: 'open', namespace_id: group, visibility: 'public' }],
      ['/projects', { name: 'readme', namespace_id: group, initialize_with_readme: true }],
      [`/projects/${project}/hooks`, { url: 'http://127.0.0.1:1/x', issues_events: true }],
      [`/projects/${project}/protected_tags`, { name: 'v*', allowed_to_create: [{ user_id: 1 }] }],
      [`/groups/${group}/members`, { username: 'ivv', access_level: 30, expires_at: '2030-01-01' }],
      ['/groups', { name: '../x', path: '../x' }],
      ['/groups', { name: 'open', path: 'open', default_branch_protection: 0 }],
    ] as const;
    for (const [path, body] of refused) expect((await lab.call('POST', path, { body })).status, path).toBe(400);
  });

  test('pages as GitLab does', async () => {
    await provision();
    for (let i = 0; i < 25; i++) await lab.call('POST', '/groups', { body: { name: `g${i}`, path: `g${i}` } });
    const first = await lab.call('GET', '/groups?per_page=10');
    expect(first.json).toHaveLength(10);
    expect(['x-total', 'x-total-pages', 'x-next-page'].map((name) => first.headers.get(name))).toEqual(['27', '3', '2']);
    expect((await lab.call('GET', '/groups?per_page=10&page=3')).json).toHaveLength(7);
  });
});

describe.skipIf(!hasGit)('who may call it (needs git on this machine)', () => {
  let ids: { group: number; project: number };
  beforeAll(async () => {
    lab = await startTestHost();
    client = createGitLabClient({ url: lab.url, token: 'token-platform' });
    ids = await provision();
    const top = await client.ensureGroup('DESP');
    await client.ensureMembers(top, [{ username: 'operator', name: 'Olga', level: 50 }]);
    await lab.call('POST', '/users', { body: { username: 'carol', name: 'Carol', email: 'carol@example.org' } });
    await client.ensureMembers(await client.ensureGroup('DESP/OTHER'), [{ username: 'bob', name: 'Bob', level: 30 }]);
  });
  afterAll(() => lab.stop());

  const calls = (): [string, string, unknown?][] => [
    ['GET', '/projects/DESP%2FAPP%2Fapp'],
    ['GET', `/groups/${ids.group}`],
    ['GET', `/groups/${ids.group}/members`],
    ['POST', `/groups/${ids.group}/members`, { username: 'carol', access_level: 30 }],
    ['PUT', `/groups/${ids.group}`, { default_branch_protection: 1 }],
    ['POST', '/groups', { name: 'mine', path: 'mine' }],
    ['POST', '/projects', { name: 'second', namespace_id: ids.group }],
    ['GET', `/projects/${ids.project}/hooks`],
    ['POST', `/projects/${ids.project}/hooks`, { url: 'http://127.0.0.1:1/x' }],
    ['GET', `/projects/${ids.project}/protected_tags`],
    ['DELETE', `/projects/${ids.project}/protected_tags/nope`],
    ['PUT', `/projects/${ids.project}`, { visibility: 'internal' }],
    ['POST', '/users', { username: 'eve', name: 'Eve', email: 'eve@example.org' }],
    ['GET', '/users?username=alice'],
  ];
  const statuses = async (as: string) => {
    const seen: number[] = [];
    for (const [method, path, body] of calls()) seen.push((await lab.call(method, path, { as, ...(body ? { body } : {}) })).status);
    return seen;
  };

  test.each([
    ['nobody', Array(14).fill(401)],
    // Another company's person sees no more than a stranger; a search finds nobody.
    ['bob', [404, 404, 404, 404, 404, 403, 404, 404, 404, 404, 404, 404, 403, 200]],
    ['stranger', [404, 404, 404, 404, 404, 403, 404, 404, 404, 404, 404, 404, 403, 200]],
    ['job', [200, 404, 404, 404, 404, 403, 404, 403, 403, 403, 403, 403, 403, 200]],
    ['ivv', [200, 200, 200, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 200]],
    ['alice', [200, 200, 200, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 200]],
    ['operator', [200, 200, 200, 201, 200, 403, 201, 200, 201, 200, 404, 200, 403, 200]],
  ])('%s', async (as, wanted) => {
    await lab.call('PUT', `/projects/${ids.project}`, { body: { visibility: 'private' } });
    expect(await statuses(as)).toEqual(wanted);
  });

  test('companies are not told of each other', async () => {
    await lab.call('PUT', `/projects/${ids.project}`, { body: { visibility: 'private' } });
    expect((await lab.call('GET', '/users', { as: 'bob' })).json).toMatchObject([{ username: 'bob' }]);
    expect((await lab.call('GET', '/users?username=alice', { as: 'bob' })).json).toEqual([]);
    expect((await lab.call('GET', '/groups', { as: 'bob' })).json.map((one: { full_path: string }) => one.full_path)).toEqual([
      'DESP',
      'DESP/OTHER',
    ]);
    // The group on the way to their own is seen, its people are not.
    expect((await lab.call('GET', '/groups/DESP/members', { as: 'bob' })).status).toBe(404);
    expect((await lab.call('GET', '/projects', { as: 'bob' })).text).not.toContain('app');
  });

  test('nobody gives more than they have', async () => {
    const member = (await lab.call('GET', `/users?username=operator`)).json[0].id as number;
    const top = (await lab.call('GET', '/groups/DESP')).json.id as number;
    expect((await lab.call('PUT', `/groups/${top}/members/${member}`, { as: 'alice', body: { access_level: 10 } })).status).toBe(404);
    expect((await lab.call('PUT', `/groups/${top}/members/${member}`, { as: 'operator', body: { access_level: 60 } })).status).toBe(400);
  });

  test('no path and no body breaks it', async () => {
    // A lone `..` never leaves the client: it is a part of the address's own grammar (WHATWG URL, "path state").
    const free = fc.string({ unit: 'binary', maxLength: 40 }).filter((part) => !/^\.{1,2}$/.test(part));
    const text = fc.oneof(free, fc.constantFrom('%', '../x', '%2F', '%00', '1', 'DESP', '*', '-1', 'NaN'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD'),
        fc.constantFrom('groups', 'projects', 'users', 'namespaces', 'nothing'),
        fc.array(fc.oneof(text, fc.constantFrom('members', 'hooks', 'protected_tags', 'all', 'subgroups')), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('name', 'path', 'namespace_id', 'parent_id', 'access_level', 'user_id', 'url', 'token', '__proto__', 'page'),
          fc.jsonValue({ maxDepth: 2 }),
          { maxKeys: 5 },
        ),
        async (method, resource, parts, body) => {
          const path = [resource, ...parts.map((part) => encodeURIComponent(part.toWellFormed()))].join('/');
          const response = await fetch(`${lab.url}/api/v4/${path}`, {
            method,
            headers: { 'private-token': 'token-alice', 'content-type': 'application/json' },
            ...(method === 'GET' || method === 'HEAD' ? {} : { body: JSON.stringify(body) }),
          });
          await response.text();
          expect([200, 400, 403, 404, 405, 409, 414, 422]).toContain(response.status);
        },
      ),
      { numRuns: 80 },
    );
    expect((await lab.call('GET', '/projects/DESP%2FAPP%2Fapp')).status).toBe(200);
  });

  test('a body without end, a wrong type and a broken path end in a clear answer', async () => {
    const raw = (path: string, init: RequestInit) =>
      fetch(`${lab.url}/api/v4${path}`, { ...init, headers: { 'private-token': 'token-platform', ...init.headers } });
    expect(
      (await raw('/groups', { method: 'POST', headers: { 'content-type': 'application/json' }, body: 'x'.repeat(300_000) })).status,
    ).toBe(413);
    expect((await raw('/groups', { method: 'POST', headers: { 'content-type': 'text/yaml' }, body: 'a: b' })).status).toBe(415);
    expect((await raw('/projects/%zz', {})).status).toBe(400);
    expect((await raw(`/projects/${'x'.repeat(5000)}`, {})).status).toBe(414);
  });
});

test('a wildcard stands for any text, everything else for itself', () => {
  const cases: [string, string, boolean][] = [
    ['*', '1.2.3', true],
    ['v*', 'v1', true],
    ['v*', '1', false],
    ['*-rc*', '1.0-rc1', true],
    ['1.0', '1.0', true],
    ['1.0', '1x0', false],
    ['a*a', 'a', false],
    ['a*b*a', 'aba', true],
  ];
  for (const [pattern, name, wanted] of cases) expect(matchesWildcard(pattern, name), `${pattern} ${name}`).toBe(wanted);
});
