/** Small charts, and values that they are rendered with in turn. */
import { ChartError } from '../src/errors.ts';
import type { Limits } from '../src/limits.ts';
import type { Chart, ChartFile } from '../src/loader/chart.ts';
import { readValues } from '../src/loader/load.ts';
import { formatTemplateOutput } from '../src/render/output.ts';
import { render } from '../src/render/render.ts';
import type { ValueMap } from '../src/value/kinds.ts';

export const filesOf = (texts: Readonly<Record<string, string>>): ChartFile[] =>
  Object.entries(texts).map(([name, text]) => ({ name, data: new TextEncoder().encode(text) }));

/** What a render prints, or how it fails. */
export function outcome(chart: Chart, values: ValueMap, once: boolean, limits: Partial<Limits> = {}): string {
  try {
    return formatTemplateOutput(render(chart, { release: { name: 'r', namespace: 'n' }, values, once, limits }));
  } catch (error) {
    if (error instanceof ChartError) return `${error.code} ${error.message}`;
    throw error;
  }
}

export const chartOf = (templates: Readonly<Record<string, string>>, values = ''): ChartFile[] =>
  filesOf({
    'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
    'values.yaml': values,
    ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [`templates/${name}`, text])),
  });

export const valuesOf = (...texts: string[]): ValueMap[] => texts.map((text) => readValues(text, true));
