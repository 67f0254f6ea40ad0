/** What the page of chart.browser.real.test.ts runs: renders, in the browser, what the test hands over. */
import { browserCrypto, ChartError, formatTemplateOutput, loadChart, type ProfileName, render } from '../src/browser/index.ts';

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

function run({ files, profile }: PageCase): PageOutcome {
  try {
    const chart = loadChart(
      files.map(({ name, base64 }) => ({ name, data: bytesOf(base64) })),
      { multiDocumentValues: profile === 'helm4' },
    );
    const release = { name: 'demo', namespace: 'default' };
    return { printed: formatTemplateOutput(render(chart, { release, profile, kubeVersion: '1.34.1', crypto: browserCrypto })) };
  } catch (error) {
    if (error instanceof ChartError) return { error: error.message };
    throw error;
  }
}

Object.assign(globalThis, { runCases: (cases: readonly PageCase[]): PageOutcome[] => cases.map(run) });
