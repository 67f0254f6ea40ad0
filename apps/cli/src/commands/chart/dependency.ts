import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Chart, ChartError, type Dependency, versionTest } from '@desp/chart';
import { loadChartFrom } from '@desp/chart/node';
import { unsigned, wholeNumber } from './flag-values.ts';
import type { FlagTable } from './flags.ts';
import { connectionFlags, globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb, isSystemError, type Output } from './helm-command.ts';
import { loadForVerb } from './load.ts';

const aliases: Readonly<Record<string, 'list' | 'build' | 'update'>> = {
  list: 'list',
  ls: 'list',
  build: 'build',
  update: 'update',
  up: 'update',
};

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  const [word = '', path = '.', ...more] = flags.args;
  const action = Object.hasOwn(aliases, word) ? aliases[word] : undefined;
  if (!action)
    throw new HelmError(
      word === '' ? 'say what to do with dependencies: list, build or update' : `unknown command "${word}" for "helm dependency"`,
    );
  if (more.length > 0)
    throw new HelmError(`"helm dependency ${action}" accepts at most 1 argument\n\nUsage:  helm dependency ${action} CHART [flags]`);
  const cleaned = join(path).replace(/(.)\/$/, '$1');
  if (action === 'list') {
    list(cleaned, Number(wholeNumber(flags.text('max-col-width') ?? '80')), helm, io);
    return;
  }
  const { buildDependencies, updateDependencies } = await import('./remote/update-dependencies.ts');
  await (action === 'build' ? buildDependencies : updateDependencies)(cleaned, helm, flags, io);
}

function list(path: string, width: number, helm: HelmInvocation['helm'], io: Output): void {
  const chart = loadForVerb(path, helm, io, false);
  const declared = chart.metadata.dependencies;
  if (!declared) {
    io.out(`WARNING: no dependencies at ${join(path, 'charts')}\n`);
    return;
  }
  const rows = declared.map((wanted) => [wanted.name, wanted.version, wanted.repository, statusOf(path, wanted, chart)]);
  io.out(`${table([['NAME', 'VERSION', 'REPOSITORY', 'STATUS'], ...rows], width)}\n\n`);
  for (const line of strangers(path, declared)) io.out(`${line}\n`);
}

/** Columns as wide as their widest cell, a tab between; what is wider than the limit ends in `...`. */
function table(rows: readonly (readonly string[])[], limit: number): string {
  const widthOf = (column: number): number => {
    const widest = Math.max(...rows.map((row) => [...(row[column] ?? '')].length));
    return limit > 0 ? Math.min(widest, limit) : widest;
  };
  const widths = rows[0]?.map((_cell, column) => widthOf(column)) ?? [];
  return rows.map((row) => row.map((cell, column) => fitted(cell, widths[column] ?? 0)).join('\t')).join('\n');
}

function fitted(cell: string, width: number): string {
  const characters = [...cell];
  if (characters.length <= width) return cell + ' '.repeat(width - characters.length);
  return `${characters.slice(0, Math.max(1, width - 3)).join('')}...`;
}

/** What Helm says of a dependency: archives in charts/ first, then unpacked charts. */
function statusOf(path: string, wanted: Dependency, parent: Chart): string {
  const archives = entriesOf(join(path, 'charts')).filter((name) => name.startsWith(`${wanted.name}-`) && name.endsWith('.tgz'));
  let candidates = archives;
  if (archives.length > 1) {
    candidates = archives.filter((name) => strictVersion.test(name.slice(wanted.name.length + 1, -'.tgz'.length)));
    if (candidates.length > 1) return 'too many matches';
  }
  const [archive] = candidates;
  if (archive !== undefined) return archiveStatus(join(path, 'charts', archive), wanted);
  const child = parent.dependencies.findLast((candidate) => candidate.metadata.name === wanted.name);
  if (!child) return 'missing';
  return versionProblem(child, wanted) ?? 'unpacked';
}

const strictVersion = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

function archiveStatus(path: string, wanted: Dependency): string {
  const chart = tryLoad(path);
  if (!chart) return 'corrupt';
  if (chart.metadata.name !== wanted.name) return 'misnamed';
  return versionProblem(chart, wanted) ?? 'ok';
}

function versionProblem({ metadata }: Chart, wanted: Dependency): string | undefined {
  if (metadata.version === wanted.version) return undefined;
  try {
    return versionTest(wanted.version)(metadata.version) ? undefined : 'wrong version';
  } catch (error) {
    if (error instanceof ChartError) return 'invalid version';
    throw error;
  }
}

function strangers(path: string, declared: readonly Dependency[]): string[] {
  const folder = join(path, 'charts');
  return entriesOf(folder).flatMap((name) => {
    const full = join(folder, name);
    const status = statSync(full, { throwIfNoEntry: false });
    if (!status || (!status.isDirectory() && !name.endsWith('.tgz'))) return [];
    const chart = tryLoad(full);
    if (!chart) return [`WARNING: ${JSON.stringify(full)} is not a chart.`];
    return declared.some((wanted) => wanted.name === chart.metadata.name) ? [] : [`WARNING: ${JSON.stringify(full)} is not in Chart.yaml.`];
  });
}

function tryLoad(path: string): Chart | undefined {
  try {
    return loadChartFrom(path);
  } catch (error) {
    if (error instanceof ChartError || isSystemError(error)) return undefined;
    throw error;
  }
}

function entriesOf(folder: string): string[] {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(folder).sort() : [];
}

/** Flags of `build` and `update`. */
const fetching: FlagTable = { ...connectionFlags, keyring: { kind: 'text' }, 'skip-refresh': { kind: 'bool' }, verify: { kind: 'bool' } };

export const verb: HelmVerb = {
  flags: { ...globalFlags, ...fetching, 'max-col-width': { kind: 'text', reads: unsigned } },
  foreign: (word) => (aliases[word] === 'list' ? Object.keys(fetching) : ['max-col-width']),
  use: { path: 'dependency', line: 'dependency' },
  run,
  help: `Look after the charts in charts/, which Chart.yaml names under dependencies.

Usage:
  desp chart [--helm 3|4] dependency list|build|update [CHART] [flags]

Example:
  desp chart dependency list ./deployment/
  desp chart dependency build ./deployment/

  list     say which are there, missing or of another version
  build    fetch what Chart.lock names, exactly; without a lock it is an update
  update   fetch the newest that Chart.yaml allows, and write Chart.lock

Repositories are https://… with an index.yaml, oci://…, file://… beside the chart, or @NAME of one added to Helm.

      --skip-refresh    take Helm's cached index of added repositories
      --verify          check provenance files (--keyring FILE)
      --username NAME   with --password-stdin: who you are to the server
`,
};
