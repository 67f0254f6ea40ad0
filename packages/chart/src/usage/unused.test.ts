import { describe, expect, test } from 'vitest';
import { loadChart, readValues } from '../loader/load.ts';
import type { ValueSource } from '../trace/provenance.ts';
import { applySet } from '../values/set.ts';
import { findUnused, type UnusedValue } from './unused.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function unused(files: Readonly<Record<string, string>>, sources: readonly ValueSource[] = []): UnusedValue[] {
  const head = files['Chart.yaml'] ? {} : { 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' };
  const chart = loadChart(Object.entries({ ...head, ...files }).map(([name, text]) => ({ name, data: bytes(text) })));
  let values = new Map();
  for (const source of sources)
    values = source.kind === 'file' ? readValues(source.text, true) : applySet(source.kind, source.text, values);
  return findUnused(chart, { values, sources });
}

const names = (template: string, values: string): string[] =>
  unused({ 'values.yaml': values, 'templates/a.yaml': template }).map(({ name }) => name);

test('a typing error, with what was meant and who reads it', () => {
  const found = unused(
    {
      'values.yaml': 'ingress:\n  enabled: false\n  class: x\n',
      'templates/a.yaml': '{{ if .Values.ingress.enabled }}\n{{ .Values.ingress.class }}\n{{ end }}',
    },
    [
      { kind: 'file', name: 'prod.yaml', text: 'ingres:\n  enabled: true\ningress:\n  clas: y\n' },
      { kind: 'set', text: 'ingress.enabld=true' },
    ],
  );
  expect(found).toEqual([
    {
      path: ['ingress', 'enabld'],
      name: 'ingress.enabld',
      origin: { kind: 'flag', flag: '--set', text: 'ingress.enabld=true' },
      near: [{ name: 'ingress.enabled', readAt: { file: 'app/templates/a.yaml', line: 1, column: 7 } }],
    },
    {
      path: ['ingres'],
      name: 'ingres',
      origin: { kind: 'file', file: 'prod.yaml', line: 1 },
      near: [{ name: 'ingress', readAt: { file: 'app/templates/a.yaml', line: 1, column: 7 } }],
    },
    {
      path: ['ingress', 'clas'],
      name: 'ingress.clas',
      origin: { kind: 'file', file: 'prod.yaml', line: 4 },
      near: [{ name: 'ingress.class', readAt: { file: 'app/templates/a.yaml', line: 2, column: 4 } }],
    },
  ]);
});

describe('what counts as read', () => {
  test.each([
    ['a branch that does not run', '{{ if false }}{{ .Values.a }}{{ end }}'],
    ['a whole that is printed', '{{ toYaml .Values | nindent 2 }}'],
    ['a text of tpl', '{{ tpl "{{ .Values.a }}" . }}'],
    ['a computed key', '{{ index .Values .Release.Name }}'],
    ['index and get', '{{ get (index .Values "a") "b" }}{{ .Values.a }}'],
    ['a variable', '{{ $v := .Values }}{{ with $v }}{{ .a }}{{ end }}'],
    ['a variable that is set again', '{{ $v := dict }}{{ if .x }}{{ $v = .Values }}{{ end }}{{ $v.a }}'],
    ['an include', '{{ define "x" }}{{ .Values.a }}{{ end }}{{ include "x" . }}'],
    ['an include with a dict', '{{ define "x" }}{{ .ctx.Values.a }}{{ end }}{{ template "x" (dict "ctx" $) }}'],
    ['an include whose name is computed', '{{ include (print "x" "y") .Values }}'],
    ['merge and default', '{{ (merge (dict) .Values).a }}{{ (.Values.none | default .Values).a }}'],
    ['dig and pluck', '{{ dig "a" "" .Values }}{{ pluck "a" .Values | first }}'],
    ['a chain', '{{ (.Values).a }}'],
    ['a helper that asks', '{{ if hasKey .Values "a" }}x{{ end }}'],
  ])('%s', (_name, template) => {
    expect(names(template, 'a: 1\n')).toEqual([]);
  });

  test('range reads the items that it names', () => {
    const template = '{{ range $k, $v := .Values.hosts }}{{ $v.name }}{{ range .paths }}{{ . }}{{ end }}{{ end }}';
    expect(names(template, 'hosts:\n- {name: a, nam: b, paths: [x]}\n- {name: c, port: 1}\n')).toEqual(['hosts[0].nam', 'hosts[1].port']);
  });

  test('with reads what it names, not the whole', () => {
    expect(names('{{ with .Values.a }}{{ .b }}{{ end }}', 'a: {b: 1, c: 2}\n')).toEqual(['a.c']);
    expect(names('{{ if .Values.a }}x{{ end }}', 'a: {b: 1}\n')).toEqual(['a.b']);
  });

  test('texts in values are templates too', () => {
    expect(names('{{ tpl .Values.text . }}', "text: '{{ .Values.a }}'\na: 1\nb: 2\n")).toEqual(['b']);
  });
});

