import { existsSync, readFileSync } from 'node:fs';
import {
  applySet,
  ChartError,
  ConversionError,
  formatTemplateOutput,
  matchPath,
  mergeMaps,
  type ProfileName,
  profileOf,
  type RenderResult,
  readValues,
  render,
  type SetKind,
  splitKeeping,
  splitTrimming,
  type ValueMap,
} from '@desp/chart';
import { loadChartFrom, nodeCrypto } from '@desp/chart/node';
import type { Io } from '../../command.ts';
import { FlagError, type Flags, parseFlags } from './flags.ts';
import { refusedFlags, templateFlags } from './template-flags.ts';

type Output = Pick<Io, 'out' | 'err'>;

/** Any failure whose text goes to standard error as Helm's does. */
class CommandError extends Error {}

/**
 * `desp chart [--helm 3|4] template [NAME] [CHART] [flags]`: Helm's command in Helm's words.
 *
 * @param argv what follows `desp chart`, the word `template` included
 * @returns Helm's exit code: 0 or 1
 */
export async function chartTemplateCommand(argv: readonly string[], io: Output): Promise<number> {
  try {
    const { helm, rest } = takeHelm(argv);
    const flags = parseFlags(rest, templateFlags);
    io.out(template(helm, flags, io));
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError || error instanceof FlagError || error instanceof ChartError || isSystemError(error))) throw error;
    if (error instanceof ChartError) for (const line of error.log) io.err(`${line}\n`);
    io.err(`Error: ${describe(error)}\n`);
    return 1;
  }
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error;

/** Takes `--helm N` and the word `template` out of the arguments. */
function takeHelm(argv: readonly string[]): { helm: ProfileName; rest: string[] } {
  const rest: string[] = [];
  let helm: ProfileName = 'helm4';
  let seen = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    const value = word === '--helm' ? argv[++i] : word.startsWith('--helm=') ? word.slice('--helm='.length) : undefined;
    if (value !== undefined) {
      if (value !== '3' && value !== '4') throw new CommandError(`--helm takes 3 or 4, not ${JSON.stringify(value)}`);
      helm = `helm${value}`;
    } else if (!seen && word === 'template') seen = true;
    else rest.push(word);
  }
  return { helm, rest };
}

function template(helm: ProfileName, flags: Flags, io: Output): string {
  if (flags.isOn('help')) return help;
  for (const [name, why] of Object.entries(refusedFlags)) {
    if (flags.has(name) && flags.text(name) !== 'false') throw new CommandError(`--${name} is not supported: ${why}`);
  }
  const profile = profileOf(helm);
  if (flags.args.length === 0)
    throw new CommandError('"helm template" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]');
  const { name, path } = nameAndChart(flags);
  if (!existsSync(path)) throw new CommandError(missingChart(path));
  const values = mergeUserValues(flags, helm);
  const chart = loadChartFrom(path, { multiDocumentValues: profile.multiDocumentValues });
  checkReleaseName(name, helm, io);
  const kubeVersion = flags.text('kube-version');
  const result = render(chart, {
    release: { name, namespace: flags.text('namespace') || 'default', isUpgrade: flags.isOn('is-upgrade') },
    values,
    profile: helm,
    ...(kubeVersion ? { kubeVersion } : {}),
    apiVersions: flags.list('api-versions'),
    includeCrds: flags.isOn('include-crds'),
    skipSchemaValidation: flags.isOn('skip-schema-validation'),
    crypto: nodeCrypto,
  });
  for (const line of result.warnings) io.err(`${line}\n`);
  return output(result, flags, profile.keepTrailingSpace);
}

function nameAndChart(flags: Flags): { name: string; path: string } {
  const { args } = flags;
  const [first = '', second] = args;
  if (args.length > 2) throw new CommandError(`expected at most two arguments, unexpected arguments: ${args.slice(2).join(', ')}`);
  if (second !== undefined) {
    if (flags.isOn('generate-name')) throw new CommandError('cannot set --generate-name and also specify a name');
    if (flags.text('name-template')) throw new CommandError('cannot set --name-template and also specify a name');
    return { name: first, path: second };
  }
  const nameTemplate = flags.text('name-template');
  if (nameTemplate?.includes('{{')) throw new CommandError('--name-template with actions is not supported: give the name itself');
  return { name: nameTemplate || 'release-name', path: first };
}

