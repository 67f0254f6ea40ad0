/** What the page of chart.browser.real.test.ts runs: renders, in the browser, what the test hands over. */
import {
  browserCrypto,
  ChartError,
  formatTemplateOutput,
  loadChart,
  type ProfileName,
  parseJsonPath,
  printJsonPath,
  readValues,
  render,
} from '../src/browser/index.ts';

export interface PageFile {
  readonly name: string;
  readonly base64: string;
}

export interface PageCase {
  readonly files: readonly PageFile[];
  readonly profile: ProfileName;
}

export type PageOutcome = { readonly printed: string } | { readonly error: string };

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const attempt = (print: () => string): PageOutcome => {
  try {
    return { printed: print() };
  } catch (error) {
    if (error instanceof ChartError) return { error: error.message };
    throw error;
  }
};

const run = ({ files, profile }: PageCase): PageOutcome =>
  attempt(() => {
    const chart = loadChart(
      files.map(({ name, base64 }) => ({ name, data: bytesOf(base64) })),
      { multiDocumentValues: profile === 'helm4' },
    );
    const release = { name: 'demo', namespace: 'default' };
    return formatTemplateOutput(render(chart, { release, profile, kubeVersion: '1.34.1', crypto: browserCrypto }));
  });

/** What the test calls. */
export interface PageFunctions {
  runCases(cases: readonly PageCase[]): PageOutcome[];
  /** Expressions, asked of one values.yaml. */
  askAll(values: string, expressions: readonly string[]): PageOutcome[];
}

const functions: PageFunctions = {
  runCases: (cases) => cases.map(run),
  askAll: (text, expressions) => {
    const values = readValues(text, true);
    return expressions.map((expression) => attempt(() => printJsonPath(parseJsonPath(expression), values).text));
  },
};

Object.assign(globalThis, functions);
