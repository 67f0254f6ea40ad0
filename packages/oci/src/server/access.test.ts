import { SteppingClock } from '@desp/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { harborPrevented } from '../index.ts';
import { basic, errorCode, startTestRegistry } from '../testing-registry.ts';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());
const start = async (options: Parameters<typeof startTestRegistry>[0] = {}) => {
  const server = await startTestRegistry(options);
  stop = server.stop;
  return server;
};
type Server = Awaited<ReturnType<typeof startTestRegistry>>;

const fetchToken = async (server: Server, as: string, ...scopes: string[]) => {
  const query = new URLSearchParams([['service', 'harbor-registry'], ...scopes.map((scope) => ['scope', scope] as [string, string])]);
  const response = await fetch(`${server.url}/service/token?${query}`, { headers: as === 'nobody' ? {} : { authorization: basic(as) } });
  return { status: response.status, body: (await response.json()) as { token: string; expires_in: number; issued_at: string } };
};
const grants = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).access;
const bearer = (server: Server, token: string, path: string, method = 'GET') =>
  fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });

describe('the token service', () => {
  it('grants of several scopes what the caller may, and nothing to nobody', async () => {
    const server = await start();
    const { status, body } = await fetchToken(
      server,
      'alice',
      'repository:sample-app/a:pull,push',
      'repository:other-app/b:pull',
      'nonsense',
    );
    expect([status, body.expires_in >= 60]).toEqual([200, true]);
    expect(grants(body.token)).toEqual([{ type: 'repository', name: 'sample-app/a', actions: ['pull', 'push'] }]);
    expect((await fetchToken(server, 'nobody', 'repository:sample-app/a:pull')).status).toBe(401);
    expect((await fetchToken(server, 'mallory', 'repository:sample-app/a:pull')).status).toBe(401);
  });

  it('binds a token to its scope, its registry, its time and its signature', async () => {
    const clock = new SteppingClock();
    const server = await start({ clock });
    await server.pushBlob('sample-app/a', Buffer.from('x'));
    await server.pushBlob('sample-app/b', Buffer.from('x'));
    const { token } = (await fetchToken(server, 'alice', 'repository:sample-app/a:pull')).body;
    expect((await bearer(server, token, '/v2/sample-app/a/tags/list')).status).toBe(200);
    expect((await bearer(server, token, '/v2/sample-app/b/tags/list')).status).toBe(401);
    expect((await bearer(server, token, '/v2/sample-app/a/blobs/uploads/', 'POST')).status).toBe(401);
    const [head, payload, signature = ''] = token.split('.');
    const forged = Buffer.from(payload!, 'base64url').toString().replace('"pull"', '"push"');
    expect((await bearer(server, `${head}.${Buffer.from(forged).toString('base64url')}.${signature}`, '/v2/')).status).toBe(401);
    expect((await bearer(server, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`, '/v2/')).status).toBe(401);
    clock.step(301_000);
    expect((await bearer(server, token, '/v2/sample-app/a/tags/list')).status).toBe(401);
  });

  it('grants nothing more once the right is lost', async () => {
    let allowed = true;
    const server = await start({ authorize: () => allowed });
    await server.pushBlob('sample-app/a', Buffer.from('x'));
    const { token } = (await fetchToken(server, 'alice', 'repository:sample-app/a:pull')).body;
    allowed = false;
    expect((await bearer(server, token, '/v2/sample-app/a/tags/list')).status).toBe(401);
  });
});

describe("another service's project", () => {
  it('answers in the same words whether it exists or not', async () => {
    const server = await start();
    const image = await server.imageManifest('sample-app/a', 'layer');
    await server.putManifest('sample-app/a', 'v1', image.text);
    const answer = async (path: string, method = 'GET') => {
      const response = await server.call(method, path, { as: 'bob' });
      const text = (await response.text()).replaceAll('sample-app', 'X').replaceAll('no-such', 'X');
      return [response.status, text, response.headers.get('www-authenticate')?.replaceAll('sample-app', 'X').replaceAll('no-such', 'X')];
    };
    for (const [method, rest] of [
      ['GET', 'a/manifests/v1'],
      ['GET', `a/blobs/${image.layer.digest}`],
      ['GET', 'a/tags/list'],
      ['GET', `a/referrers/${image.digest}`],
      ['POST', 'a/blobs/uploads/'],
      ['DELETE', 'a/manifests/v1'],
    ] as const) {
      expect(await answer(`/v2/sample-app/${rest}`, method)).toEqual(await answer(`/v2/no-such/${rest}`, method));
      expect((await answer(`/v2/sample-app/${rest}`, method))[0]).toBe(401);
    }
    for (const rest of ['', '/repositories', '/repositories/a/artifacts']) {
      expect(await answer(`/api/v2.0/projects/sample-app${rest}`)).toEqual(await answer(`/api/v2.0/projects/no-such${rest}`));
    }
  });
});

describe('robots', () => {
  it('act in their project alone, until they end', async () => {
    const clock = new SteppingClock();
    const server = await start({ clock });
    await server.pushBlob('sample-app/a', Buffer.from('x'));
    await server.pushBlob('second/a', Buffer.from('x'));
    const robot = await server.registry.createRobot({
      project: 'sample-app',
      name: 'pull',
      actions: ['pull'],
      expiresAt: new Date(clock.now().getTime() + 60_000),
    });
    expect(robot.name).toBe('robot$sample-app+pull');
    const authorization = `Basic ${Buffer.from(`${robot.name}:${robot.secret}`).toString('base64')}`;
    const status = async (path: string, method = 'GET') =>
      (await fetch(`${server.url}${path}`, { method, headers: { authorization } })).status;
    expect(await status('/v2/sample-app/a/tags/list')).toBe(200);
    expect(await status('/v2/second/a/tags/list')).toBe(401);
    expect(await status('/v2/sample-app/a/blobs/uploads/', 'POST')).toBe(401);
    clock.step(61_000);
    expect(await status('/v2/sample-app/a/tags/list')).toBe(401);
  });

  it("are made and removed over Harbor's API by who may", async () => {
    const server = await start();
    const body = JSON.stringify({
      name: 'ci',
      level: 'project',
      permissions: [{ kind: 'project', namespace: 'sample-app', access: [{ resource: 'repository', action: 'pull' }] }],
    });
    expect((await server.call('POST', '/api/v2.0/robots', { body })).status).toBe(403);
    const made = await server.call('POST', '/api/v2.0/robots', { body, as: 'platform' });
    const robot = (await made.json()) as { id: number; name: string; secret: string };
    expect([made.status, robot.name, robot.secret.length > 30]).toEqual([201, 'robot$sample-app+ci', true]);
    expect((await server.call('POST', '/api/v2.0/robots', { body, as: 'platform' })).status).toBe(409);
    const list = await (await server.call('GET', '/api/v2.0/robots', { as: 'platform' })).text();
    expect(list.includes(robot.secret)).toBe(false);
    expect((await server.call('DELETE', `/api/v2.0/robots/${robot.id}`, { as: 'platform' })).status).toBe(200);
    expect(server.registry.listRobots()).toEqual([]);
  });
});

describe('policies', () => {
  it("prevent a pull in Harbor's words, by GET and HEAD, except for the platform; the fix can still be pushed", async () => {
    const judged = new Set<string>();
    const server = await start({
      beforePull: ({ digest }) => (judged.has(digest) ? { kind: 'allow' } : harborPrevented({ count: 2, severity: 'High' })),
    });
    const bad = await server.imageManifest('sample-app/a', 'bad');
    await server.putManifest('sample-app/a', 'v1', bad.text);
    for (const reference of ['v1', bad.digest]) {
      const response = await server.call('GET', `/v2/sample-app/a/manifests/${reference}`);
      expect(response.status).toBe(412);
      expect(await response.json()).toEqual({
        errors: [
          {
            code: 'PROJECTPOLICYVIOLATION',
            message:
              'current image with 2 vulnerabilities cannot be pulled due to configured policy in \'Prevent images with vulnerability severity of "High" or higher from running.\' To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist.',
          },
        ],
      });
      expect((await server.call('HEAD', `/v2/sample-app/a/manifests/${reference}`)).status).toBe(412);
      expect((await server.call('GET', `/v2/sample-app/a/manifests/${reference}`, { as: 'platform' })).status).toBe(200);
    }
    const good = await server.imageManifest('sample-app/a', 'good');
    judged.add(good.digest);
    expect((await server.putManifest('sample-app/a', 'v1', good.text)).status).toBe(201);
    expect((await server.call('GET', '/v2/sample-app/a/manifests/v1')).status).toBe(200);
  });

  it('that fail are closed', async () => {
    const server = await start({
      beforePull: () => {
        throw new Error('no verdicts today');
      },
    });
    const image = await server.imageManifest('sample-app/a', 'layer');
    await server.putManifest('sample-app/a', 'v1', image.text);
    const response = await server.call('GET', '/v2/sample-app/a/manifests/v1');
    expect([response.status, (await response.text()).includes('verdicts')]).toEqual([500, false]);
  });

  it('deny a push before anything is stored, and tell who was notified', async () => {
    const notices: string[] = [];
    const server = await start({
      beforePush: ({ tag }) => (tag === 'denied' ? { kind: 'denied', code: 'DENIED', message: 'no verdict' } : { kind: 'allow' }),
      onManifest: ({ repository, tag }) => void notices.push(`${repository}:${tag}`),
    });
    const image = await server.imageManifest('sample-app/a', 'layer');
    const denied = await server.putManifest('sample-app/a', 'denied', image.text);
    expect([denied.status, await errorCode(denied)]).toEqual([403, 'DENIED']);
    expect((await server.call('GET', `/v2/sample-app/a/manifests/${image.digest}`)).status).toBe(404);
    await server.putManifest('sample-app/a', 'allowed', image.text);
    expect(notices).toEqual(['sample-app/a:allowed']);
  });

  it('keep an immutable tag where it is', async () => {
    const server = await start();
    const push = async (content: string) => {
      const image = await server.imageManifest('releases/a', content, {}, 'platform');
      return server.putManifest('releases/a', '1.0.0', image.text, 'platform');
    };
    expect((await push('first')).status).toBe(201);
    const moved = await push('second');
    expect(moved.status).toBe(412);
    expect(await moved.json()).toEqual({
      errors: [{ code: 'PRECONDITION', message: "Failed to process request due to 'releases/a:1.0.0' configured as immutable." }],
    });
    expect((await push('first')).status).toBe(201);
    expect((await server.call('DELETE', '/v2/releases/a/manifests/1.0.0', { as: 'platform' })).status).toBe(412);
    const image = await server.imageManifest('releases/a', 'first', {}, 'platform');
    expect((await server.call('DELETE', `/v2/releases/a/manifests/${image.digest}`, { as: 'platform' })).status).toBe(412);
  });
});

describe("Harbor's API", () => {
  it('shows projects, repositories, artifacts and reports, in pages', async () => {
    const server = await start({ vulnerabilities: { read: ({ digest }) => ({ severity: 'High', digest }) } });
    const image = await server.imageManifest('sample-app/deep/image', 'layer');
    await server.putManifest('sample-app/deep/image', 'v1', image.text);
    const json = async (path: string) => {
      const response = await server.call('GET', `/api/v2.0${path}`);
      return { status: response.status, total: response.headers.get('x-total-count'), body: await response.json() };
    };
    const projects = await json('/projects?page_size=1&page=2');
    expect([projects.total, projects.body.map((one: { name: string }) => one.name)]).toEqual(['2', ['second']]);
    expect((await json('/projects/sample-app')).body).toMatchObject({ name: 'sample-app', repo_count: 1, metadata: { public: 'false' } });
    expect((await server.call('HEAD', '/api/v2.0/projects?project_name=sample-app')).status).toBe(200);
    expect((await json('/projects/sample-app/repositories')).body).toMatchObject([{ name: 'sample-app/deep/image', artifact_count: 1 }]);
    const artifact = await json('/projects/sample-app/repositories/deep%252Fimage/artifacts/v1');
    expect(artifact.body).toMatchObject({ digest: image.digest, tags: [{ name: 'v1', immutable: false }], accessories: [] });
    const report = await json(`/projects/sample-app/repositories/deep%252Fimage/artifacts/${image.digest}/additions/vulnerabilities`);
    expect(report.body).toEqual({
      'application/vnd.security.vulnerability.report; version=1.1': { severity: 'High', digest: image.digest },
    });
    expect(await json('/quotas')).toMatchObject({ status: 404, body: { errors: [{ code: 'NOT_FOUND' }] } });
    expect((await json('/systeminfo')).body).toMatchObject({ harbor_version: 'v2.0-desp+rehearsal' });
    expect((await server.call('GET', '/api/v2.0/ping', { as: 'nobody' })).status).toBe(200);
    expect((await server.call('GET', '/api/v2.0/projects', { as: 'nobody' })).status).toBe(401);
  });
});
