import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ChartError, formatLintMessage, type LintFolder, type LintMessage, lint } from '@desp/chart';
import { nodeCrypto, readChartArchive, readLintArchive, readLintFolder } from '@desp/chart/node';
import { globalFlags, valueFlags } from './global-flags.ts';
import { describeFailure, HelmError, type HelmInvocation, type HelmVerb, isSystemError } from './helm-command.ts';
import { mergeUserValues } from './values.ts';

const bool = { kind: 'bool' } as const;

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  if (flags.args.length === 0 && helm === 'helm4')
    throw new HelmError('"helm lint" requires at least 1 argument\n\nUsage:  helm lint PATH [flags]');
  const paths = flags.args.length === 0 && helm === 'helm3' ? ['.'] : [...flags.args];
  if (flags.isOn('with-subcharts')) paths.push(...paths.flatMap(subchartsOf));
  const values = await mergeUserValues(flags, helm, async (address) =>
    (await import('./remote/fetch-values.ts')).fetchText(address, flags),
  );
  const kubeVersion = flags.text('kube-version');
  const quiet = flags.isOn('quiet');
  const strict = flags.isOn('strict');
  let failed = 0;
  let faulty = 0;
  let report = '';
  for (const path of paths) {
    const { messages, error, log } = lintPath(path, (folder) =>
      lint(folder, {
        profile: helm,
        values,
        namespace: flags.text('namespace') || 'default',
        ...(kubeVersion ? { kubeVersion } : {}),
        skipSchemaValidation: flags.isOn('skip-schema-validation'),
        crypto: nodeCrypto,
        unpack: readChartArchive,
      }),
    );
    for (const line of log) io.err(`${line}\n`);
    const isFaulty = error !== undefined || messages.some(({ severity }) => severity !== 'info');
    if (isFaulty) faulty++;
    if (quiet && !isFaulty) continue;
    report += `==> Linting ${path}\n`;
    if (messages.length === 0 && error !== undefined) report += `Error ${error}\n`;
    for (const message of messages) if (!quiet || message.severity !== 'info') report += `${formatLintMessage(message)}\n`;
    if (error !== undefined || messages.some(({ severity }) => severity === 'error' || (strict && severity === 'warning'))) failed++;
    report += '\n';
  }
  io.out(report);
  const summary = `${paths.length} chart(s) linted, ${failed} chart(s) failed`;
  if (failed > 0) throw new HelmError(summary);
  if (!quiet || faulty > 0) io.out(`${summary}\n`);
}

interface PathResult {
  readonly messages: readonly LintMessage[];
  readonly log: readonly string[];
  /** Why the path could not be looked at, at all. */
  readonly error?: string;
}

function lintPath(path: string, run: (folder: LintFolder) => PathResult): PathResult {
  const failure = (error: string): PathResult => ({ messages: [], log: [], error });
  let folder: LintFolder;
  if (/\.(tgz|tar\.gz)$/.test(path)) {
    try {
      folder = readLintArchive(path);
    } catch (error) {
      if (isSystemError(error)) return failure(`unable to open tarball: ${describeFailure(error)}`);
      if (error instanceof ChartError) return failure(`unable to extract tarball: ${error.message}`);
      throw error;
    }
  } else {
    const chartYaml = join(path, 'Chart.yaml');
    try {
      statSync(chartYaml);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return failure(`unable to check Chart.yaml file in chart: ${describeFailure(error)}`);
    }
    folder = readLintFolder(path);
  }
  return run(folder);
}

/** Charts below charts/, unpacked or packed, in the order in which Go walks a folder. */
function subchartsOf(path: string): string[] {
  const found: string[] = [];
  const walk = (folder: string, depth: number): void => {
    if (depth > 64 || !existsSync(folder)) return;
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name === 'Chart.yaml') found.push(folder);
      else if (/\.(tgz|tar\.gz)$/.test(entry.name)) found.push(join(folder, entry.name));
      if (entry.isDirectory()) walk(join(folder, entry.name), depth + 1);
    }
  };
  walk(join(path, 'charts'), 0);
  return found;
}

export const verb: HelmVerb = {
  flags: {
    ...globalFlags,
    ...valueFlags,
    'kube-version': { kind: 'text' },
    quiet: bool,
    'skip-schema-validation': bool,
    strict: bool,
    'with-subcharts': bool,
  },
  use: { path: 'lint', line: 'lint PATH [flags]' },
  run,
  help: `Examine charts for possible faults, as Helm does.

Usage:
  desp chart [--helm 3|4] lint PATH… [flags]

Example:
  desp chart lint ./deployment/ --strict -f ./deployment/values.e2e.yaml

      --strict                  fail on warnings too
      --quiet                   print only warnings and errors
      --with-subcharts          also examine what charts/ holds
      --kube-version V          Kubernetes version for deprecated APIs
      --skip-schema-validation  do not check values against values.schema.json
  -f, --values FILE             also --set, --set-string, --set-json, --set-file, --set-literal
`,
};
