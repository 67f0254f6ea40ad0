import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeChart } from '../../../test-data/charts.ts';
import { makeStatementChart } from '../../../test-data/statements.ts';
import { chartOf, filesOf, outcome, valuesOf } from '../../../test-data/turns.ts';
import type { Chart, ChartFile } from '../../loader/chart.ts';
import { loadChart, readValues } from '../../loader/load.ts';
import { deepCopy } from '../../value/copy.ts';
import { int, type Value, type ValueMap } from '../../value/kinds.ts';
import { type Changes, isSame, own, update } from './changes.ts';

/**
 * Renders one chart with each of the values in turn; each time it must print what a chart that was never rendered prints.
 *
 * @returns how often that is no failure
 */
function expectSame(files: readonly ChartFile[], turns: readonly ValueMap[]): number {
  const chart = loadChart(files);
  let printed = 0;
  for (const values of turns) {
    const wanted = outcome(loadChart(files), values, true);
    expect(outcome(chart, values, false)).toBe(wanted);
    if (wanted.startsWith('---')) printed++;
  }
  return printed;
}

describe('a chart that is rendered again prints what it would print the first time', () => {
  const ways: [string, Readonly<Record<string, string>>, string, string[]][] = [
    ['a field', { 'a.yaml': 'a: {{ .Values.a }}', 'b.yaml': 'b: {{ .Values.b }}' }, 'a: 1\nb: 2', ['', 'a: 3', 'b: {x: 1}', '']],
    ['below a variable', { 'a.yaml': '{{ $x := .Values.m }}a: {{ $x.k }}' }, 'm: {k: 1}', ['', 'm: {k: 2}', 'm: {j: 2}']],
    [
      'through dict and include',
      { _h: '{{ define "h" }}{{ .v.k }}{{ end }}', 'a.yaml': 'a: {{ include "h" (dict "v" .Values.m) }}' },
      'm: {k: 1}',
      ['', 'm: {k: 2}'],
    ],
    ['whether a map is empty', { 'a.yaml': 'a: {{ if .Values.m }}yes{{ else }}no{{ end }}' }, 'm: {}', ['', 'm: {k: 2}', '']],
    [
      'what range goes over',
      { 'a.yaml': '{{ range $k, $v := .Values.m }}\n{{ $k }}: {{ $v }}{{ end }}' },
      'm: {k: 1}',
      ['', 'm: {k: 2}', 'm: {j: 2}', 'm: {k: null}'],
    ],
    [
      'whether an item that range goes over is empty',
      { 'a.yaml': '{{ range $k, $v := .Values.m }}{{ if $v }}\n{{ $k }}: 1{{ end }}{{ end }}' },
      'm: {k: {l: 1}}',
      ['', 'm: {k: {l: null}}', 'm: {k: {j: 1}}'],
    ],
    [
      'maps that charts share',
      {
        'a.yaml': 'a: [{{ toJson .Values.global }}, {{ toJson .Values.g }}]',
        'b.yaml': '{{ $_ := set .Values "g" .Values.global.x }}b: {{ .Values.g.w }}',
      },
      'global: {x: {w: 1}}',
      ['', 'global: {x: {w: 2}}', 'global: {x: {w: 2, z: 3}}'],
    ],
    ['a printed map', { 'a.yaml': 'a: "{{ .Values.m }}"' }, 'm: {k: {l: 1}}', ['', 'm: {k: {l: 2}}']],
    ['a function of a map', { 'a.yaml': '{{ toYaml .Values }}' }, 'm: {k: {l: 1}}', ['', 'm: {k: {l: 2}}', 'm: {k: {l: 2, j: 3}}']],
    ['a function of what holds a map', { 'a.yaml': 'a: {{ list .Values.m | toJson }}' }, 'm: {k: {l: 1}}', ['', 'm: {k: {l: 2}}']],
    ['keys', { 'a.yaml': 'a: {{ keys .Values.m | sortAlpha | join "," }}' }, 'm: {k: 1}', ['', 'm: {j: 2}', 'm: {k: null}']],
    [
      'get, hasKey, index, dig',
      {
        'a.yaml':
          'a: [{{ get .Values.m "k" }}, {{ hasKey .Values.m "j" }}, {{ index .Values "m" "k" }}, {{ dig "m" "j" 0 .Values.AsMap }}]',
      },
      'm: {k: 1}',
      ['', 'm: {j: 2}', 'm: {k: 3}'],
    ],
    [
      'an item of a list',
      { 'a.yaml': 'a: {{ (index .Values.l 0).k }}{{ range .Values.l }}{{ .k }}{{ end }}' },
      'l: [{k: 1}]',
      ['', 'l: [{k: 2}]', 'l: [{k: 2}, {k: 3}]'],
    ],
    ['a global', { 'a.yaml': 'a: {{ .Values.global.g }}' }, 'global: {g: 1}', ['', 'global: {g: 2}']],
    ['a method', { 'a.yaml': 'a: {{ (.Values.Table "m").k }}' }, 'm: {k: 1}', ['', 'm: {k: 2}']],
    [
      'the context as a whole',
      { 'a.yaml': 'a: {{ (toJson .Values | fromJson).m.k }} {{ tpl "{{ .Values.m.k }}" $ }}' },
      'm: {k: 1}',
      ['', 'm: {k: 2}'],
    ],
    [
      'what a file before it sets',
      { 'b.yaml': '{{ if .Values.on }}{{ $_ := set .Values "x" 1 }}{{ end }}b: 1', 'a.yaml': 'a: {{ .Values.x }}' },
      'on: false',
      ['', '', 'on: true', '', 'on: true'],
    ],
    [
      'what a file before it sets in a list',
      { 'b.yaml': '{{ if .Values.on }}{{ $_ := set (first .Values.l) "x" 1 }}{{ end }}b: 1', 'a.yaml': 'a: {{ (first .Values.l).x }}' },
      'on: false\nl: [{x: 0}]',
      ['', '', 'on: true', '', 'on: true'],
    ],
    [
      'what a file before it sets in the context',
      {
        'b.yaml': '{{ if .Values.on }}{{ $_ := set . "x" 1 }}{{ $_ := set .Release "y" 1 }}{{ end }}b: 1',
        'a.yaml': 'a: {{ .x }}{{ .Release.y }}',
      },
      'on: false',
      ['', '', 'on: true', '', 'on: true'],
    ],
    [
      'what a merge changes below a copy',
      {
        'b.yaml': '{{ if .Values.on }}{{ $d := merge (dict) .Values }}{{ $_ := mergeOverwrite $d (dict "m" (dict "k" 9)) }}{{ end }}b: 1',
        'a.yaml': 'a: {{ .Values.m.k }}',
      },
      'on: false\nm: {k: 1}',
      ['', '', 'on: true', '', 'on: true'],
    ],
    [
      'what a file that need not run sets, between two that include the same',
      {
        _h: '{{ define "h" }}{{ .Values.a }}{{ end }}',
        'c.yaml': 'c: {{ printf "%s-%v" (include "h" .) .Values.b }}',
        'b.yaml': '{{ $_ := set .Values "a" 9 }}b: 1',
        'a.yaml': 'a: {{ printf "%s-%v" (include "h" .) .Values.b }}',
      },
      'a: 1\nb: 2',
      ['', 'b: 3', 'b: 4'],
    ],
    [
      'what a statement sets further down than the next one looks',
      { 'a.yaml': '{{ $_ := set .Values.m.k "l" .Values.b }}a: {{ toJson .Values.m }}' },
      'b: 1\nm: {k: {}}',
      ['', 'b: 2', 'b: 2\nm: {k: {j: 3}}', 'b: 4'],
    ],
    [
      'a map that statements fill one after the other',
      {
        'a.yaml':
          '{{ $d := dict "k" (toJson .Values.a) }}a: |\n  {{ if hasKey $d "z" }}z{{ end }}{{ .Values.b | quote }}' +
          '{{ if hasKey $d "z" | or .Values.b }}y{{ end }}{{ $_ := set $d "z" .Values.b }}{{ toJson $d }}',
      },
      'a: 1\nb: false',
      ['', 'b: 0', 'b: ""', 'a: 2', ''],
    ],
    [
      'a map in a list, and the release, set behind a template that is included twice',
      {
        _h: '{{ define "h" }}1{{ end }}',
        'a.yaml':
          'a: {{ include "h" . }}{{ include "h" . }} {{ (first .Values.l).x }}{{ .Release.x }}' +
          '{{ $_ := set (first .Values.l) "x" "X" }}{{ $_ := set .Release "x" "X" }}',
      },
      'l: [{k: 1}]',
      ['', 'b: 1', ''],
    ],
    [
      'a map that was just hung into the values',
      {
        _h: '{{ define "h" }}{{ .o.p }}{{ end }}',
        'a.yaml': '{{ $_ := set . "o" (dict "p" 1) }}a: {{ include "h" . }}{{ $_ := set .o "p" 2 }}{{ include "h" . }}',
      },
      'b: 1',
      ['', 'b: 2'],
    ],
    [
      'a map in a list that is set, and then the list taken out',
      {
        'z.yaml': 'z: {{ (first .Values.l).a }}{{ $_ := set (first .Values.l) "a" "2" }}',
        'x.yaml': '{{ $_ := unset .Values "l" }}x: 1',
      },
      'l: [{a: "1"}]',
      ['', 'l: [{a: "2"}]', ''],
    ],
    [
      'the release that is set, and then taken out',
      {
        'z.yaml': '{{ if .Values.o }}{{ $_ := set .Release "r" 1 }}{{ end }}z: 1',
        'w.yaml': 'w: {{ .Release.r }}',
        'a.yaml': '{{ $_ := unset $ "Release" }}a: 1',
      },
      'o: false',
      ['', 'o: true', '', 'o: true'],
    ],
    [
      'a map in a list that is hung into the values, and then set',
      { 'z.yaml': 'z: {{ (first .Values.l).k }}{{ $e := first .Values.l }}{{ $_ := set .Values "x" $e }}{{ $_ := set $e "k" "1" }}' },
      'l: [{k: "0"}]',
      ['', 'l: [{k: "1"}]', ''],
    ],
    [
      'texts of tpl, which all have one name',
      {
        'a.yaml': ['2', '3']
          .map((text) => `a${text}: {{ tpl "{{ if .c }}{{ template \\"gotpl\\" .c }}{{ else }}T${text}{{ end }}" (dict "c" .) }}\n`)
          .join(''),
      },
      'b: 1',
      ['', 'b: 2'],
    ],
    ['another value for $', { 'a.yaml': '{{ $ = .Values.a }}a: {{ $ | toJson }}' }, 'a: 1', ['', 'a: 2']],
    [
      'variables that are declared in parentheses',
      {
        'a.yaml': '{{ $x := "old" }}a: {{ print ($x := .Values.a) }}\nx: {{ $x }}{{ .Values.b }}',
        'b.yaml': '{{ $q := and .Values.o ($p := "5") }}{{ $r := .Values.b }}b: {{ $r | toJson }}{{ $q | toJson | quote | trimAll "\\"" }}',
      },
      'a: 1\nb: 1\no: true',
      ['', 'b: 2', 'b: 2\no: false', 'b: 3\no: false', 'o: true'],
    ],
    [
      'the order of keys that are set',
      {
        'z.yaml':
          '{{ $m := .Values.m }}{{ $_ := set $m "a" 1 }}{{ $_ := unset $m "a" }}{{ $_ := set $m "b" 1 }}{{ $_ := set $m "a" 1 }}' +
          '{{ $_ := unset $m "c" }}{{ $_ := set $m "c" 2 }}z: 1',
        'w.yaml': 'w: {{ printf "%v %v" (keys .Values.m) .Values.b | quote }}',
      },
      'm: {c: 1, d: 1}\nb: 1',
      ['', 'b: 2', 'b: 3'],
    ],
    [
      'what is set and unset again',
      {
        'c.yaml': '{{ if .Values.on }}{{ $_ := set .Values "x" 1 }}{{ end }}c: 1',
        'b.yaml': 'b: {{ .Values.x }}',
        'a.yaml': '{{ $_ := unset .Values "x" }}a: 1',
      },
      'on: false',
      ['', '', 'on: true', '', 'on: true'],
    ],
    [
      'a failure',
      { 'a.yaml': 'a: {{ required "needed" .Values.a }}', 'b.yaml': 'b: {{ .Values.b.c }}' },
      'a: 1\nb: {}',
      ['', 'a: ""', '', 'b: 1', 'a: 2'],
    ],
    [
      'values that a file replaces for all others',
      {
        'z.yaml':
          '{{ $d := .Values.d }}{{ $_ := unset .Values "d" }}{{ $_ := set .Values "was" (deepCopy .Values) }}' +
          '{{ $_ := set $ "Values" (mustMergeOverwrite $d .Values) }}z: {{ .Values.a }}',
        'b.yaml': 'b: {{ .Values.m.k }}{{ if .Values.e }}e{{ end }}',
        'a.yaml': 'a: {{ toJson .Values }}',
      },
      'd: {a: 1, e: {}, m: {k: 1, l: 2}}',
      ['', 'a: 2', 'm: {k: 3}', 'm: {k: 3}', 'm: {l: 4}', 'd: {a: 5}', 'e: {f: 1}', 'd: null', ''],
    ],
    [
      'whether a file leaves a map empty',
      {
        'c.yaml': '{{ if .Values.a }}{{ $_ := set .Values.m "k" 1 }}{{ end }}c: 1',
        'b.yaml': '{{ $_ := unset .Values.p .Values.key }}b: 1',
        'a.yaml': 'a: {{ if .Values.m }}m{{ end }}{{ if .Values.p }}p{{ end }}',
      },
      'a: false\nm: {}\np: {j: 1, k: 2}\nkey: k',
      ['', 'a: true', '', 'key: j', 'key: j\np: {k: null}', 'p: {j: null}'],
    ],
    ['the order of keys', { 'a.yaml': 'a: {{ range keys .Values.m }}{{ . }}{{ end }}' }, 'm: {}', ['m: {a: 1, b: 2}', 'm: {b: 2, a: 1}']],
    ['a number of another kind', { 'a.yaml': 'a: {{ typeOf .Values.i }}' }, 'i: 1', ['', 'i: 1.5', 'i: "1"', 'i: null']],
  ];
  test.each(ways)('%s', (_name, templates, values, turns) => {
    expect(expectSame(chartOf(templates, values), valuesOf(...turns))).toBeGreaterThan(1);
  });

  test('subcharts that come and go', () => {
    const part = (name: string): Record<string, string> => ({
      [`charts/${name}/Chart.yaml`]: `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`,
      [`charts/${name}/values.yaml`]: 'who: part\nglobal: {}\n',
      [`charts/${name}/templates/_h.tpl`]: `{{ define "h" }}${name}{{ end }}`,
      [`charts/${name}/templates/m.yaml`]: 'm: {{ .Values.who }}{{ .Values.global.g }}',
    });
    const files = filesOf({
      'Chart.yaml':
        'apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies: [{name: p, version: 1.x.x, condition: p.on}, {name: q, version: 1.x.x, condition: q.on}]\n',
      'values.yaml': 'p: {on: true}\nq: {on: false}\n',
      'templates/a.yaml': 'a: {{ include "h" . }}',
      ...part('p'),
      ...part('q'),
    });
    expectSame(files, valuesOf('', 'q: {on: true}', 'p: {who: me}', 'p: {on: false}\nq: {on: true}', 'global: {g: 1}', ''));
  });

  test('a list that is set, and holds a map that holds itself', () => {
    const template = '{{ $m := dict }}{{ $_ := set $m "m" $m }}{{ $_ := set .Values "l" (list $m) }}a: {{ .Values.a }}';
    expectSame(chartOf({ 'a.yaml': template }), valuesOf('a: 1', 'a: 2', 'a: 2', 'a: 3'));
  });

  test('charts within charts, as deep as they may be', () => {
    const files: Record<string, string> = {};
    let folder = '';
    for (let depth = 0; depth < 32; depth++) {
      files[`${folder}Chart.yaml`] = `apiVersion: v2\nname: c${depth}\nversion: 1.0.0\n`;
      folder += `charts/c${depth + 1}/`;
    }
    files['templates/a.yaml'] = 'a: {{ .Values.a }}';
    expectSame(filesOf(files), valuesOf('a: 1', 'a: 2'));
  });

  test('charts whose files tell one another what they please', () => {
    const snippet = fc.constantFrom(
      ...[
        '{{ $_ := set . "n" .Values.a }}',
        '{{ $_ := set . "n" .Values.m }}',
        '{{ $_ := set .Values "x" .Values.b }}',
        '{{ $_ := unset .Values "x" }}',
      ],
      ...['{{ $_ := unset . "n" }}', '{{ $_ := set . "o" (dict "p" .Values.m) }}', '{{ $_ := merge .Values (.Values.d | default dict) }}'],
      ...['{{ with .o }}{{ $_ := set . "q" $.Values.b }}{{ end }}', '{{ with .Values.m }}{{ $_ := set . "k" $.Values.a }}{{ end }}'],
      ...[
        '{{ with .n }}{{ if kindIs "map" . }}{{ $_ := set . "z" $.Values.b }}{{ end }}{{ end }}',
        '{{ with .Values.m }}{{ $_ := unset . "l" }}{{ end }}',
      ],
      '{{ $_ := set $ "Values" (mergeOverwrite (.Values.d | default dict) .Values) }}',
      '{{ $_ := set $ "Values" (mergeOverwrite (deepCopy (.Values.d | default dict)) .Values) }}',
      '{{ if .Subcharts.s }}{{ $_ := set .Subcharts.s "n" .Values.b }}{{ $_ := set .Subcharts.s.Values "y" .Values.m }}{{ end }}',
      ...[
        '{{ .n }}',
        '{{ toJson .n }}',
        '{{ .Values.a }}',
        '{{ with .Values.m }}{{ .k }}{{ end }}',
        '{{ toJson .Values }}',
        '{{ if .Values.m }}m{{ end }}',
      ],
      ...[
        '{{ with .o }}{{ toJson .p }}{{ .q }}{{ end }}',
        '{{ hasKey . "n" }}',
        '{{ keys . | sortAlpha }}',
        '{{ .Values.x }}',
        '{{ .Values.y }}',
      ],
      ...[
        '{{ with .Subcharts.s }}{{ .n }}{{ .Values.a }}{{ end }}',
        '{{ range $k, $v := .Values.m }}{{ $k }}{{ end }}',
        '{{ .Template.Name }}',
      ],
      '{{ omit . "Files" "Capabilities" "Chart" "Release" "Subcharts" "Template" | toJson }}',
      '{{ toJson (dict "s" .Subcharts.s.Values) }}',
    );
    const text = fc.array(snippet, { minLength: 1, maxLength: 4 }).map((parts) => `x: |\n  ${parts.join(' ')}\n`);
    const value = fc.constantFrom(1, 2, 'b', '', null, true);
    const map = fc.dictionary(fc.constantFrom('k', 'l', 'z'), value, { maxKeys: 3 });
    const values = fc.dictionary(
      fc.constantFrom('a', 'b', 'x', 'm', 'd', 's'),
      fc.oneof(value, map, fc.dictionary(fc.constantFrom('a', 'm', 'b'), fc.oneof(value, map))),
    );
    const fileNames = [
      'templates/d.yaml',
      'templates/c.yaml',
      'templates/b.yaml',
      'templates/a.yaml',
      'charts/s/templates/b.yaml',
      'charts/s/templates/a.yaml',
    ];
    fc.assert(
      fc.property(
        fc.tuple(...fileNames.map(() => text)),
        values,
        fc.array(values, { minLength: 2, maxLength: 5 }),
        (texts, defaults, turns) => {
          const files = filesOf({
            'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
            'charts/s/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
            'values.yaml': JSON.stringify(defaults),
            ...Object.fromEntries(fileNames.map((name, at) => [name, texts[at] as string])),
          });
          expectSame(files, valuesOf(...turns.map((turn) => JSON.stringify(turn)), '', ''));
        },
      ),
      { numRuns: Number(process.env.AGAIN_RUNS ?? 300) },
    );
  });

  test('charts whose statements lean on one another', () => {
    const first = Number(process.env.AGAIN_SEED ?? 1);
    for (let seed = first; seed < first + Number(process.env.AGAIN_RUNS ?? 300); seed++) {
      const { files, turns } = makeStatementChart(seed);
      expectSame(filesOf(files), valuesOf(...turns));
    }
  });

  test('fuzzed charts with values that change here and there', () => {
    let seed = 1;
    const next = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const some: Value[] = ['text', '', int(7), 1.5, true, false, null, 'x'];
    const change = (map: ValueMap): void => {
      const keys = [...map.keys()];
      const key = keys[next(keys.length || 1)] ?? 'added';
      const value = map.get(key);
      if (value instanceof Map && value.size > 0 && next(3) > 0) change(value);
      else if (next(6) === 0) map.set(`more${next(3)}`, new Map([['k', some[next(some.length)]]]));
      else map.set(key, some[next(some.length)]);
    };
    let compared = 0;
    for (let n = 0; n < 400; n++) {
      const { files, values } = makeChart(n);
      let chart: Chart;
      let given: ValueMap;
      try {
        chart = loadChart(filesOf(files));
        given = values === undefined ? new Map() : readValues(values, true);
      } catch {
        // Some charts are made to fail.
        continue;
      }
      const turns = [given];
      for (let turn = 0; turn < 5; turn++) {
        const changed = deepCopy(next(3) === 0 ? chart.values : (turns.at(-1) as ValueMap));
        for (let times = next(3); times >= 0; times--) change(changed);
        turns.push(changed);
      }
      for (const turn of turns) {
        const again = outcome(chart, turn, false);
        expect(again, `chart ${n}`).toBe(outcome(loadChart(filesOf(files)), turn, true));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(1000);
  });
});

test('two trees are made equal in their place', () => {
  const [kept, wanted] = valuesOf('a: {b: 1, c: {d: [1, {e: 2}]}}\nf: x', 'f: x\na: {c: {d: [1, {e: 3}], g: 4}}') as [ValueMap, ValueMap];
  const inner = kept.get('a');
  const owned = new Set<ValueMap>();
  own(kept, owned);
  const changes = update(kept, wanted, owned) as Changes;
  expect(isSame(kept, wanted)).toBe(true);
  expect(kept.get('a')).toBe(inner);
  expect([...(changes.get(inner as ValueMap) ?? [])]).toEqual(['b']);
});
