import type { Ingress } from '@desp/kube';
import { describe, expect, test } from 'vitest';
import { readAnnotations } from './annotations.ts';
import { buildRouteTable } from './route-table.ts';

type PathType = 'Exact' | 'Prefix' | 'ImplementationSpecific';
let age = 0;
const ingress = (
  name: string,
  host: string | undefined,
  paths: [string, PathType, string][],
  more: { namespace?: string; annotations?: Record<string, string> } = {},
): Ingress => {
  age += 1;
  const creationTimestamp = `2026-01-01T00:00:${String(age).padStart(2, '0')}Z`;
  const http = {
    paths: paths.map(([path, pathType, service]) => ({ path, pathType, backend: { service: { name: service, port: { number: 80 } } } })),
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: more.namespace ?? 'a', creationTimestamp, annotations: more.annotations ?? {} },
    spec: { rules: [{ ...(host === undefined ? {} : { host }), http }] },
  };
};

describe('matching', () => {
  // The table of the Ingress API's documentation, and nginx's way of ImplementationSpecific.
  test.each([
    ['Prefix', '/', '/any', true],
    ['Exact', '/foo', '/foo', true],
    ['Exact', '/foo', '/bar', false],
    ['Exact', '/foo', '/foo/', false],
    ['Exact', '/foo/', '/foo', false],
    ['Prefix', '/foo', '/foo', true],
    ['Prefix', '/foo', '/foo/', true],
    ['Prefix', '/foo/', '/foo', true],
    ['Prefix', '/foo/', '/foo/', true],
    ['Prefix', '/aaa/bb', '/aaa/bbb', false],
    ['Prefix', '/aaa/bbb', '/aaa/bbb', true],
    ['Prefix', '/aaa/bbb/', '/aaa/bbb', true],
    ['Prefix', '/aaa/bbb', '/aaa/bbb/ccc', true],
    ['Prefix', '/aaa/bbb', '/aaa/bbbxyz', false],
    ['ImplementationSpecific', '/foo', '/foobar', true],
  ] as const)('%s %s and %s: %s', (type, path, asked, expected) => {
    expect(buildRouteTable([ingress('i', 'x', [[path, type, 's']])]).find('x', asked) !== undefined).toBe(expected);
  });

  test('the longest path wins, of equal ones the exact one; a named host before a wildcard before the rest', () => {
    const table = buildRouteTable([
      ingress('a', 'h.desp.space', [
        ['/', 'Prefix', 'root'],
        ['/a/b', 'Prefix', 'long'],
        ['/a', 'Prefix', 'short'],
        ['/a', 'Exact', 'exact'],
      ]),
      ingress('b', '*.desp.space', [['/', 'Prefix', 'wild']]),
      ingress('c', undefined, [['/', 'Prefix', 'rest']]),
    ]);
    const service = (host: string, path: string) => table.find(host, path)?.route.backend.service;
    expect(['/x', '/a', '/a/c', '/a/b/c'].map((path) => service('h.desp.space', path))).toEqual(['root', 'exact', 'short', 'long']);
    expect([service('other.desp.space', '/'), service('a.b.desp.space', '/'), service('else', '/')]).toEqual(['wild', 'rest', 'rest']);
  });
});

describe('conflicts', () => {
  test('the older Ingress keeps path and host, whatever the order of the list', () => {
    const first = ingress('first', 'x', [['/', 'Prefix', 'one']]);
    const sameNamespace = ingress('second', 'x', [
      ['/', 'Prefix', 'two'],
      ['/more', 'Prefix', 'two'],
    ]);
    const foreign = ingress('third', 'x', [['/other', 'Prefix', 'three']], { namespace: 'b' });
    const table = buildRouteTable([foreign, sameNamespace, first]);
    expect(['/', '/more', '/other'].map((path) => table.find('x', path)?.route.backend.service)).toEqual(['one', 'two', 'one']);
    expect(table.notices.map(({ about, message }) => `${about.metadata.name}: ${message}`)).toEqual([
      'second: x/ is served by the older Ingress a/first already.',
      'third: The host x belongs to the namespace a, whose Ingress is older.',
    ]);
    expect(table.served).toEqual(new Set(['a/first', 'a/second']));
  });

  test('a certificate counts only for the namespace that has the host', () => {
    const owner = ingress('owner', 'x', [['/', 'Prefix', 's']]);
    const thief = ingress('thief', 'y', [['/', 'Prefix', 's']], { namespace: 'b' });
    const tls = (one: Ingress, hosts: string[]) => ({ ...one, spec: { ...one.spec, tls: [{ hosts, secretName: 'cert' }] } });
    const table = buildRouteTable([tls(owner, ['x']), tls(thief, ['x', 'y'])]);
    expect([table.tlsSecret('x'), table.tlsSecret('y')]).toEqual(['a/cert', 'b/cert']);
  });
});

describe('annotations', () => {
  const read = (annotations: Record<string, string>) =>
    readAnnotations(Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value])));

  test('a regular expression is matched without regard to case, in linear time, and rewritten', () => {
    const annotations = { 'nginx.ingress.kubernetes.io/rewrite-target': '/v2/$1' };
    const table = buildRouteTable([
      ingress(
        'i',
        'x',
        [
          ['/api/(.*)', 'ImplementationSpecific', 's'],
          ['/(a+)+b', 'Prefix', 's'],
        ],
        { annotations },
      ),
    ]);
    expect(table.find('x', '/API/users')?.path).toBe('/v2/users');
    expect(table.find('x', `/${'a'.repeat(2000)}`)).toBeUndefined();
    const broken = buildRouteTable([ingress('i', 'x', [['/(', 'Prefix', 's']], { annotations })]);
    expect(broken.notices[0]?.message).toContain('is no regular expression');
  });
  test('values are read with their units, and wrong ones told of', () => {
    expect(read({ 'proxy-body-size': '8m', 'proxy-read-timeout': '120' }).settings).toMatchObject({
      maxBodyBytes: 8 * 1024 ** 2,
      readTimeoutMs: 120_000,
    });
    expect(read({ 'proxy-body-size': '0' }).settings.maxBodyBytes).toBe(0);
    const wrong: Record<string, string>[] = [{ 'proxy-body-size': 'much' }, { 'proxy-read-timeout': '-1' }, { 'ssl-redirect': 'yes' }];
    for (const one of wrong) expect(read(one).warnings).toHaveLength(1);
  });
  test('an unknown one is told of; one that protects closes', () => {
    expect(read({ canary: 'true' })).toMatchObject({
      warnings: [expect.stringContaining('has no effect')],
      settings: { refusal: undefined },
    });
    for (const name of ['auth-url', 'whitelist-source-range']) expect(read({ [name]: 'x' }).settings.refusal).toBeDefined();
    expect(read({ 'auth-type': 'digest', 'auth-secret': 's' }).settings.refusal).toBeDefined();
    expect(read({ 'auth-type': 'basic' }).settings.refusal).toBeDefined();
  });
});
