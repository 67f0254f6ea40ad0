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

/** What one command line of any verb gave, run in this folder. */
export type VerbGolden = ChartGolden;

export const readVerbCases = (): string[][] => JSON.parse(readFileSync(`${folder}verbs.json`, 'utf8')) as string[][];

export const readVerbGoldens = (): Goldens => JSON.parse(readFileSync(`${folder}verbs-goldens.json`, 'utf8')) as Goldens;

/** No repositories, logins or keys of whoever runs the tests. */
export const verbEnvironment: Readonly<Record<string, string>> = {
  HELM_CONFIG_HOME: '/nonexistent/helm',
  HELM_CACHE_HOME: '/tmp/desp-helm-cache',
  DOCKER_CONFIG: '/nonexistent/docker',
  GNUPGHOME: '/nonexistent/gnupg',
};

/** Without what differs from run to run: times, source lines of Helm 3, the folder's own place, the order of Go's maps. */
export function plain({ code, stdout, stderr }: CommandOutcome): CommandOutcome {
  const out = (text: string): string => text.replaceAll(folder, 'HERE/');
  const lines = out(stderr)
    .replace(/^(\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d )?(\w+\.go:\d+: )?/gm, '')
    .replace(/^time=\S+ /gm, '');
  return {
    code,
    stdout: out(stdout),
    stderr: lines.includes('specifications of the schema') ? lines.split('\n').sort().join('\n') : lines,
  };
}
