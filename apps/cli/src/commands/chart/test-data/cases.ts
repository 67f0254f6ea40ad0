import { readFileSync } from 'node:fs';

/** What `helm template demo CHART FLAGS` gave. */
export interface ChartGolden {
  readonly args: readonly string[];
  readonly helm3: CommandOutcome;
  readonly helm4: CommandOutcome;
}

export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Goldens {
  readonly madeBy: { readonly helm3: string; readonly helm4: string };
  readonly cases: readonly ChartGolden[];
}

/** The folder in which the cases are run: their paths are relative to it. */
export const folder = new URL('.', import.meta.url).pathname;

export const readCases = (): string[][] => JSON.parse(readFileSync(`${folder}cases.json`, 'utf8')) as string[][];

export const readGoldens = (): Goldens => JSON.parse(readFileSync(`${folder}goldens.json`, 'utf8')) as Goldens;

/** A case's chart and flags as arguments of `template`; without a version, the builds of Helm differ. */
export function argumentsOf([chart, ...flags]: readonly string[]): string[] {
  const version = flags.includes('--kube-version') ? [] : ['--kube-version', '1.34.1'];
  return ['template', 'demo', `./charts/${chart}`, ...version, ...flags];
}
