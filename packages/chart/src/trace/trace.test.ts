import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RenderOptions, RenderResult } from '../api.ts';
import { loadChart, readValues } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { render } from '../render/render.ts';
import { mergeMaps } from '../values/merge.ts';
import { applySet } from '../values/set.ts';
import type { TracedLine } from './api.ts';
import { type Piece, TextTrace } from './pieces.ts';
import type { ValueSource } from './provenance.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const release = { name: 'demo', namespace: 'default' };

/** Renders files with sources of values, as the command line does. */
function traced(
  files: Readonly<Record<string, string>>,
  sources: readonly ValueSource[] = [],
  more: Partial<RenderOptions> = {},
): RenderResult {
  let values = new Map();
  for (const source of sources) {
    if (source.kind === 'file') values = mergeMaps(values, readValues(source.text, true));
  }
  for (const source of sources) if (source.kind !== 'file') values = applySet(source.kind, source.text, values);
  const head = files['Chart.yaml'] ? {} : { 'Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\n' };
  const chart = loadChart(Object.entries({ ...head, ...files }).map(([name, text]) => ({ name, data: bytes(text) })));
  return render(chart, { release, values, sources, trace: true, crypto: nodeCrypto, ...more });
}

/** Each line as `text <- file:line (values)`; white space and the chart's name left out. */
function told(lines: readonly TracedLine[]): string[] {
  return lines.flatMap(({ text, parts }) => {
    const shown = parts.filter((part) => part.text.trim() !== '' || parts.length === 1);
    return shown.length === 0 ? [] : [`${text} <- ${shown.map((part) => describePart(part)).join(', ')}`];
  });
}

function describePart({ place, values, stack, exact }: TracedLine['parts'][number]): string {
  const file = place.file.replace(/^app\/(templates\/)?/, '');
  const via = stack
    .filter((call) => call.calledAt)
    .map((call) => ` ${call.kind} ${call.name}@${call.calledAt?.line}`)
    .join('');
  const from = values
    .filter((value) => value.isPrinted && value.origin.kind !== 'builtin')
    .map((value) => ` ${value.name}=${originOf(value.origin)}`);
  return `${file}:${place.line}:${place.column}${via}${from.join('')}${exact ? '' : ' ~'}`;
}

const originOf = (origin: TracedLine['parts'][number]['values'][number]['origin']): string => {
  if (origin.kind === 'flag') return `${origin.flag} ${origin.text}`;
  return 'file' in origin ? `${origin.kind}:${origin.file.replace(/^app\//, '')}:${origin.line}` : origin.kind;
};

const only = (result: RenderResult): string[] => told(result.trace?.lines(result.manifests[0] as never) ?? []);

