import { describe, expect, test } from 'vitest';
import { ChartError } from './errors.ts';
import { loadChart } from './loader/load.ts';
import { readChartArchive } from './node/archive.ts';
import { nodeCrypto } from './node/crypto.ts';
import { Regex } from './regex/regex.ts';
import { render } from './render/render.ts';
import { readYaml } from './yaml/reader.ts';

/** Charts from strangers: each ends with an error of its own kind, soon, and touches nothing. */

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function run(template: string, values = ''): string {
  const chart = loadChart([
    { name: 'Chart.yaml', data: bytes('apiVersion: v2\nname: h\nversion: 1.0.0') },
    { name: 'values.yaml', data: bytes(values) },
    { name: 'templates/a.yaml', data: bytes(template) },
  ]);
  return render(chart, { release: { name: 'r', namespace: 'n' }, crypto: nodeCrypto })
    .manifests.map((manifest) => manifest.content)
    .join('\n');
}

function failure(template: string, values = ''): ChartError {
  try {
    run(template, values);
  } catch (error) {
    if (error instanceof ChartError) return error;
    throw error;
  }
  throw new Error('it rendered');
}

describe('a runaway template ends within its limits and names its line', () => {
  const runaways: Record<string, string> = {
    'a range of ten million': '\n{{ range until 10000000 }}{{ . }}{{ end }}',
    'nested ranges': '\n{{ range until 9999 }}{{ range until 9999 }}{{ range until 9999 }}x{{ end }}{{ end }}{{ end }}',
    'endless template recursion': '\n{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
    'a text of two gigabytes': '\n{{ repeat 2000000000 "x" }}',
    'a text that doubles': '\n{{ $s := "xxxxxxxx" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}{{ $s }}',
    'a list that doubles': '\n{{ $l := list 1 2 3 4 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}',
    'a replace that squares': '\n{{ $s := repeat 10000 "a" }}{{ range until 9 }}{{ $s = replace "a" $s $s }}{{ end }}',
    'deep indentation': '\n{{ indent 1000000000 "a\\nb" }}',
    'a tpl that calls itself': '\n{{ $t := "{{ tpl .t . }}" }}{{ tpl $t (dict "t" $t) }}',
    'a map that holds itself': '\n{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toJson $d | len }}{{ $d }}',
  };
  test.each(Object.entries(runaways))('%s', (_name, template) => {
    const started = performance.now();
    const error = failure(template);
    expect(['LIMIT_EXCEEDED', 'TEMPLATE_EXECUTION']).toContain(error.code);
    expect(error.where?.file).toContain('templates/a.yaml');
    // Two seconds are promised on an idle machine; tests share theirs.
    expect(performance.now() - started).toBeLessThan(8000);
  });

  test('includes without end end as in Helm', () => {
    const error = failure('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}');
    expect(error).toBeInstanceOf(ChartError);
  });
});

test('names of prototypes are plain keys', () => {
  const out = run(
    'a: {{ .Values.__proto__ }} {{ .Values.constructor }} {{ (dict "__proto__" 1).__proto__ }} {{ hasKey .Values "toString" }} {{ .Values.hasOwnProperty }}|',
    '__proto__: 1\nconstructor: 2',
  );
  expect(out).toBe('a: 1 2 1 false |');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

describe('YAML', () => {
  test('an alias bomb ends by the rule of go-yaml', () => {
    const levels = Array.from(
      { length: 12 },
      (_item, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`,
    );
    expect(() => readYaml(`l0: &l0 [x]\n${levels.join('\n')}`)).toThrow('yaml: document contains excessive aliasing');
  });
  test('endless nesting is refused', () => {
    expect(() => readYaml('['.repeat(100_000))).toThrow('yaml:');
    expect(() => readYaml('- '.repeat(100_000))).toThrow('yaml:');
  });
  test('an anchor in itself is refused', () => {
    expect(() => readYaml('a: &a [*a]')).toThrow("anchor 'a' value contains itself");
  });
});

test('regular expressions take linear time', () => {
  const started = performance.now();
  expect(new Regex('(a*)*b').test('a'.repeat(3000))).toBe(false);
  expect(new Regex('^(([a-z])+.)+[A-Z]([a-z])+$').test('a'.repeat(3000))).toBe(false);
  expect(() => new Regex('((a{100}){100}){100}')).toThrow('invalid repeat count: `{100}`');
  expect(() => new Regex(`(?:${'a'.repeat(60)}){1000}`)).toThrow('more than 50000 instructions');
  expect(performance.now() - started).toBeLessThan(5000);
});

describe('archives', () => {
  test.each([
    ['no archive', bytes('hello')],
    ['a broken one', new Uint8Array([0x1f, 0x8b, 8, 0])],
  ])('%s is refused', (_name, data) => {
    expect(() => readChartArchive(data)).toThrow(ChartError);
  });
});

test('a chart that is too large is refused before anything is read', () => {
  const limits = { files: 2 };
  const files = ['Chart.yaml', 'a', 'b'].map((name) => ({ name, data: bytes('x') }));
  expect(() => loadChart(files, { limits })).toThrow('more than 2');
});
