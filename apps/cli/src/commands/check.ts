import { basename, resolve } from 'node:path';
import { type Chart, ChartError, diagnose, fromObject, loadChart, type RenderOptions, render } from '@desp/chart';
import { nodeCrypto } from '@desp/chart/node';
import { checkRepository, type Finding, profileNamed, type RenderChart, type Report, type ScanSecrets } from '@desp/procedure';
import { scanSecrets } from '@desp/security';
import { CliError } from '../cli-error.ts';
import { type Command, exitCodes } from '../command.ts';
import { jsonOption, show } from '../listing.ts';
import { readRepositoryFolder } from '../repository-folder.ts';

export const command: Command = {
  name: 'check',
  summary: 'Check a repository against the procedure. Needs no server, no root, no network.',
  arguments: ['[PATH]'],
  options: {
    env: { type: 'string', value: 'ENV', help: 'only this environment' },
    profile: { type: 'string', value: 'PROFILE', help: 'procedure-2023 (default) or observed-2025' },
    ...jsonOption,
  },
  example: 'desp check ./sample-app --env e2e',
  notes: 'Exit code 0: no errors. 1: errors. What no check judges yet is listed, so that a clean report says no more than it knows.',
  async run({ positionals: [path = '.'], values, flags, io }) {
    const profile = profileNamed((values['profile'] ?? 'procedure-2023') as 'procedure-2023');
    const environments =
      values['env'] === undefined ? profile.environments : profile.environments.filter(({ name }) => name === values['env']);
    if (environments.length === 0) {
      throw new CliError('USAGE', `The profile ${profile.name} has no environment ${values['env']}.`, {
        kind: 'user',
        cure: `It has ${profile.environments.map(({ name }) => name).join(', ')}.`,
      });
    }
    const folder = resolve(io.cwd, path);
    const report = await checkRepository({
      files: readRepositoryFolder(folder),
      service: serviceNameOf(folder),
      profile,
      environments,
      render: renderChart,
      scanSecrets: scanFile,
    });
    show(io, flags['json'], report, describe);
    return report.ok ? exitCodes.done : exitCodes.no;
  },
};

/** The folder's name, as a service could be called. */
const serviceNameOf = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40) || 'service';

const scanFile: ScanSecrets = (path, data) => {
  // A NUL byte says that it is no text.
  if (data.includes(0)) return [];
  return scanSecrets([{ path, text: new TextDecoder().decode(data) }]).findings.map((finding) => ({
    line: Number(finding.location.slice(finding.location.lastIndexOf(':') + 1)),
    rule: finding.rule,
    description: `${finding.what} (${finding.redacted})`,
  }));
};

const renderChart: RenderChart = ({ files, values, release, kubeVersion }) => {
  const chart = loadChart(files.map(({ path, data }) => ({ name: path, data })));
  const options: RenderOptions = { release, values: fromObject(values), crypto: nodeCrypto, profile: 'helm4', kubeVersion };
  try {
    const result = render(chart, options);
    return [...result.manifests, ...result.hooks];
  } catch (error) {
    throw error instanceof ChartError ? withCures(error, chart, options) : error;
  }
};

/** The same failure, at the place to mend below the chart's folder, with what to do. */
function withCures(error: ChartError, chart: Chart, options: RenderOptions): ChartError {
  const found = diagnose(chart, options).diagnoses.find((one) => one.message === error.message);
  const where = found?.where ?? error.where;
  const cure = found && found.cures.length > 0 ? found.cures.join(' ') : error.cure;
  return new ChartError(error.code, error.message, {
    // Templates are named by their chart first, as in Helm's messages.
    ...(where ? { where: { ...where, file: where.file.replace(`${chart.metadata.name}/`, '') } } : {}),
    ...(cure ? { cure } : {}),
    log: error.log,
    cause: error,
  });
}

function describe(report: Report): string {
  const lines = report.findings.map(describeFinding);
  if (report.pipeline) lines.push(`pipeline: ${report.pipeline.jobs.length} jobs in ${report.pipeline.stages.join(', ')}\n`);
  for (const one of report.rendered) lines.push(`renders:  ${one.bundle} for ${one.environment}: ${one.objects} objects\n`);
  if (report.notJudged.length) lines.push('\nNot judged:\n', ...report.notJudged.map((one) => `  ${one.requirement}  ${one.why}\n`));
  const errors = report.findings.filter(({ severity }) => severity === 'error').length;
  const warnings = report.findings.length - errors;
  lines.push(
    `\n${report.ok ? 'No errors' : `${errors} ${errors === 1 ? 'error' : 'errors'}`}${warnings ? `, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}` : ''} (profile ${report.profile}; ${report.environments.join(', ')}).\n`,
  );
  return lines.join('');
}

function describeFinding(finding: Finding): string {
  const place = finding.file ? `${finding.file}${finding.line ? `:${finding.line}` : ''}: ` : '';
  const environments = finding.environments?.length ? ` [${finding.environments.join(', ')}]` : '';
  return `${finding.severity}: ${place}${finding.message}${environments} (${finding.requirements.join(', ')})\n${finding.cure ? `    ${finding.cure}\n` : ''}`;
}
