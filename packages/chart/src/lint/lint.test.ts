import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLintMessage, lint } from '../index.ts';
import { isEmail, isRequestUrl, isUrl } from './addresses.ts';
import { deprecationOf } from './deprecations-table.ts';
import { nameProblem } from './kubernetes-names.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const files = (texts: Readonly<Record<string, string>>) => Object.entries(texts).map(([name, text]) => ({ name, data: bytes(text) }));
const good = { 'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://example.org/x.png\n', 'values.yaml': '' };

const messagesOf = (texts: Readonly<Record<string, string>>, profile: 'helm3' | 'helm4' = 'helm4') =>
  lint(files(texts), { profile }).messages.map(formatLintMessage);

describe('lint', () => {
  test('a good chart has nothing to say', () => {
    expect(messagesOf({ ...good, 'templates/a.yaml': 'kind: ConfigMap\nmetadata: {name: a}\n' })).toEqual([]);
  });

  test('the two Helms have rules of their own', () => {
    const chart = {
      ...good,
      'Chart.yaml': `${good['Chart.yaml']}unknown: key\n`,
      'templates/a.yml': '{{/* .Release.Time */}}kind: ConfigMap',
    };
    expect(messagesOf(chart, 'helm3')).toEqual([
      '[ERROR] templates/a.yml: .Release.Time has been removed in v3, please replace with the `now` function in your templates',
    ]);
    expect(messagesOf(chart)[0]).toBe(
      '[WARNING] Chart.yaml: failed to strictly parse chart metadata file\n\terror unmarshaling JSON: while decoding JSON: json: unknown field "unknown"',
    );
  });

  test('a value that is required and missing is told, not fatal', () => {
    const { messages, log } = lint(files({ ...good, 'templates/a.yaml': '{{ required "say x" .Values.x }}' }));
    expect([messages, log]).toEqual([[], ['level=WARN msg="missing required value" message="say x"']]);
  });

  test.each([
    ['kind: List', 0],
    ['kind: Deployment', 20_000],
  ])('very many objects of %s take no more time each than a few', (head, found) => {
    const started = performance.now();
    const messages = messagesOf({
      ...good,
      'templates/a.yaml': `{{ range until 20000 }}${head}\nmetadata:\n  name: a\n---\n{{ end }}`,
    });
    expect(messages).toHaveLength(found);
    if (found > 0) expect(messages[0]).toContain('a Deployment must contain matchLabels');
    expect(performance.now() - started).toBeLessThan(8000);
  });

  test('what takes too long to read is told', () => {
    const many = Array.from({ length: 30_000 }, (_item, index) => `k${index}: [b, c]\n`).join('');
    const { messages } = lint(files({ ...good, 'templates/a.yaml': many }), { limits: { steps: 20_000 } });
    expect(messages.map(formatLintMessage)).toEqual(['[ERROR] templates/a.yaml: unable to parse YAML: it takes more than 20000 steps']);
  });

  test('no chart makes it throw', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom('a: [', '{{', '---\n- x', 'a: &a [*a]', '{"a": ', '\ufeffname: x', 'dependencies: [null]'),
    );
    const name = fc.constantFrom(
      'Chart.yaml',
      'values.yaml',
      'values.schema.json',
      'templates/a.yaml',
      'crds/a.yaml',
      '.helmignore',
      'charts/b/Chart.yaml',
    );
    fc.assert(
      fc.property(fc.dictionary(name, text), fc.constantFrom('helm3' as const, 'helm4' as const), (made, profile) => {
        for (const message of lint(files({ ...good, ...made }), { profile }).messages)
          expect(formatLintMessage(message)).toMatch(/^\[(INFO|WARNING|ERROR)\] /);
      }),
      { numRuns: 300 },
    );
  });
});

test('addresses', () => {
  for (const email of ['a@b.cd', 'a.b+c@sub.example.org', '"odd name"@example.org']) expect([email, isEmail(email)]).toEqual([email, true]);
  for (const email of ['a', 'a@b', '@b.cd', 'a b@c.de', 'a@b..cd', 'a@b.c1']) expect([email, isEmail(email)]).toEqual([email, false]);
  for (const url of ['https://example.org/a', 'http://[::1]:80/', 'mailto:x', 'example.org:80'])
    expect([url, isRequestUrl(url)]).toEqual([url, true]);
  for (const url of ['example.org', '', 'https://a b/', 'http://x:port/', 'https://x/%zz'])
    expect([url, isRequestUrl(url)]).toEqual([url, false]);
  for (const url of ['example.org', 'http://localhost:80/x']) expect([url, isUrl(url)]).toEqual([url, true]);
  for (const url of ['x', 'plain', 'gopher://example.org', 'http://a b']) expect([url, isUrl(url)]).toEqual([url, false]);
});

test('deprecated APIs count from the release that deprecated them', () => {
  const message = 'extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress';
  expect([13, 14, 34].map((minor) => deprecationOf('extensions/v1beta1', 'Ingress', 1, minor))).toEqual([undefined, message, message]);
  expect(deprecationOf('networking.k8s.io/v1', 'Ingress', 1, 34)).toBeUndefined();
});

test('names of objects', () => {
  expect(
    ['Pod', 'Service', 'Namespace', 'Role', 'CertificateSigningRequest'].map((kind) => nameProblem(kind, 'a.b:c') === undefined),
  ).toEqual([false, false, false, true, true]);
  expect(nameProblem('Service', 'web')).toBeUndefined();
  // Go counts bytes.
  expect(nameProblem('Service', 'é'.repeat(40))).toContain('must be no more than 63 characters');
});
