import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createHarborClient, createRegistryClient, type HarborClient } from '../index.ts';
import { startTestRegistry } from '../testing-registry.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The platform and three people; memberships decide, as in the product. */
const people = ['platform', 'alice', 'bob', 'ivv'];
async function start(folder?: string) {
  const server = await startTestRegistry({
    ...(folder ? { folder } : {}),
    authorize: undefined as never,
    authenticate: (username, password) =>
      people.includes(username) && password === `${username}-password`
        ? { kind: username === 'platform' ? 'platform' : 'person', name: username }
        : undefined,
    knowsUser: (username) => people.includes(username),
  });
  const client = createHarborClient({ url: server.url, credentials: { username: 'platform', password: 'platform-password' } });
  cleanups.push(() => client.close());
  const call = async (as: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.url}/api/v2.0${path}`, {
      method,
      headers: {
        ...(as === 'nobody' ? {} : { authorization: `Basic ${Buffer.from(`${as}:${as}-password`).toString('base64')}` }),
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, json: text ? JSON.parse(text) : undefined, location: response.headers.get('location') };
  };
  return { server, client, call };
}
const release = { preventVulnerable: false, severity: 'high', scanOnPush: true, immutableTags: true } as const;

async function provision(client: HarborClient) {
  await client.ensureProject('app', release);
  return client.ensureMembers('app', [
    { username: 'alice', role: 2 },
    { username: 'ivv', role: 5 },
    { username: 'unheard-of', role: 5 },
  ]);
}

describe("Harbor's API", () => {
  it('makes a project with rules, members and a robot; twice is once', async () => {
    const { server, client, call } = await start();
    cleanups.push(server.stop);
    expect(await provision(client)).toEqual(['unheard-of']);
    expect(await provision(client)).toEqual(['unheard-of']);
    const project = await call('platform', 'GET', '/projects/app');
    expect(project.json).toMatchObject({
      name: 'app',
      metadata: { public: 'false', prevent_vul: 'false', severity: 'high', auto_scan: 'true' },
    });
    expect((await call('platform', 'GET', `/projects/${project.json.project_id}`)).json).toEqual(project.json);
    expect((await call('platform', 'GET', '/projects/app/immutabletagrules')).json).toMatchObject([
      { action: 'immutable', tag_selectors: [{ pattern: '**' }] },
    ]);
    expect((await call('platform', 'GET', '/projects/app/members')).json).toMatchObject([
      { entity_name: 'alice', entity_type: 'u', role_id: 2, role_name: 'developer' },
      { entity_name: 'ivv', role_id: 5, role_name: 'limitedGuest' },
    ]);
    await client.ensureProject('app', { ...release, preventVulnerable: true });
    expect((await call('platform', 'GET', '/projects/app')).json.metadata.prevent_vul).toBe('true');
  });

  it('gives a robot a new secret when it is there, and the old one is over', async () => {
    const { server, client } = await start();
    cleanups.push(server.stop);
    await provision(client);
    const works = async ({ username, secret }: { username: string; secret: string }) => {
      const registry = createRegistryClient({ url: server.url, credentials: { username, password: secret } });
      cleanups.push(() => registry.close());
      return registry.ping().then(
        () => true,
        () => false,
      );
    };
    const first = await client.ensureRobot('app', 'pull', ['pull']);
    expect(first.username).toBe('robot$app+pull');
    expect(await works(first)).toBe(true);
    const second = await client.ensureRobot('app', 'pull', ['pull']);
    expect([await works(first), await works(second)]).toEqual([false, true]);
  });

  it('lets members do what their role says, at once', async () => {
    const { server, client } = await start();
    cleanups.push(server.stop);
    await provision(client);
    const may = async (as: string) => {
      const query = 'service=harbor-registry&scope=repository:app/web:pull,push,delete';
      const response = await fetch(`${server.url}/service/token?${query}`, {
        headers: { authorization: `Basic ${Buffer.from(`${as}:${as}-password`).toString('base64')}` },
      });
      const { token } = (await response.json()) as { token: string };
      return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).access[0]?.actions ?? [];
    };
    expect(await may('alice')).toEqual(['pull', 'push']);
    expect(await may('ivv')).toEqual(['pull']);
    expect(await may('bob')).toEqual([]);
    await client.ensureMembers('app', [
      { username: 'alice', role: undefined },
      { username: 'ivv', role: 4 },
    ]);
    expect(await may('alice')).toEqual([]);
    expect(await may('ivv')).toEqual(['pull', 'push', 'delete']);
  });

  it('shows and gives nothing to who has no right', async () => {
    const { server, client, call } = await start();
    cleanups.push(server.stop);
    await provision(client);
    const project = (await call('platform', 'GET', '/projects/app')).json.project_id as number;
    const calls: [string, string, unknown?][] = [
      ['GET', '/projects/app'],
      ['GET', `/projects/${project}`],
      ['PUT', '/projects/app', { metadata: { prevent_vul: 'false' } }],
      ['GET', '/projects/app/members'],
      ['POST', '/projects/app/members', { role_id: 1, member_user: { username: 'bob' } }],
      ['GET', '/projects/app/immutabletagrules'],
      ['DELETE', `/projects/app/immutabletagrules/${project}`],
      ['POST', '/projects', { project_name: 'mine' }],
      [
        'POST',
        '/robots',
        { name: 'x', level: 'project', permissions: [{ namespace: 'app', access: [{ resource: 'repository', action: 'pull' }] }] },
      ],
      ['PATCH', '/robots/1', { secret: '' }],
    ];
    const statuses = async (as: string) => {
      const seen: number[] = [];
      for (const [method, path, body] of calls) seen.push((await call(as, method, path, body)).status);
      return seen;
    };
    expect(await statuses('nobody')).toEqual(Array(10).fill(401));
    expect(await statuses('bob')).toEqual([404, 404, 404, 404, 404, 404, 404, 403, 403, 404]);
    expect(await statuses('alice')).toEqual([200, 200, 403, 403, 403, 403, 403, 403, 403, 404]);
  });

  it("answers in Harbor's words, and refuses what it cannot honour", async () => {
    const { server, client, call } = await start();
    cleanups.push(server.stop);
    await provision(client);
    const cases: [string, string, unknown, number, string][] = [
      ['POST', '/projects', { project_name: 'app' }, 409, 'CONFLICT'],
      ['POST', '/projects', { project_name: 'open', metadata: { public: 'true' } }, 400, 'BAD_REQUEST'],
      ['POST', '/projects', { project_name: 'x', metadata: { enable_content_trust: 'true' } }, 400, 'BAD_REQUEST'],
      ['POST', '/projects', { project_name: 'No Name' }, 400, 'BAD_REQUEST'],
      ['POST', '/projects/app/members', { role_id: 2, member_user: { username: 'alice' } }, 409, 'CONFLICT'],
      ['POST', '/projects/app/members', { role_id: 9, member_user: { username: 'bob' } }, 400, 'BAD_REQUEST'],
      ['POST', '/projects/app/members', { role_id: 2, member_group: { group_name: 'x' } }, 400, 'BAD_REQUEST'],
      ['POST', '/projects/app/immutabletagrules', { tag_selectors: [], scope_selectors: { repository: [] } }, 400, 'BAD_REQUEST'],
      ['PATCH', '/robots/9', { secret: 'weak' }, 404, 'NOT_FOUND'],
      ['POST', '/projects', '{', 400, 'BAD_REQUEST'],
    ];
    for (const [method, path, body, status, code] of cases) {
      const answer = await call('platform', method, path, body);
      expect([answer.status, answer.json.errors[0].code], `${method} ${path} ${JSON.stringify(body)}`).toEqual([status, code]);
    }
  });

  it('keeps its records over a restart', async () => {
    const first = await start();
    await provision(first.client);
    const before = await first.call('platform', 'GET', '/projects/app');
    await first.server.stop(true);
    const second = await start(first.server.folder);
    cleanups.push(second.server.stop);
    expect((await second.call('platform', 'GET', '/projects/app')).json).toEqual(before.json);
    expect((await second.call('alice', 'GET', '/projects/app')).status).toBe(200);
  });

  it('is broken by no path and no body', async () => {
    const { server, client, call } = await start();
    cleanups.push(server.stop);
    await provision(client);
    const part = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !/^\.{1,2}$/.test(text)),
      fc.constantFrom('app', 'members', 'immutabletagrules', 'repositories', '1', '%2F', '0', '-1'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
        fc.constantFrom('projects', 'robots', 'users'),
        fc.array(part, { maxLength: 3 }),
        fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.record({ project_name: part, metadata: fc.dictionary(part, part, { maxKeys: 2 }) })),
        async (method, resource, parts, body) => {
          const path = ['', resource, ...parts.map((text) => encodeURIComponent(text.toWellFormed()))].join('/');
          const { status } = await call('alice', method, path, method === 'GET' ? undefined : body);
          expect([200, 400, 403, 404, 409]).toContain(status);
        },
      ),
      { numRuns: 100 },
    );
  });
});
