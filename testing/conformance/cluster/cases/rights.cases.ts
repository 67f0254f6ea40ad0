import { expect } from 'vitest';
import { type Area, type Bench, patchType } from '../case.ts';
import { configMap } from './objects.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const clusterRoles = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
const authorization = '/apis/authorization.k8s.io/v1';

/** A ServiceAccount of this name with a token. */
async function account(bench: Bench, name: string): Promise<string> {
  await bench.api('POST', 'serviceaccounts', { metadata: { name } });
  const { status } = await bench.api('POST', `serviceaccounts/${name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 600 },
  });
  return status.token;
}

async function grant(bench: Bench, name: string, rules: object[]): Promise<void> {
  await bench.api('POST', `${rbac}/roles`, { metadata: { name }, rules });
  const subjects = [{ kind: 'ServiceAccount', name, namespace: bench.namespace }];
  await bench.api('POST', `${rbac}/rolebindings`, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects,
  });
}

/** `yes`, or the reason of the refusal. */
async function may(bench: Bench, token: string, method: string, path: string, body?: object): Promise<string> {
  const client = bench.as(token);
  try {
    await client.raw(method, path.startsWith('/') ? path : `/api/v1/namespaces/${bench.namespace}/${path}`, body);
    return 'yes';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

export const rights: Area = {
  title: 'Rights and tokens',
  cases: [
    {
      name: 'a Role gives exactly what it names, in its namespace',
      verbs: { 'rbac.authorization.k8s.io/roles': 'create', 'rbac.authorization.k8s.io/rolebindings': 'create', serviceaccounts: 'create' },
      fields: {
        Role: 'rules',
        PolicyRule: 'apiGroups resources verbs resourceNames',
        RoleBinding: 'roleRef subjects',
        RoleRef: 'apiGroup kind name',
        Subject: 'kind name namespace apiGroup',
      },
      async run(bench) {
        const token = await account(bench, 'reader');
        await bench.api('POST', 'configmaps', configMap('a'));
        await bench.api('POST', 'configmaps', configMap('b'));
        expect(await may(bench, token, 'GET', 'configmaps/a')).toBe('Forbidden');
        await grant(bench, 'reader', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'], resourceNames: ['a'] }]);
        await bench.until('the right', async () => (await may(bench, token, 'GET', 'configmaps/a')) === 'yes');
        for (const [method, path] of [
          ['GET', 'configmaps/b'],
          ['GET', 'configmaps'],
          ['DELETE', 'configmaps/a'],
          ['GET', 'secrets'],
          ['GET', '/api/v1/namespaces/default/configmaps/a'],
        ] as const)
          expect(await may(bench, token, method, path), `${method} ${path}`).toBe('Forbidden');
      },
    },
    {
      name: 'a token is one account’s, for its audience, while the account is there',
      verbs: { serviceaccounts: 'delete' },
      async run(bench) {
        const token = await account(bench, 'short');
        const review = async () =>
          (
            await bench.api('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
              apiVersion: 'authentication.k8s.io/v1',
              kind: 'TokenReview',
              spec: { token },
            })
          ).status;
        expect(await review()).toMatchObject({
          authenticated: true,
          user: {
            username: `system:serviceaccount:${bench.namespace}:short`,
            groups: expect.arrayContaining(['system:serviceaccounts', `system:serviceaccounts:${bench.namespace}`, 'system:authenticated']),
          },
        });
        expect(await may(bench, `${token}x`, 'GET', '/api')).toBe('Unauthorized');
        await bench.api('DELETE', 'serviceaccounts/short');
        await bench.until('the token to be refused', async () => !((await review()).authenticated ?? false));
      },
    },
    {
      name: 'nobody gives rights that they do not have',
      fields: { ClusterRole: 'rules', PolicyRule: 'nonResourceURLs' },
      async run(bench) {
        const token = await account(bench, 'climber');
        await grant(bench, 'climber', [
          { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create'] },
          { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
        ]);
        const roles = `/apis/${rbac}/namespaces/${bench.namespace}/roles`;
        const role = (name: string, rules: object[]) => ({ metadata: { name }, rules });
        await bench.until(
          'the right',
          async () =>
            (await may(bench, token, 'POST', roles, role('same', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]))) ===
            'yes',
        );
        expect(await may(bench, token, 'POST', roles, role('more', [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]))).toBe(
          'Forbidden',
        );
        const binding = {
          metadata: { name: 'up' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
          subjects: [{ kind: 'ServiceAccount', name: 'climber', namespace: bench.namespace }],
        };
        expect(await may(bench, token, 'POST', `/apis/${rbac}/namespaces/${bench.namespace}/rolebindings`, binding)).toBe('Forbidden');
        const urls = { metadata: { name: `urls-${bench.unique}` }, rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] };
        await bench.api('POST', clusterRoles, urls);
        bench.after(() => bench.api('DELETE', `${clusterRoles}/urls-${bench.unique}`));
        expect(await may(bench, token, 'POST', clusterRoles, urls)).toBe('Forbidden');
      },
    },
    {
      name: 'the role of a binding never changes',
      verbs: { 'rbac.authorization.k8s.io/rolebindings': 'patch' },
      async run(bench) {
        await grant(bench, 'fixed', []);
        const change = { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' } };
        expect((await bench.refused('PATCH', `${rbac}/rolebindings/fixed`, change, patchType.merge)).message).toContain(
          'cannot change roleRef',
        );
      },
    },
    {
      name: 'a ClusterRole gathers the rules of others by their labels',
      needs: ['controllers'],
      verbs: { 'rbac.authorization.k8s.io/clusterroles': 'create delete get' },
      fields: { ClusterRole: 'aggregationRule', AggregationRule: 'clusterRoleSelectors' },
      async run(bench) {
        const names = [`sum-${bench.unique}`, `part-${bench.unique}`] as const;
        for (const name of names) bench.after(() => bench.api('DELETE', `${clusterRoles}/${name}`));
        const label = { [`${bench.unique}.example.com/part`]: 'yes' };
        await bench.api('POST', clusterRoles, {
          metadata: { name: names[0] },
          aggregationRule: { clusterRoleSelectors: [{ matchLabels: label }] },
        });
        const rules = [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }];
        await bench.api('POST', clusterRoles, { metadata: { name: names[1], labels: label }, rules });
        await bench.until('the rules', async () => ((await bench.api('GET', `${clusterRoles}/${names[0]}`)).rules ?? []).length === 1);
      },
    },
    {
      name: 'a ClusterRoleBinding gives everywhere',
      // Kubernetes’ own role `view` is gathered from others.
      needs: ['controllers'],
      verbs: { 'rbac.authorization.k8s.io/clusterrolebindings': 'create delete' },
      fields: { ClusterRoleBinding: 'roleRef subjects' },
      async run(bench) {
        const token = await account(bench, 'viewer');
        const name = `viewer-${bench.unique}`;
        const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
        const subjects = [{ kind: 'ServiceAccount', name: 'viewer', namespace: bench.namespace }];
        await bench.api('POST', path, {
          metadata: { name },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
          subjects,
        });
        bench.after(() => bench.api('DELETE', `${path}/${name}`));
        await bench.until('the right', async () => (await may(bench, token, 'GET', '/api/v1/namespaces/default/configmaps')) === 'yes');
        expect(await may(bench, token, 'GET', '/api/v1/namespaces/default/secrets')).toBe('Forbidden');
      },
    },
    {
      name: 'kubectl auth can-i answers for oneself and, as an administrator, for others',
      needs: ['controllers'],
      kubectl: ['auth can-i', 'create'],
      verbs: {
        'authorization.k8s.io/selfsubjectaccessreviews': 'create',
        'authorization.k8s.io/subjectaccessreviews': 'create',
        'authorization.k8s.io/selfsubjectrulesreviews': 'create',
      },
      async run(bench) {
        expect(await bench.ok(['auth', 'can-i', 'create', 'pods'])).toBe('yes\n');
        await bench.ok(['create', 'rolebinding', 'viewers', '--clusterrole=view', '--user=vera']);
        await bench.until(
          'the right',
          async () => (await bench.kubectl(['auth', 'can-i', 'list', 'pods', '--as', 'vera'])).out === 'yes\n',
        );
        expect((await bench.kubectl(['auth', 'can-i', 'get', 'secrets', '--as', 'vera'])).out).toBe('no\n');
        expect(await bench.ok(['auth', 'can-i', '--list', '--as', 'vera'])).toMatch(/pods +\[\] +\[\] +\[get list watch\]/);
        const spec = { user: 'vera', resourceAttributes: { namespace: bench.namespace, verb: 'list', resource: 'pods' } };
        const review = await bench.api('POST', `${authorization}/subjectaccessreviews`, {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec,
        });
        expect(review.status.allowed).toBe(true);
      },
    },
  ],
};
