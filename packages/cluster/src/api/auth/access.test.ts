import { SteppingClock } from '@desp/runtime';
import { decodeJwt, importJWK, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken, configMap, configMaps, TestCluster } from '../test-cluster.ts';
import type { UserInfo } from '../types.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const people: Record<string, UserInfo> = {
  'token-of-anna': { username: 'anna', groups: ['team-a'] },
  'token-of-ben': { username: 'ben', groups: ['team-b'] },
  'token-of-a-liar': { username: 'system:admin', groups: ['system:masters'] },
  'token-of-a-climber': { username: 'carl', groups: ['system:masters', 'team-c'] },
};
const anna = { token: 'token-of-anna' };
const ben = { token: 'token-of-ben' };

describe('who may do what', () => {
  let cluster: TestCluster;
  const clock = new SteppingClock('2026-11-22T12:00:00Z');
  beforeAll(async () => {
    cluster = await TestCluster.start({ clock, authenticate: async (token) => people[token] });
    for (const name of ['a', 'b']) await cluster.must('POST', '/api/v1/namespaces', { metadata: { name } });
    await bind('a', 'team-a', 'edit');
    await bind('b', 'team-b', 'admin');
  });
  afterAll(async () => {
    await cluster.stop();
  });

  const bind = (namespace: string, group: string, role: string) =>
    cluster.must('POST', `${rbac}/namespaces/${namespace}/rolebindings`, {
      metadata: { name: `${group}-${role}` },
      roleRef: { kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'Group', name: group }],
    });

  test('nobody in particular sees the version and the health, nothing else', async () => {
    for (const path of ['/version', '/healthz', '/livez', '/readyz'])
      expect((await cluster.ask('GET', path, undefined, { token: null })).status).toBe(200);
    for (const path of ['/api', '/apis', configMaps, '/openapi/v3', '/openid/v1/jwks', '/', '/metrics']) {
      expect([path, (await cluster.ask('GET', path, undefined, { token: null })).status]).toEqual([path, 401]);
    }
    expect((await cluster.ask('POST', '/version', {}, { token: null })).status).toBe(401);
  });

  test('a token of nobody is refused, even where nobody is let in', async () => {
    for (const token of ['wrong', `${adminToken}x`, 'a.b.c', 'token-of-a-liar']) {
      expect((await cluster.ask('GET', '/version', undefined, { token })).json).toMatchObject({ code: 401, reason: 'Unauthorized' });
    }
    expect((await cluster.ask('GET', '/version', undefined, { token: null, headers: { authorization: 'Basic YTpi' } })).status).toBe(401);
  });

  test('groups of the system are not for people', async () => {
    const carl = { token: 'token-of-a-climber' };
    const review = await cluster.must('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, carl);
    expect(review.status.userInfo).toEqual({ username: 'carl', groups: ['team-c', 'system:authenticated'] });
    expect((await cluster.ask('GET', configMaps, undefined, carl)).status).toBe(403);
  });

  test('people work in their own namespace, and see nothing of another’s', async () => {
    await cluster.must('POST', '/api/v1/namespaces/a/configmaps', configMap('mine'), anna);
    await cluster.must('GET', '/api/v1/namespaces/a/configmaps', undefined, anna);
    const denied: [string, string, unknown?][] = [
      ['GET', '/api/v1/namespaces/b/configmaps'],
      ['GET', '/api/v1/namespaces/b/secrets/x'],
      ['POST', '/api/v1/namespaces/b/configmaps', configMap('x')],
      ['DELETE', '/api/v1/namespaces/b/configmaps/x'],
      ['PATCH', '/api/v1/namespaces/b/configmaps/x', {}],
      ['GET', '/api/v1/configmaps'],
      ['GET', '/api/v1/namespaces/b/configmaps?watch=true'],
      ['GET', '/api/v1/namespaces/b/pods/p/log'],
      ['GET', '/api/v1/nodes'],
      ['GET', '/api/v1/namespaces'],
      ['POST', '/api/v1/namespaces', { metadata: { name: 'c' } }],
      ['DELETE', '/api/v1/namespaces/a'],
      ['GET', `${rbac}/clusterroles`],
      ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'x' } }],
      ['POST', '/api/v1/namespaces/b/serviceaccounts/default/token', {}],
      ['GET', '/openid/v1/jwks'],
    ];
    for (const [method, path, body] of denied) {
      const answer = await cluster.ask(method, path, body, anna);
      expect([method, path, answer.status, answer.json.reason]).toEqual([method, path, 403, 'Forbidden']);
    }
    expect((await cluster.ask('GET', '/api/v1/namespaces/b/secrets', undefined, anna)).json.message).toBe(
      'secrets is forbidden: User "anna" cannot list resource "secrets" in API group "" in the namespace "b"',
    );
  });

  test('an apply that would create needs the right to create', async () => {
    await cluster.must('POST', `${rbac}/namespaces/b/roles`, {
      metadata: { name: 'patcher' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['patch', 'get'] }],
    });
    await cluster.must('POST', `${rbac}/namespaces/b/rolebindings`, {
      metadata: { name: 'patcher' },
      roleRef: { kind: 'Role', name: 'patcher' },
      subjects: [{ kind: 'User', name: 'anna' }],
    });
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied}\n';
    const apply = { ...anna, type: 'application/apply-patch+yaml' };
    expect((await cluster.ask('PATCH', '/api/v1/namespaces/b/configmaps/applied?fieldManager=m', body, apply)).status).toBe(403);
    await cluster.must('POST', '/api/v1/namespaces/b/configmaps', configMap('applied'));
    expect((await cluster.ask('PATCH', '/api/v1/namespaces/b/configmaps/applied?fieldManager=m', body, apply)).status).toBe(200);
  });

  test('names limit a rule to these objects', async () => {
    await cluster.must('POST', `${rbac}/namespaces/b/roles`, {
      metadata: { name: 'one-secret' },
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['open'], verbs: ['get', 'list', 'watch'] }],
    });
    await cluster.must('POST', `${rbac}/namespaces/b/rolebindings`, {
      metadata: { name: 'one-secret' },
      roleRef: { kind: 'Role', name: 'one-secret' },
      subjects: [{ kind: 'User', name: 'anna' }],
    });
    for (const name of ['open', 'closed']) await cluster.must('POST', '/api/v1/namespaces/b/secrets', { metadata: { name } });
    const status = async (path: string) => (await cluster.ask('GET', `/api/v1/namespaces/b/secrets${path}`, undefined, anna)).status;
    expect(await Promise.all(['/open', '/closed', '', '?fieldSelector=metadata.name%3Dopen'].map(status))).toEqual([200, 403, 403, 200]);
  });

  test('nobody gives away more than they have', async () => {
    const role = (verbs: string[]) => ({
      metadata: { name: `r-${verbs.join('-')}` },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs }],
    });
    const roles = `${rbac}/namespaces/b/roles`;
    await cluster.must('POST', roles, role(['get', 'list']), ben);
    const wide = { metadata: { name: 'wide' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] };
    const refused = await cluster.ask('POST', roles, wide, ben);
    expect(refused.json).toMatchObject({ code: 403, reason: 'Forbidden' });
    expect(refused.json.message).toContain('attempting to grant RBAC permissions not currently held');
    expect(
      (await cluster.ask('PATCH', `${roles}/r-get-list`, { rules: wide.rules }, { ...ben, type: 'application/merge-patch+json' })).status,
    ).toBe(403);
    const binding = (kind: string, name: string) => ({
      metadata: { name: `to-${name}` },
      roleRef: { kind, name },
      subjects: [{ kind: 'User', name: 'ben' }],
    });
    const bindings = `${rbac}/namespaces/b/rolebindings`;
    expect((await cluster.ask('POST', bindings, binding('ClusterRole', 'cluster-admin'), ben)).status).toBe(403);
    expect((await cluster.ask('POST', bindings, binding('Role', 'comes-later'), ben)).status).toBe(404);
    await cluster.must('POST', bindings, binding('ClusterRole', 'edit'), ben);
    const change = { roleRef: { kind: 'ClusterRole', name: 'view', apiGroup: 'rbac.authorization.k8s.io' } };
    const changed = await cluster.ask('PATCH', `${bindings}/to-edit`, change, { ...ben, type: 'application/merge-patch+json' });
    expect(changed.json).toMatchObject({ code: 422, details: { causes: [{ field: 'roleRef' }] } });
  });

  test('aggregated roles hold what their parts hold, also parts that come later', async () => {
    const mayView = async () => {
      const spec = {
        user: 'dora',
        groups: ['viewers'],
        resourceAttributes: { verb: 'get', group: 'example.com', resource: 'widgets', namespace: 'a' },
      };
      return (await cluster.must('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec })).status.allowed;
    };
    await bind('a', 'viewers', 'view');
    expect(await mayView()).toBe(false);
    await cluster.must('POST', `${rbac}/clusterroles`, {
      metadata: { name: 'widget-viewer', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] }],
    });
    expect(await mayView()).toBe(true);
  });

  test('impersonation needs its own right', async () => {
    const as = { 'impersonate-user': 'anna', 'impersonate-group': 'team-a' };
    const review = await cluster.must('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, { headers: as });
    expect(review.status.userInfo.username).toBe('anna');
    expect((await cluster.ask('GET', configMaps, undefined, { ...ben, headers: { 'impersonate-user': 'system:admin' } })).status).toBe(403);
  });

  describe('ServiceAccounts', () => {
    const accounts = '/api/v1/namespaces/a/serviceaccounts';
    const request = (spec: object = {}) => ({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec });
    const tokenOf = async (name: string, spec: object = {}): Promise<string> =>
      (await cluster.must('POST', `${accounts}/${name}/token`, request(spec))).status.token;

    test('get tokens that verify with the published keys', async () => {
      await cluster.must('POST', accounts, { metadata: { name: 'robot' } });
      const token = await tokenOf('robot', { audiences: ['vault'], expirationSeconds: 600 });
      const { keys } = JSON.parse((await cluster.ask('GET', '/openid/v1/jwks')).text);
      const { payload } = await jwtVerify(token, await importJWK(keys[0], 'ES256'), { audience: 'vault', currentDate: clock.now() });
      expect(payload.sub).toBe('system:serviceaccount:a:robot');
      expect(payload['kubernetes.io']).toMatchObject({ namespace: 'a', serviceaccount: { name: 'robot' } });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
      expect(keys[0].d).toBeUndefined();
    });

    test('act with the rights of their bindings', async () => {
      const token = await tokenOf('robot');
      expect((await cluster.ask('GET', '/api/v1/namespaces/a/configmaps', undefined, { token })).status).toBe(403);
      await cluster.must('POST', `${rbac}/namespaces/a/rolebindings`, {
        metadata: { name: 'robot' },
        roleRef: { kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'a' }],
      });
      expect((await cluster.ask('GET', '/api/v1/namespaces/a/configmaps', undefined, { token })).status).toBe(200);
      expect((await cluster.ask('GET', '/api/v1/namespaces/a/secrets', undefined, { token })).status).toBe(403);
      expect((await cluster.ask('GET', '/api/v1/namespaces/b/configmaps', undefined, { token })).status).toBe(403);
    });

    test('a token for others is none for us, and TokenReview says for whom it is', async () => {
      const token = await tokenOf('robot', { audiences: ['vault'] });
      expect((await cluster.ask('GET', '/api', undefined, { token })).status).toBe(401);
      const review = async (spec: object) => (await cluster.must('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { spec })).status;
      expect(await review({ token })).toMatchObject({ authenticated: false });
      expect(await review({ token, audiences: ['vault', 'x'] })).toMatchObject({
        authenticated: true,
        audiences: ['vault'],
        user: {
          username: 'system:serviceaccount:a:robot',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
        },
      });
      expect(await review({ token: `${token.slice(0, -4)}AAAA`, audiences: ['vault'] })).toMatchObject({ authenticated: false });
    });

    test('lose their tokens with time, with the bound pod and with themselves', async () => {
      await cluster.must('POST', accounts, { metadata: { name: 'mortal' } });
      const pod = { metadata: { name: 'p' }, spec: { serviceAccountName: 'mortal', containers: [{ name: 'c', image: 'i' }] } };
      const { metadata } = await cluster.must('POST', '/api/v1/namespaces/a/pods', pod);
      const bound = await tokenOf('mortal', { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: metadata.uid } });
      const short = await tokenOf('mortal', { expirationSeconds: 600 });
      const long = await tokenOf('mortal', { expirationSeconds: 7200 });
      const status = async () =>
        await Promise.all([bound, short, long].map(async (token) => (await cluster.ask('GET', '/api', undefined, { token })).status));
      expect(await status()).toEqual([200, 200, 200]);
      clock.step(601_000);
      expect(await status()).toEqual([200, 401, 200]);
      await cluster.must('DELETE', '/api/v1/namespaces/a/pods/p');
      expect(await status()).toEqual([401, 401, 200]);
      await cluster.must('DELETE', `${accounts}/mortal`);
      await cluster.must('POST', accounts, { metadata: { name: 'mortal' } });
      expect(await status()).toEqual([401, 401, 401]);
    });

    test('bad requests for tokens are refused', async () => {
      const ask = async (name: string, spec: object) => (await cluster.ask('POST', `${accounts}/${name}/token`, request(spec))).status;
      expect(await ask('nobody', {})).toBe(404);
      expect(await ask('robot', { expirationSeconds: 60 })).toBe(422);
      expect(await ask('robot', { boundObjectRef: { kind: 'Pod', name: 'none' } })).toBe(404);
      expect(await ask('robot', { boundObjectRef: { kind: 'Node', name: 'x' } })).toBe(400);
      expect(decodeJwt(await tokenOf('robot', { expirationSeconds: 10_000_000 })).exp).toBe(
        Math.floor(clock.now().getTime() / 1000) + 86_400,
      );
    });
  });

  test('a pod of an account that is missing is refused; one of an account gets its token volume', async () => {
    const pods = '/api/v1/namespaces/a/pods';
    const spec = (serviceAccountName: string) => ({ serviceAccountName, containers: [{ name: 'c', image: 'i' }] });
    const refused = await cluster.ask('POST', pods, { metadata: { name: 'x' }, spec: spec('ghost') });
    expect(refused.json.message).toBe('pods "x" is forbidden: error looking up service account a/ghost: serviceaccount "ghost" not found');
    const made = await cluster.must('POST', pods, { metadata: { name: 'x' }, spec: spec('robot') });
    expect(made.spec.volumes[0]).toMatchObject({
      name: expect.stringMatching(/^kube-api-access-/),
      projected: { sources: expect.any(Array) },
    });
    expect(made.spec.containers[0].volumeMounts[0].mountPath).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
    expect(made.status).toMatchObject({ phase: 'Pending', qosClass: 'BestEffort' });
  });
});
