import { expect, test } from 'vitest';
import { chartOf, outcome, valuesOf } from '../../../test-data/turns.ts';
import type { Limits } from '../../limits.ts';
import type { ChartFile } from '../../loader/chart.ts';
import { loadChart, readValues } from '../../loader/load.ts';
import type { ValueMap } from '../../value/kinds.ts';
import { formatTemplateOutput } from '../output.ts';
import { render } from '../render.ts';

test('a file whose values are the same does not run again, and is charged all the same', () => {
  const files = chartOf(
    { 'a.yaml': 'a: {{ .Values.a }}', 'b.yaml': 'b: {{ .Values.b }}{{ now }}', 'c.yaml': 'c: {{ .Values.c }}' },
    'a: 1\nb: 2\nc: 3',
  );
  const chart = loadChart(files);
  let asked = 0;
  const now = (): Date => {
    asked++;
    return new Date(0);
  };
  const again = (values: string, limits?: Partial<Limits>): string =>
    formatTemplateOutput(
      render(chart, { release: { name: 'r', namespace: 'n' }, values: readValues(values, true), now, ...(limits ? { limits } : {}) }),
    );
  again('');
  again('a: 5');
  // What asks the clock always runs.
  expect(asked).toBe(2);
  const short = { steps: 30 };
  const failure = (): string => {
    try {
      return again('', short);
    } catch (error) {
      return String(error);
    }
  };
  expect(failure()).toBe(failure());
});

test('a limit ends a render that knows something where it ends one that does not', () => {
  const texts = '{{ if .Values.a }}x{{ end }}'.repeat(200);
  const charts: [Readonly<Record<string, string>>, string[], number[]][] = [
    // Reading a text of tpl is charged once.
    [
      { _h: `{{ define "h" }}{{ tpl "${texts}" . }}{{ end }}`, 'a.yaml': `a: {{ len (list ${'(include "h" .) '.repeat(40)}) }}` },
      [''],
      [16_000],
    ],
    [{ _h: `{{ define "h" }}${texts}{{ end }}`, 'a.yaml': `a: {{ len (list ${'(include "h" .) '.repeat(10)}) }}` }, [''], [1500, 2000]],
    [
      {
        'z.yaml': 'z: "{{ range until (int .Values.count) }}{{ . }}{{ end }}"',
        'a.yaml': 'a: "{{ range until 1000 }}{{ . }}{{ end }}"',
      },
      ['count: 10', 'count: 2000'],
      [9100, 10_000, 13_450],
    ],
    [
      { 'a.yaml': 'a: "{{ range until (int .Values.count) }}{{ . }}{{ end }}{{ range until 1000 }}{{ . }}{{ end }}"' },
      ['count: 10', 'count: 2000'],
      [9100, 10_000, 13_450],
    ],
  ];
  for (const [templates, turns, limits] of charts)
    for (const steps of limits) {
      const files = chartOf(templates, 'a: 1');
      const chart = loadChart(files);
      for (const values of valuesOf(...turns))
        expect(outcome(chart, values, false, { steps })).toBe(outcome(loadChart(files), values, true, { steps }));
    }
});

/** Seconds of this process's own time that renders of one chart take. */
function secondsOf(files: readonly ChartFile[], turns: readonly ValueMap[]): number {
  const chart = loadChart(files);
  const start = process.cpuUsage();
  for (const values of turns) outcome(chart, values, false);
  return process.cpuUsage(start).user / 1e6;
}

test('many files that set something beside many values take not much longer', () => {
  const big = JSON.stringify(Object.fromEntries(Array.from({ length: 40_000 }, (_item, index) => [`k${index}`, { a: index }])));
  const templates = Array.from({ length: 300 }, (_item, index) => [`${index}.yaml`, `{{ $_ := set .Values "x${index}" .Values.b }}a: 1`]);
  const files = chartOf(Object.fromEntries(templates), `big: ${big}`);
  expect(secondsOf(files, valuesOf('b: 1', 'b: 2', 'b: 3'))).toBeLessThan(5);
});

test('a render that may be repeated takes not much longer than one that may not', () => {
  const list = JSON.stringify(Array.from({ length: 50_000 }, (_item, index) => index));
  for (const call of ['len $d', 'unset $d "k"', 'merge $d (dict "a" 1)', 'len $.Values.l', 'keys $d']) {
    const files = chartOf(
      { 'a.yaml': `{{ $d := dict "x" .Values.l }}a: {{ range until 20000 }}{{ $_ := ${call} }}{{ end }}{{ .Values.b }}` },
      `l: ${list}`,
    );
    expect(secondsOf(files, valuesOf('b: 1', 'b: 2')), call).toBeLessThan(3);
  }
});