/** Helm looks for what is no path in its repositories, which are not read here. */
function missingChart(path: string): string {
  if (/^(\.|\/|[a-z]+:)/.test(path)) return `path ${JSON.stringify(path)} not found`;
  const [repository, ...rest] = path.split('/');
  if (rest.length > 0) return `repo ${repository} not found`;
  return `non-absolute URLs should be in form of repo_name/path_to_chart, got: ${path}`;
}

const releaseNameForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function checkReleaseName(name: string, helm: ProfileName, io: Output): void {
  if (releaseNameForm.test(name) && name.length <= 53) return;
  const problem = `release name ${JSON.stringify(name)}: invalid release name, must match regex ${releaseNameForm.source} and the length must not be longer than 53`;
  if (helm === 'helm3') throw new CommandError(problem);
  io.err(`level=ERROR msg="release name check failed" error=${JSON.stringify(problem)}\n`);
  throw new CommandError(`release name check failed: ${problem}`);
}

const setKinds: readonly SetKind[] = ['set-json', 'set', 'set-string', 'set-file', 'set-literal'];

/** Values of files and flags in Helm's order of precedence. */
function mergeUserValues(flags: Flags, helm: ProfileName): ValueMap {
  const profile = profileOf(helm);
  let values: ValueMap = new Map();
  for (const path of flags.list('values')) {
    const text = path.trim() === '-' ? readFileSync(0, 'utf8') : readFileSync(path, 'utf8');
    try {
      values = mergeMaps(values, readValues(text, profile.multiDocumentValues));
    } catch (error) {
      if (error instanceof ConversionError) throw new CommandError(`failed to parse ${path}: ${error.message}`);
      throw error;
    }
  }
  for (const kind of setKinds) {
    for (const text of flags.texts(kind)) {
      values = applySet(kind, text, values, { readFile: (path) => readFileSync(path, 'utf8'), jsonObject: profile.setJsonObject });
    }
  }
  return values;
}

function output(result: RenderResult, flags: Flags, keepTrailingSpace: boolean): string {
  const text = formatTemplateOutput(result, { noHooks: flags.isOn('no-hooks'), skipTests: flags.isOn('skip-tests') });
  const wanted = flags.texts('show-only');
  return wanted.length === 0 ? text : showOnly(text, wanted, keepTrailingSpace);
}

/** `--show-only`: the documents of the named templates, in the order of the flags. */
function showOnly(text: string, wanted: readonly string[], keepTrailingSpace: boolean): string {
  const documents = keepTrailingSpace ? splitKeeping(text) : splitTrimming(text);
  let out = '';
  for (const pattern of wanted) {
    const found = documents.filter((document) => {
      const source = /# Source: [^/]+\/(.+)/.exec(document)?.[1];
      return source !== undefined && matchPath(pattern, source);
    });
    if (found.length === 0) throw new CommandError(`could not find template ${pattern} in chart`);
    for (const document of found) out += `---\n${document}\n`;
  }
  return out;
}

/** Failures after the release was made: Helm offers to print what it has. */
const debuggable: ReadonlySet<string> = new Set(['TEMPLATE_PARSE', 'TEMPLATE_EXECUTION', 'MANIFEST_INVALID', 'INCOMPATIBLE']);

function describe(error: Error): string {
  if (error instanceof ChartError && debuggable.has(error.code)) return `${error.message}\n\nUse --debug flag to render out invalid YAML`;
  if (isSystemError(error)) return `${error.syscall} ${error.path}: ${systemReasons[error.code ?? ''] ?? error.message}`;
  return error.message;
}

const systemReasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
};

const help = `Render a chart's templates as Helm does, without Helm and without a cluster.

Usage:
  desp chart [--helm 3|4] template [NAME] [CHART] [flags]

Example:
  desp chart template my-service ./deployment/my-chart -f values.desp-dev.yaml -n my-service

Flags are those of "helm template"; the most used:
  -f, --values FILE        values file, may be given several times
      --set KEY=VALUE      one value; also --set-string, --set-json, --set-file, --set-literal
  -n, --namespace NAME     namespace of the release
      --kube-version V     Kubernetes version to render for
  -a, --api-versions LIST  further API versions of the cluster
      --include-crds       print the chart's CRDs too
      --no-hooks           leave hooks out
  -s, --show-only PATH     only what one template prints
      --is-upgrade         render an upgrade instead of an installation
`;