test('subcharts: their own values, globals, conditions, tags, exports, and those that are off', () => {
  const found = unused({
    'Chart.yaml': [
      'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:',
      '- {name: db, version: 1.0.0, alias: store, condition: store.enabled}',
      '- {name: extra, version: 1.0.0, condition: extra.enabled, import-values: [x]}\n',
    ].join('\n'),
    'values.yaml':
      'global: {zone: a, none: b}\nstore: {enabled: true, size: 1, sise: 2}\nextra: {enabled: false, anything: 1}\ntags: {t: true}\n',
    'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 1.0.0\n',
    'charts/db/values.yaml': 'size: 0\nold: 1\n',
    'charts/db/templates/a.yaml': '{{ .Values.size }}{{ .Values.global.zone }}',
    'charts/extra/Chart.yaml': 'apiVersion: v2\nname: extra\nversion: 1.0.0\n',
    'charts/extra/templates/a.yaml': '{{ .Values.anything }}',
  });
  expect(found.map(({ name, origin }) => [name, origin])).toEqual([
    ['global.none', { kind: 'default', file: 'app/values.yaml', line: 1 }],
    ['store.sise', { kind: 'parent', file: 'app/values.yaml', line: 2 }],
    ['store.old', { kind: 'default', file: 'app/charts/store/values.yaml', line: 2 }],
  ]);
  expect(found[1]?.near[0]?.name).toBe('store.size');
});

test('templates that go round, or that cannot be parsed, end', () => {
  expect(names('{{ define "a" }}{{ include "a" (dict "x" .) }}{{ end }}{{ include "a" .Values }}', 'a: 1\n')).toEqual(['a']);
  expect(names('{{ nonsense', 'a: 1\n')).toEqual(['a']);
  // What `.x` may be doubles in each round.
  const doubling = '{{ define "r" }}{{ include "r" (dict "x" (default .x.in .x.out)) }}{{ end }}{{ include "r" (dict "x" .Values.m) }}';
  expect(names(doubling, 'm: {in: {deep: 1}}\nother: 1\n')).toEqual(['m.in.deep', 'other']);
});

test('what a template of a computed name gets is used, and what any definition would read', () => {
  const defined = '{{ define "x.a" }}{{ .v.b }}{{ .Values.c.d }}{{ end }}';
  expect(names(`${defined}{{ include (printf "x.%s" "a") (dict "v" .Values.m) }}`, 'm: {b: {e: 1}}\nc: {d: 1}\n')).toEqual(['c']);
  expect(names(`${defined}{{ include (printf "x.%s" "a") . }}`, 'm: 1\nc: {d: 1, f: 1}\n')).toEqual(['m', 'c.f']);
  expect(names(`${defined}{{ include "y" (dict "v" .Values.m) }}`, 'm: {b: 1}\nc: 1\n')).toEqual(['c']);
});

test('templates that are nested too deeply, and values that are too many, end with an error of ours', () => {
  const depth = 400;
  const definitions = Array.from(
    { length: 60 },
    (_item, index) =>
      `{{ define "a${index}" }}${'{{ if .x }}'.repeat(depth)}{{ include "a${index + 1}" . }}${'{{ end }}'.repeat(depth)}{{ end }}`,
  );
  expect(() => names(`${definitions.join('')}{{ include "a0" .Values }}`, 'x: 1\n')).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
  );
  const subcharts = Array.from({ length: 300 }, (_item, index) => [
    `charts/c${index}/Chart.yaml`,
    `apiVersion: v2\nname: c${index}\nversion: 1.0.0\n`,
  ]);
  const globals = Array.from({ length: 20_000 }, (_item, index) => `  g${index}: {a: 1}\n`);
  expect(() => unused({ ...Object.fromEntries(subcharts), 'values.yaml': `global:\n${globals.join('')}` })).toThrow(
    expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
  );
});

test.each(['x', 'é'])('a line of very many actions and %s takes no more time for each than a short one', (text) => {
  const started = performance.now();
  expect(names(`${text}{{ .Values.a }}`.repeat(60_000), 'a: 1\nb: 1\n')).toEqual(['b']);
  expect(performance.now() - started).toBeLessThan(8000);
});