describe('lines name the template that printed them', () => {
  test('text, values and included text', () => {
    const result = traced({
      'values.yaml': 'image:\n  tag: v1\nreplicas: 2\n',
      'templates/_h.tpl': '{{- define "app.labels" -}}\napp: {{ .Chart.Name }}\ntag: {{ .Values.image.tag }}\n{{- end -}}\n',
      'templates/a.yaml':
        'kind: Deployment\nmetadata:\n  labels:\n    {{- include "app.labels" . | nindent 4 }}\nspec:\n  replicas: {{ .Values.replicas }}\n',
    });
    expect(only(result)).toEqual([
      'kind: Deployment <- a.yaml:1:1',
      'metadata: <- a.yaml:2:1',
      '  labels: <- a.yaml:3:1',
      '    app: app <- _h.tpl:2:1 include app.labels@4, _h.tpl:2:9 include app.labels@4',
      '    tag: v1 <- _h.tpl:3:1 include app.labels@4, _h.tpl:3:9 include app.labels@4 image.tag=default:values.yaml:2',
      'spec: <- a.yaml:5:1',
      '  replicas: 2 <- a.yaml:6:1, a.yaml:6:16 replicas=default:values.yaml:3',
    ]);
  });

  test('toYaml names the line of each value', () => {
    const result = traced(
      {
        'values.yaml': 'resources:\n  limits:\n    cpu: 1\n    memory: 1Gi\ntolerations:\n- key: a\n  value: b\n',
        'templates/a.yaml': 'kind: X\nr:\n  {{- toYaml .Values.resources | nindent 2 }}\nt:\n{{ toYaml .Values.tolerations }}\n',
      },
      [{ kind: 'file', name: 'prod.yaml', text: '# prod\nresources:\n  limits:\n    cpu: 4\n' }],
    );
    expect(only(result).slice(2)).toEqual([
      '  limits: <- a.yaml:3:7 resources.limits=file:prod.yaml:3',
      '    cpu: 4 <- a.yaml:3:7 resources.limits.cpu=file:prod.yaml:4',
      '    memory: 1Gi <- a.yaml:3:7 resources.limits.memory=default:values.yaml:4',
      't: <- a.yaml:4:1',
      '- key: a <- a.yaml:5:4 tolerations[0].key=default:values.yaml:6',
      '  value: b <- a.yaml:5:4 tolerations[0].value=default:values.yaml:7',
    ]);
  });

  test('range, with, variables, index and dict', () => {
    const result = traced({
      'values.yaml': 'hosts:\n- a.example\n- b.example\nauth:\n  user: me\nports: {http: 80}\n',
      'templates/_h.tpl': '{{- define "line" }}{{ .what }}{{ end -}}\n',
      'templates/a.yaml': [
        'hosts:',
        '{{- range $i, $h := .Values.hosts }}',
        '- {{ $h }}',
        '- {{ . | quote }}',
        '{{- end }}',
        '{{- with .Values.auth.user }}',
        'user: {{ . }}',
        '{{- end }}',
        '{{- $port := index .Values "ports" "http" }}',
        'port: {{ $port }}',
        '{{- range $name, $number := .Values.ports }}',
        '{{ $name }}: {{ $number }}',
        '{{- end }}',
        'line: {{ include "line" (dict "what" .Values.auth.user) }}',
      ].join('\n'),
    });
    expect(only(result).slice(1)).toEqual([
      '- a.example <- a.yaml:3:1, a.yaml:3:6 hosts[0]=default:values.yaml:2',
      '- "a.example" <- a.yaml:4:1, a.yaml:4:6 hosts[0]=default:values.yaml:2',
      '- b.example <- a.yaml:3:1, a.yaml:3:6 hosts[1]=default:values.yaml:3',
      '- "b.example" <- a.yaml:4:1, a.yaml:4:6 hosts[1]=default:values.yaml:3',
      'user: me <- a.yaml:7:1, a.yaml:7:10 auth.user=default:values.yaml:5',
      'port: 80 <- a.yaml:10:1, a.yaml:10:10 ports.http=default:values.yaml:6',
      'http: 80 <- a.yaml:12:4 ports.http=default:values.yaml:6, a.yaml:12:12, a.yaml:12:17 ports.http=default:values.yaml:6',
      'line: me <- a.yaml:14:1, _h.tpl:1:24 include line@14 auth.user=default:values.yaml:5',
    ]);
  });

  test('each turn of a range comes from the collection, not from what the turn before did last', () => {
    const result = traced({
      'values.yaml': 'hosts: a,b\nother: x\n',
      'templates/a.yaml': [
        'hosts:',
        '{{- range splitList "," .Values.hosts }}',
        '- {{ . }}',
        '- {{ . | upper }}',
        '{{- if $.Values.other }}{{ end }}',
        '{{- end }}',
      ].join('\n'),
    });
    const lines = result.trace?.lines(result.manifests[0] as never) ?? [];
    const readBy = (text: string): string[] =>
      lines.filter((line) => line.text === text).flatMap(({ parts }) => parts.flatMap(({ values }) => values.map(({ name }) => name)));
    expect(['- a', '- A', '- b', '- B'].map(readBy)).toEqual([['hosts'], ['hosts'], ['hosts'], ['hosts']]);
  });

  test('texts made of one another in a loop', () => {
    const template = [
      '{{- $all := "" }}{{ $names := dict }}{{ range until 60 }}{{ $_ := set $names (print "n" .) "v" }}{{ end }}',
      '{{- range $name, $value := $names }}',
      '{{- $made := tpl (print "{{ .Values." $name " }}" $value) $ }}',
      '{{- $all = print $all $all $made | trunc 20 }}',
      '{{- if ne $made "" }}{{ $made }}{{ end }}',
      '{{- end }}',
      'all: {{ $all }}',
    ].join('\n');
    const files = { 'templates/a.yaml': `a: 1\n${template}\n` };
    expect(traced(files).manifests).toEqual(traced(files, [], { trace: false }).manifests);
  });

  test('tpl names the value that its text is', () => {
    const result = traced({
      'values.yaml': 'name: x\nextra: |\n  a: 1\n  b: {{ .Values.name }}\n',
      'templates/a.yaml': 'kind: X\n{{ tpl .Values.extra . }}',
    });
    const lines = result.trace?.lines(result.manifests[0] as never) ?? [];
    const part = lines[2]?.parts.at(-1);
    expect(part).toMatchObject({
      text: 'x',
      place: { file: 'app/templates/a.yaml', line: 2 },
      stack: [{ kind: 'file' }, { kind: 'tpl', text: { line: 2, value: { name: 'extra', origin: { kind: 'default', line: 2 } } } }],
      values: [{ name: 'name' }],
    });
  });

  test('a text whose parts are lost has the place of the function, and says so', () => {
    const result = traced({
      'values.yaml': 'name: x\n',
      'templates/_h.tpl': '{{ define "n" }}{{ .Values.name }}{{ end }}',
      'templates/a.yaml': 'kind: X\nsum: {{ include "n" . | sha256sum }}\nname: {{ include "n" . | upper }}\n',
    });
    const lines = result.trace?.lines(result.manifests[0] as never) ?? [];
    for (const line of lines.slice(1, 3)) {
      expect(line.parts.at(-1)).toMatchObject({ exact: false, values: [{ name: 'name', isPrinted: false }] });
    }
  });
});

