import { describe, expect, test } from 'vitest';
import { loadChart, readValues } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { render } from '../render/render.ts';
import type { ValueSource } from '../trace/provenance.ts';
import { mergeMaps } from '../values/merge.ts';
import { type Diagnosed, diagnose } from './diagnose.ts';
import type { Diagnosis } from './diagnosis.ts';
import { formatDiagnosis } from './format.ts';
import { editDistance, nearNames } from './near.ts';
import type { NeighbourValues } from './value-findings.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const release = { name: 'demo', namespace: 'default' };

function examine(
  files: Readonly<Record<string, string>>,
  sources: readonly ValueSource[] = [],
  neighbours: readonly NeighbourValues[] = [],
): Diagnosed {
  const head = files['Chart.yaml'] ? {} : { 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' };
  const chart = loadChart(Object.entries({ ...head, ...files }).map(([name, text]) => ({ name, data: bytes(text) })));
  const values = sources.reduce((all, source) => (source.kind === 'file' ? mergeMaps(all, readValues(source.text, true)) : all), new Map());
  return diagnose(chart, { release, values, sources, neighbours, crypto: nodeCrypto });
}

/** The one failure of a template beside the values given. */
function only(template: string, values = '', more: Readonly<Record<string, string>> = {}): Diagnosis {
  const { diagnoses } = examine({ 'values.yaml': values, 'templates/a.yaml': template, ...more });
  expect(diagnoses).toHaveLength(1);
  return diagnoses[0] as Diagnosis;
}

test('a missing block: who lacks it, who has it, and where it is read', () => {
  const { diagnoses } = examine(
    {
      'values.yaml': 'image: x\n',
      'templates/_h.tpl': '{{ define "app.host" }}\n{{- .Values.ingress.host }}\n{{- end }}\n',
      'templates/a.yaml': 'kind: A\nhost: {{ include "app.host" . }}\n',
    },
    [{ kind: 'file', name: 'values.prod.yaml', text: 'image: y\n' }],
    [
      { name: 'values.dev.yaml', text: '# dev\ningress:\n  host: dev.example\n' },
      { name: 'values.ivv.yaml', text: 'ingress:\n  host: ivv.example\n' },
    ],
  );
  expect(formatDiagnosis(diagnoses[0] as Diagnosis)).toBe(
    `  app/templates/_h.tpl:2:5
    1 | {{ define "app.host" }}
  > 2 | {{- .Values.ingress.host }}
      |     ^^^^^^^^^^^^^^^^^^^^
    3 | {{- end }}
    4 |

  called: "app.host" from app/templates/a.yaml:2:10

  values: ingress is not set by values.prod.yaml nor by app/values.yaml
          values.dev.yaml:2 and values.ivv.yaml:1 have it

  cure:   values.dev.yaml:2 and values.ivv.yaml:1 set ingress: take that block over.
`,
  );
  expect(formatDiagnosis(diagnoses[0] as Diagnosis, { colour: true })).toContain('\u001b[31m^^^');
});

test("Helm's words stay the message, byte for byte", () => {
  const files = [
    { name: 'Chart.yaml', data: bytes('apiVersion: v2\nname: app\nversion: 1.0.0\n') },
    { name: 'templates/a.yaml', data: bytes('a: {{ .Values.a.b.c }}') },
  ];
  for (const profile of ['helm3', 'helm4'] as const) {
    let message = '';
    try {
      render(loadChart(files), { release, profile });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('nil pointer evaluating interface {}.b');
    expect(diagnose(loadChart(files), { release, profile }).diagnoses.map((one) => one.message)).toEqual([message]);
  }
});

describe('cures', () => {
  test('a typing error in a value', () => {
    expect(only('a: {{ .Values.ingres.host }}', 'ingress: {host: x}').cures).toEqual([
      'ingres is not set, but ingress is: mend the name in the template or in the values.',
    ]);
  });

  test('a value that is set to nothing', () => {
    const found = only('a: {{ .Values.a.b }}', 'a: null\n');
    expect(found.values[0]).toMatchObject({ name: 'a', type: 'missing' });
    const { diagnoses } = examine({ 'values.yaml': 'a: {b: 1}\n', 'templates/a.yaml': 'a: {{ .Values.a.b }}' }, [
      { kind: 'file', name: 'v.yaml', text: '\na: null\n' },
    ]);
    expect(diagnoses[0]?.values[0]).toMatchObject({ name: 'a', origin: { kind: 'file', file: 'v.yaml', line: 2 } });
    expect(diagnoses[0]?.cures[0]).toBe("v.yaml:2 sets a to nothing: give it a value there, or remove it to have the chart's default.");
  });

  test('a typing error in a function', () => {
    const found = only('a: b\nc: {{ .Values.x | toYml }}\n');
    expect(found.cures).toEqual(['There is no function toYml; toYaml is one.']);
    expect(found.excerpts[0]?.caret).toEqual({ line: 2, column: 19, length: 5 });
    expect(only('{{ frobnicate }}').cures).toEqual(['There is no function frobnicate in Helm: define a template and include it.']);
  });

  test('an include of what nobody defines', () => {
    const helpers = { 'templates/_h.tpl': '{{ define "app.fullname" }}x{{ end }}{{ define "other.labels" }}y{{ end }}' };
    expect(only('{{ include "app.fulname" . }}', '', helpers).cures).toEqual([
      'No template defines "app.fulname"; "app.fullname" is defined.',
    ]);
    expect(only('{{ template "app.fulname" . }}', '', helpers).cures).toEqual([
      'No template defines "app.fulname"; "app.fullname" is defined.',
    ]);
    expect(only('{{ include "my-service.labels" . }}', '', helpers).cures).toEqual([
      'No template defines "my-service.labels"; "other.labels" is defined.',
    ]);
    expect(only('{{ include "quite.another" . }}').cures[0]).toContain('Define "quite.another"');
  });

  test('required and fail: what they ask for, and what decided', () => {
    expect(only('{{ required "set host" .Values.ingress.host }}', 'ingress: {hosts: []}').cures).toEqual([
      'The chart itself refuses these values: its message above says what it wants.',
      'ingress.host is not set, but ingress.hosts is: mend the name in the template or in the values.',
    ]);
    const found = only(
      '{{ if and .Values.a .Values.b }}{{ range list 1 }}{{ fail "not both" }}{{ end }}{{ end }}',
      'a: true\nb: yes\nc: 1\n',
    );
    expect(found.message).toContain('not both');
    expect(found.values.map(({ name, origin }) => [name, 'line' in origin && origin.line])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  test('the wrong type', () => {
    const values = 'hosts: example.com\nport: 80\n';
    expect(only('{{ range .Values.hosts }}{{ end }}', values).cures).toEqual([
      "hosts is a string, set by app/values.yaml:1 (the chart's default); range goes over lists and maps: write a list there.",
    ]);
    expect(only('{{ if eq .Values.port 80 }}{{ end }}', values).cures[0]).toContain('compare and index with (int .Values.port)');
    expect(only('{{ .Values.hosts.first }}', values).values[0]).toMatchObject({ name: 'hosts', type: 'string' });
    expect(only('{{ index .Values.hosts "a" }}', values).cures[0]).toContain('hosts is a string');
  });

  test('toYaml at the wrong indentation', () => {
    const values = 'resources:\n  limits: {cpu: 1}\n  zone: x\n';
    for (const body of [
      '    {{ toYaml .Values.resources | indent 4 }}',
      '{{ toYaml .Values.resources }}',
      '  {{- toYaml .Values.resources | nindent 1 }}',
    ]) {
      const found = only(`spec:\n  resources:\n${body}\n  other: 1\n`, values);
      expect(found.cures, body).toEqual(['This block belongs below "resources:": print it with "{{- … | nindent 4 }}".']);
      expect(found.excerpts.map(({ of, caret }) => [of, caret?.line])).toEqual([
        ['rendered', 3],
        ['template', 3],
      ]);
      expect(found.values[0]?.name).toBe('resources.limits');
    }
  });

  test('a value that must be quoted, and a tab', () => {
    const found = only('kind: A\nnote: {{ .Values.note }}\n', 'note: "a: b"\n');
    expect(found.cures).toEqual(['note holds characters that YAML takes for its own: print it with "| quote".']);
    expect(found.where).toEqual({ file: 'app/templates/a.yaml', line: 2, column: 10 });
    expect(only('kind: A\nx:\n\t- a\n').cures).toEqual(['YAML is not indented with tabs: put spaces there.']);
  });

  test('a colon in a text of the template, a document of another form, a tpl text with a typing error', () => {
    expect(only('kind: A\nnote: see: this\n').cures).toEqual([
      'Quote what stands behind "note:": it holds a colon and a space, which begin a map.',
    ]);
    for (const text of ['- a\n- list\n', 'kind: {a: 1}\n', 'just text\n']) expect(only(text).cures[0]).toContain('A manifest is a map');
    expect(only('a: {{ tpl "{{ .Values.a | quot }}" . }}').cures).toEqual(['There is no function quot; quote is one.']);
  });

  test('a schema: whose value it is', () => {
    const schema = JSON.stringify({
      properties: { service: { properties: { port: { type: 'integer' } }, required: ['name'] } },
    });
    const { diagnoses, result } = examine(
      { 'values.yaml': 'service:\n  port: 80\n  nam: x\n', 'values.schema.json': schema, 'templates/a.yaml': 'kind: A\n' },
      [{ kind: 'file', name: 'v.yaml', text: 'service:\n  port: "80"\n' }],
    );
    expect(diagnoses[0]?.code).toBe('SCHEMA_VIOLATION');
    expect(diagnoses[0]?.values.find(({ name }) => name === 'service.port')?.origin).toEqual({ kind: 'file', file: 'v.yaml', line: 2 });
    expect(diagnoses[0]?.cures.join('\n')).toContain('service.port (v.yaml:2): got string, want integer');
    expect(diagnoses[0]?.cures.join('\n')).toContain('but nam is there');
    expect(result?.manifests).toHaveLength(1);
  });

  test('dependencies that charts/ lacks', () => {
    const { diagnoses } = examine({
      'Chart.yaml':
        'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: redis, version: 1.x.x, repository: "https://charts.example.org"}\n- {name: postgres, version: 2.x.x}\n',
      'charts/postgre/Chart.yaml': 'apiVersion: v2\nname: postgre\nversion: 2.0.0\n',
      'templates/a.yaml': 'kind: A\n',
    });
    expect(diagnoses[0]?.cures).toEqual([
      'Put redis 1.x.x into charts/ (from https://charts.example.org): desp chart dependency build does.',
      'Chart.yaml wants postgres; charts/ has postgre: mend the name.',
    ]);
  });
});

describe('going on', () => {
  const files = {
    'values.yaml': 'n: 1\n',
    'templates/a.yaml': 'kind: A\nx: {{ .Values.a.b }}\n',
    'templates/b.yaml': 'kind: B\n',
    'templates/c.yaml': 'kind: C\nx: {{ .Values.c.d }}\n',
    'templates/d.yaml': 'kind: D\n  x: y\n',
    'templates/e.yaml': '{{ nofunction }}',
  };

  test('all failures are listed, the rest is rendered', () => {
    const { result, diagnoses } = examine(files);
    expect(result?.manifests.map(({ kind }) => kind)).toEqual(['B']);
    expect(diagnoses.map(({ code, where }) => `${code} ${where?.file}`)).toEqual([
      'TEMPLATE_PARSE app/templates/e.yaml',
      'TEMPLATE_EXECUTION app/templates/c.yaml',
      'TEMPLATE_EXECUTION app/templates/a.yaml',
      'MANIFEST_INVALID app/templates/d.yaml',
    ]);
  });

  test('without keepGoing the first is thrown', () => {
    const chart = loadChart(
      Object.entries({ ...files, 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' }).map(([name, text]) => ({
        name,
        data: bytes(text),
      })),
    );
    expect(() => render(chart, { release })).toThrow('nofunction');
    expect(render(chart, { release, keepGoing: true }).failures).toHaveLength(4);
  });

  test('a limit that is passed ends the render, with what there was', () => {
    const { diagnoses } = examine({
      'templates/b.yaml': '{{ range until 9999999 }}{{ range until 9999999 }}x{{ end }}{{ end }}',
      'templates/a.yaml': 'kind: A',
    });
    expect(diagnoses.map(({ code }) => code)).toEqual(['LIMIT_EXCEEDED']);
  });
});

test('control characters of a chart do not reach a terminal', () => {
  const found = only('kind: \u001b[2JA\n\tx: {{ .Values.a.b }}\n');
  expect(found.excerpts[0]?.lines.map(({ text }) => text)).toEqual(['kind:  [2JA', ' x: {{ .Values.a.b }}', '']);
});

test('near names', () => {
  expect(nearNames('enbaled', ['enabled', 'disabled', 'name'])).toEqual(['enabled']);
  expect(nearNames('a', ['b', 'ab', 'abc'])).toEqual(['ab', 'b']);
  expect(editDistance('abcd', 'abdc', 3)).toBe(1);
  expect(editDistance('kitten', 'sitting', 5)).toBe(3);
  expect(editDistance('short', 'a much longer text', 3)).toBe(4);
});

test.each([
  ['thousands of values in one action', `{{ required "x" (first (list ${'$.Values.a.b '.repeat(30_000)})) }}`, 'a: {}\n'],
  [
    'thousands of missing values in one action',
    `{{ required "x" (first (list ${Array.from({ length: 20_000 }, (_item, index) => `$.Values.a.b${index} `).join('')})) }}`,
    'a: {}\n',
  ],
  ['a document of very many lines', '{{ .Values.a }}', `a: "${'\\n x: y: z'.repeat(200_000)}"\n`],
  ['names of thousands of letters', `{{ .Values.${'a'.repeat(20_000)} | required "x" }}`, `? ${'a'.repeat(20_001)}\n: 1\n`],
  [
    'very many names that are nearly alike',
    `{{ required "x" .Values.${'k'.repeat(60)} }}`,
    Array.from({ length: 60_000 }, (_item, index) => `${'k'.repeat(50)}${index}: 1\n`).join(''),
  ],
])('%s are explained in little time, and little is said', (_name, template, values) => {
  const started = performance.now();
  expect(JSON.stringify({ ...only(template, values), message: '' }).length).toBeLessThan(200_000);
  expect(performance.now() - started).toBeLessThan(8000);
});
