import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type GoldenCase,
  jsonPathValues,
  type Outcome,
  readChartCases,
  readChartsGolden,
  readGolden,
  readJsonPathCases,
  readJsonPathGolden,
  readSchemaCases,
  readSchemaGolden,
  type SchemaCase,
  schemaChart,
  sortReport,
  tables,
} from '../test-data/cases.ts';
import { ChartError } from './errors.ts';
import { functionsOf } from './functions/registry.ts';
import { parseJsonPath } from './jsonpath/parser.ts';
import { printJsonPath } from './jsonpath/print.ts';
import { loadChart, readValues } from './loader/load.ts';
import { nodeCrypto } from './node/crypto.ts';
import { readChartFolder } from './node/folder.ts';
import { type ProfileName, profileOf } from './profile.ts';
import { formatTemplateOutput } from './render/output.ts';
import { render } from './render/render.ts';

/** Every case of test-data/, whose results real Helm made, against this package. */

// The results were made in this zone.
process.env['TZ'] = 'UTC';

const folder = new URL('../test-data/golden', import.meta.url).pathname;
const files = readChartFolder(folder);

function outcome(template: string, profile: ProfileName): Outcome {
  const data = new TextEncoder().encode(template);
  const chart = loadChart([...files, { name: 'templates/_case.tpl', data }], { multiDocumentValues: profile === 'helm4' });
  try {
    const result = render(chart, {
      release: { name: 'demo', namespace: 'default' },
      profile,
      kubeVersion: '1.34.1',
      crypto: nodeCrypto,
    });
    const found = /^out: (.*)$/m.exec(result.manifests[0]?.content ?? '');
    return { out: JSON.parse(found?.[1] as string) as string };
  } catch (error) {
    if (error instanceof ChartError) return { error: error.message };
    throw error;
  }
}

describe.each(tables)('%s', (table) => {
  const golden = readGolden(table);
  const about = [...new Set(golden.cases.map((item) => item.about))];
  describe.each(['helm3', 'helm4'] as const)(`as ${JSON.stringify(golden.madeBy)}: %s`, (profile) => {
    test.each(about)('%s', (name) => {
      const cases = golden.cases.filter((item) => item.about === name);
      const ours = cases.map(({ template }) => ({ template, outcome: outcome(template, profile) }));
      expect(ours).toEqual(cases.map((item: GoldenCase) => ({ template: item.template, outcome: item[profile] })));
    });
  });
});

function chartOutcome(own: Readonly<Record<string, string>>, profile: ProfileName): Outcome {
  const named = Object.entries(own).map(([name, text]) => ({ name, data: new TextEncoder().encode(text) }));
  try {
    const chart = loadChart(named, { multiDocumentValues: profile === 'helm4' });
    return {
      out: formatTemplateOutput(render(chart, { release: { name: 'demo', namespace: 'default' }, profile, kubeVersion: '1.34.1' })),
    };
  } catch (error) {
    if (error instanceof ChartError) return { error: error.message };
    throw error;
  }
}

describe('charts', () => {
  const golden = readChartsGolden();
  describe.each(['helm3', 'helm4'] as const)(`as ${JSON.stringify(golden.madeBy)}: %s`, (profile) => {
    test.each(golden.cases.map((item, index) => [item.about, index, item] as const))('%s %i', (_about, _index, item) => {
      expect(chartOutcome(item.files, profile)).toEqual(item[profile]);
    });
  });
  test('the table and its results belong together', () => {
    expect(golden.cases.map(({ helm3, helm4, ...item }) => item)).toEqual(readChartCases());
  });
});

function schemaOutcome(item: SchemaCase, profile: ProfileName): string {
  const outcome = chartOutcome(schemaChart(item), profile);
  return 'error' in outcome ? outcome.error : '';
}

describe('schemas', () => {
  const golden = readSchemaGolden();
  const about = [...new Set(golden.cases.map((item) => item.about))];
  describe.each(['helm3', 'helm4'] as const)(`as ${JSON.stringify(golden.madeBy)}: %s`, (profile) => {
    test.each(about)('%s', (name) => {
      for (const { helm3, helm4, ...item } of golden.cases.filter((found) => found.about === name)) {
        const want = profile === 'helm3' ? helm3 : helm4;
        const got = schemaOutcome(item, profile);
        expect({ item, error: want.isUnordered ? sortReport(got) : got }).toEqual({ item, error: want.error });
      }
    });
  });
  test('the table and its results belong together', () => {
    expect(golden.cases.map(({ helm3, helm4, ...item }) => item)).toEqual(readSchemaCases());
  });
});

describe('jsonpath', () => {
  const golden = readJsonPathGolden();
  const about = [...new Set(golden.cases.map((item) => item.about))];
  const values = readValues(jsonPathValues(), true);
  const ask = (expression: string): Outcome => {
    try {
      return { out: printJsonPath(parseJsonPath(expression), values).text };
    } catch (error) {
      if (error instanceof ChartError) return { error: error.message };
      throw error;
    }
  };
  describe.each(['helm3', 'helm4'] as const)(`as ${JSON.stringify(golden.madeBy)}: %s`, (profile) => {
    test.each(about)('%s', (name) => {
      const cases = golden.cases.filter((item) => item.about === name);
      const ours = cases.map(({ expression }) => ({ expression, outcome: ask(expression) }));
      expect(ours).toEqual(cases.map((item) => ({ expression: item.expression, outcome: item[profile] })));
    });
  });
  test('the table and its results belong together', () => {
    expect(golden.cases.map(({ helm3, helm4, ...item }) => item)).toEqual(readJsonPathCases());
  });
});

describe('every function has a table', () => {
  const functions = functionsOf(profileOf('helm4'));
  const { cases } = readGolden('functions');
  const failuresOf = (name: string): string[] =>
    cases.flatMap((item) => (item.about === name && 'error' in item.helm4 ? [item.helm4.error] : []));
  const takes = (name: string) => functions.get(name) ?? { params: [], variadic: false };

  test('of cases', () => {
    const lacking = functions.names().filter((name) => cases.filter((item) => item.about === name).length < 2);
    expect(lacking).toEqual([]);
  });
  test('with results', () => {
    const lacking = functions.names().filter((name) => !cases.some((item) => item.about === name && 'out' in item.helm4));
    // No value of a chart can be called, and fail fails.
    expect(lacking.sort()).toEqual(['call', 'fail']);
  });
  test('with a wrong count of arguments, where there is one', () => {
    const takesAny = (name: string): boolean => takes(name).variadic && takes(name).params.length === 1;
    const lacking = functions
      .names()
      .filter((name) => !takesAny(name) && !failuresOf(name).some((text) => text.includes(`wrong number of args for ${name}:`)));
    expect(lacking).toEqual([]);
  });
  test('with an argument of a wrong type, where it has one', () => {
    const isAny = (type: string): boolean => type === 'interface {}' || type === 'value';
    const ofType = /wrong type for value; expected|expected .*; (found|got)|invalid value; expected|can't (give argument|handle)/;
    const lacking = functions
      .names()
      .filter((name) => !takes(name).params.every(isAny) && !failuresOf(name).some((text) => ofType.test(text)));
    expect(lacking).toEqual([]);
  });
});

test('the tables and their results belong together', () => {
  for (const table of tables) {
    const text = readFileSync(new URL(`../test-data/${table}.txt`, import.meta.url), 'utf8');
    for (const { template } of readGolden(table).cases) expect(text.split('\n')).toContain(template);
  }
});