describe('who set a value', () => {
  const files = {
    'Chart.yaml':
      'apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n- {name: db, version: 1.x.x, alias: store}\n- {name: lib, version: 1.x.x, import-values: [data]}\n',
    'values.yaml': 'a: default\nb: default\nstore:\n  size: parent\nglobal:\n  zone: root\n',
    'charts/db/Chart.yaml': 'apiVersion: v2\nname: db\nversion: 1.0.0\n',
    'charts/db/values.yaml': 'size: own\nkind: own\nglobal:\n  zone: own\n  tier: own\n',
    'charts/db/templates/d.yaml':
      'kind: D\nsize: {{ .Values.size }}\nkindOf: {{ .Values.kind }}\nzone: {{ .Values.global.zone }}\ntier: {{ .Values.global.tier }}\n',
    'charts/lib/Chart.yaml': 'apiVersion: v2\nname: lib\nversion: 1.0.0\n',
    'charts/lib/values.yaml': 'exports:\n  data:\n    port: 99\n',
    'templates/a.yaml':
      'kind: A\na: {{ .Values.a }}\nb: {{ .Values.b }}\nc: {{ .Values.c.d }}\nport: {{ .Values.port }}\nlist: {{ index .Values.l 1 }}\n',
  };
  const sources: ValueSource[] = [
    { kind: 'set', text: 'c.d=flag,l={x,y}' },
    { kind: 'file', name: 'one.yaml', text: 'b: one\nc: {d: one}\n' },
    { kind: 'file', name: 'two.yaml', text: '\nb: two\n' },
  ];

  test('imports of imports are followed downwards, and soon at their end', () => {
    const exporting = 'import-values: [{child: ., parent: .}, {child: one, parent: .}, {child: two, parent: .}, {child: one, parent: two}]';
    const deep: Record<string, string> = { 'templates/a.yaml': 'kind: A\nx: {{ .Values.x }}\ny: {{ .Values.y | default "none" }}\n' };
    let folder = '';
    for (let level = 0; level < 8; level++) {
      const needs = level < 7 ? `dependencies:\n- {name: c${level + 1}, version: 1.x.x, ${exporting}}\n` : '';
      deep[`${folder}Chart.yaml`] = `apiVersion: v2\nname: c${level}\nversion: 1.0.0\n${needs}`;
      deep[`${folder}values.yaml`] = level === 7 ? 'one: {x: deepest}\n' : '{}\n';
      folder += `charts/c${level + 1}/`;
    }
    const result = traced(deep);
    const started = performance.now();
    const lines = result.manifests.flatMap((manifest) => told(result.trace?.lines(manifest) ?? []));
    expect(performance.now() - started).toBeLessThan(1000);
    expect(lines[0]).toContain('kind: A');
  });

  test('files, flags, defaults, parents, globals, aliases and imports', () => {
    const result = traced(files, sources);
    const shown = Object.fromEntries(
      result.manifests.map((manifest) => [manifest.kind, told(result.trace?.lines(manifest) ?? []).slice(1)]),
    );
    expect(shown['A']?.map((line) => line.split(' <- ')[1]?.split(' ').slice(1).join(' '))).toEqual([
      'a.yaml:2:7 a=default:values.yaml:1',
      'a.yaml:3:7 b=file:two.yaml:2',
      'a.yaml:4:7 c.d=--set c.d=flag,l={x,y}',
      'a.yaml:5:10 port=default:charts/lib/values.yaml:3',
      'a.yaml:6:10 l[1]=--set c.d=flag,l={x,y}',
    ]);
    expect(shown['D']?.map((line) => line.split(' ').at(-1))).toEqual([
      'store.size=parent:values.yaml:4',
      'store.kind=default:charts/store/values.yaml:2',
      'store.global.zone=parent:values.yaml:6',
      'store.global.tier=default:charts/store/values.yaml:5',
    ]);
  });

  test('what a template changes is computed; what nobody sets is unset', () => {
    const result = traced({
      'values.yaml': 'a: 1\nm: {x: 1}\no: {z: 2}\n',
      'templates/a.yaml':
        'kind: X\n{{- $_ := set .Values "a" 2 }}\na: {{ .Values.a }}\n{{- $m := merge (dict) .Values.o .Values.m }}\nx: {{ $m.x }}\nz: {{ $m.z }}\n',
    });
    expect(only(result).slice(1)).toEqual([
      'a: 2 <- a.yaml:3:1, a.yaml:3:7 a=computed',
      'x: 1 <- a.yaml:5:1, a.yaml:5:7 m.x=default:values.yaml:2',
      'z: 2 <- a.yaml:6:1, a.yaml:6:7 o.z=default:values.yaml:3',
    ]);
    expect(result.trace?.origin(['nobody'])).toEqual({ kind: 'unset' });
  });

  test('lines of files with several documents count through', () => {
    const result = traced({ 'templates/a.yaml': 'kind: X\na: {{ .Values.a }}{{ .Values.b }}' }, [
      { kind: 'file', name: 'v.yaml', text: 'a: 1\nb: 1\n---\n# two\nb: 2\n' },
    ]);
    expect(only(result)[1]).toBe('a: 12 <- a.yaml:2:1, a.yaml:2:7 a=file:v.yaml:1, a.yaml:2:22 b=file:v.yaml:5');
  });
});

