import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { readRequest } from './request-info.ts';

describe('what a request is about', () => {
  test.each([
    ['GET', '/api/v1/pods', 'list', { namespace: '', plural: 'pods', name: '' }],
    ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch', { namespace: 'a', plural: 'pods' }],
    ['GET', '/api/v1/namespaces/a/pods/p', 'get', { namespace: 'a', name: 'p' }],
    ['POST', '/api/v1/namespaces/a/pods/p/exec', 'create', { subresource: 'exec' }],
    ['GET', '/api/v1/namespaces/a', 'get', { namespace: 'a', plural: 'namespaces', name: 'a' }],
    ['PUT', '/api/v1/namespaces/a/finalize', 'update', { plural: 'namespaces', name: 'a', subresource: 'finalize' }],
    ['GET', '/api/v1/namespaces/a/status', 'get', { plural: 'namespaces', name: 'a', subresource: 'status' }],
    ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection', { group: 'apps', plural: 'deployments' }],
    ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'patch', { name: 'd', subresource: 'scale' }],
    ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:basic-user', 'get', { name: 'system:basic-user' }],
  ])('%s %s is %s', (method, url, verb, target) => {
    const info = readRequest(method, url);
    expect(info.verb).toBe(verb);
    expect(info.target).toMatchObject(target);
  });

  test.each(['/api', '/apis', '/apis/apps', '/apis/apps/v1', '/version', '/', '/openapi/v3/apis/apps/v1'])(
    '%s is about no resource',
    (url) => {
      expect(readRequest('GET', url).target).toBeUndefined();
    },
  );

  test.each(['/api/v1/namespaces//pods', '/api/v1/pods/%2e%2e', '/api/v1/pods/a%2fb', '/api/v1/pods/%00', '/api/v1/pods/%zz'])(
    '%s is refused',
    (url) => {
      expect(() => readRequest('GET', url)).toThrow(ApiError);
    },
  );

  test('no path names something outside of its place', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom('..', '.', '%2e%2e', '%2f', 'pods', 'a', ''), fc.webSegment()), { maxLength: 6 }),
        (parts) => {
          try {
            const { target } = readRequest('GET', `/api/v1/${parts.join('/')}`);
            for (const text of [target?.plural, target?.name, target?.namespace, target?.subresource])
              expect(text ?? '').not.toMatch(/[/\0]|^\.\.?$/);
          } catch (error) {
            expect(error).toBeInstanceOf(ApiError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