test('hooks and notes are traced too', () => {
  const result = traced({
    'values.yaml': 'who: you\n',
    'templates/NOTES.txt': 'Hello\n{{ .Values.who }}\n',
    'templates/h.yaml': 'kind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: test\n',
  });
  expect(told(result.trace?.lines('notes') ?? [])[1]).toBe('you <- NOTES.txt:2:4 who=default:values.yaml:1');
  expect(result.trace?.lines(result.hooks[0] as never)[0]?.parts[0]?.place).toMatchObject({ file: 'app/templates/h.yaml', line: 1 });
});

test('what comes after a trace has become too large is one run, whatever its length', () => {
  const piece = { text: '', reads: [], exact: false, isRest: true } as unknown as Piece;
  const trace = new TextTrace();
  for (let i = 0; i < 1000; i++) trace.push(10, piece, 0);
  expect([trace.starts.length, trace.length]).toEqual([1, 10_000]);
});

describe('tracing changes nothing, and loses nothing', () => {
  const value = fc.constantFrom(
    '.Values.s',
    '.Values.n',
    '.Values.m',
    '.Values.l',
    '.Release.Name',
    '.Values.none',
    '(include "x" .)',
    '"a\\nb"',
    '$v',
  );
  const stage = fc.constantFrom(
    'quote',
    'upper',
    'trim',
    'indent 2',
    'nindent 4',
    'toYaml',
    'toJson',
    'replace "a" "bb"',
    'replace "b" ""',
    'trunc 3',
    'trimSuffix "x"',
    'b64enc',
    'default "d"',
    'printf "<%v>\\n%v" "q"',
    'cat "c"',
    'squote',
    'toString',
    'splitList "a" | join "\\n"',
    'title',
  );
  const pipeline = fc.tuple(value, fc.array(stage, { maxLength: 4 })).map(([start, stages]) => [start, ...stages].join(' | '));
  const action = pipeline.chain((pipe) =>
    fc.constantFrom(`{{ ${pipe} }}`, `{{- ${pipe} }}`, `{{ ${pipe} -}}`, `{{ $v = ${pipe} }}`, `{{ tpl (${pipe} | toString) . }}`),
  );
  const text = fc.constantFrom('a: ', '\n', '  b\n', 'c\n\n  d', ' ', '# e\n');
  const item: fc.Arbitrary<string> = fc.letrec<{ item: string; items: string }>((tie) => ({
    item: fc.oneof(
      { maxDepth: 3 },
      text,
      action,
      tie('items').map((inner) => `{{ with .Values.m }}${inner}{{ . }}{{ end }}`),
      tie('items').map((inner) => `{{ range $i, $e := .Values.l }}${inner}{{ $e }}{{ . }}{{ end }}`),
      tie('items').map((inner) => `{{ if .Values.s }}${inner}{{ else }}x{{ end }}`),
    ),
    items: fc.array(tie('item'), { minLength: 1, maxLength: 4 }).map((items) => items.join('')),
  })).items;

  test('fuzzed templates', () => {
    fc.assert(
      fc.property(item, item, (body, helper) => {
        const files = {
          'values.yaml': 's: "ab\\nab"\nn: 7\nm: {a: 1, b: [x, y]}\nl: [p, 2, {q: r}]\n',
          'templates/_h.tpl': `{{ define "x" }}{{ $v := "" }}${helper.replaceAll('(include "x" .)', '.Values.s')}{{ end }}`,
          'templates/NOTES.txt': `{{ $v := "" }}${body}`,
        };
        const outcome = (trace: boolean): { text: string; result?: RenderResult } => {
          try {
            const result = traced(files, [], { trace });
            return { text: result.notes, result };
          } catch (error) {
            return { text: String(error) };
          }
        };
        const on = outcome(true);
        expect(on.text).toBe(outcome(false).text);
        if (!on.result) return;
        const lines = on.result.trace?.lines('notes') ?? [];
        expect(lines.map((line) => line.parts.map((part) => part.text).join('')).join('\n')).toBe(on.text);
        for (const part of lines.flatMap((line) => line.parts)) expect(isTemplateText(part, files)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** A template's own text stands at the place that is told for it. */
function isTemplateText(part: TracedLine['parts'][number], files: Readonly<Record<string, string>>): boolean {
  if (part.kind !== 'text' || !part.exact || part.stack.some((call) => call.text)) return true;
  const source = files[part.place.file.replace('app/', '')]?.split('\n')[(part.place.line ?? 0) - 1];
  return source?.startsWith(part.text, (part.place.column ?? 0) - 1) ?? false;
}
