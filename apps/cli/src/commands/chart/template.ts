import { existsSync } from 'node:fs';
import {
  type Chart,
  ChartError,
  type ProfileName,
  profileOf,
  type RenderOptions,
  type RenderResult,
  render,
  renderName,
} from '@desp/chart';
import { nodeCrypto } from '@desp/chart/node';
import type { Flags } from './flags.ts';
import { HelmError, type HelmVerb, type Output } from './helm-command.ts';
import { loadForVerb } from './load.ts';
import { ownTemplateFlags, refusedFlags, templateFlags } from './template-flags.ts';
import { printManifests, writeManifests } from './template-output.ts';
import { readUserValues } from './values.ts';

/** What is rendered, as flags and arguments say. */
export interface RenderRequest {
  readonly name: string;
  readonly path: string;
  readonly chart: Chart;
  readonly options: RenderOptions;
}

/** Reads what the flags of `template` name. @throws HelmError, ChartError */
export async function prepareRender(helm: ProfileName, flags: Flags, io: Output): Promise<RenderRequest> {
  for (const [name, why] of Object.entries(refusedFlags)) {
    if (flags.has(name) && flags.text(name) !== 'false') throw new HelmError(`--${name} is not supported: ${why}`);
  }
  if (helm === 'helm4' && flags.has('render-subchart-notes')) io.err(`${notesFlag}\n`);
  checkDryRun(helm, flags, io);
  const { name, reference } = await nameAndChart(flags);
  const path = await locate(reference, helm, flags, io);
  const { values, sources } = await readUserValues(flags, helm, remoteValues(flags));
  const chart = await loadWithDependencies(path, helm, flags, io);
  checkReleaseName(name, helm, io);
  const kubeVersion = flags.text('kube-version');
  const options: RenderOptions = {
    release: { name, namespace: flags.text('namespace') || 'default', isUpgrade: flags.isOn('is-upgrade') },
    values,
    sources,
    profile: helm,
    ...(kubeVersion ? { kubeVersion } : {}),
    apiVersions: flags.list('api-versions'),
    includeCrds: flags.isOn('include-crds'),
    skipSchemaValidation: flags.isOn('skip-schema-validation'),
    crypto: nodeCrypto,
  };
  return { name, path, chart, options };
}

async function template(helm: ProfileName, flags: Flags, io: Output): Promise<void> {
  const profile = profileOf(helm);
  const postRenderer = flags.text('post-renderer') ? await import('./post-render.ts') : undefined;
  const program = postRenderer?.postRendererOf(flags, helm);
  const request = await prepareRender(helm, flags, io);
  if (flags.isOn('keep-going') || flags.isOn('json')) {
    if (program !== undefined) throw new HelmError('--post-renderer works on what is rendered whole: not with --keep-going or --json');
    const { renderOn } = await import('./render-on.ts');
    return renderOn(request, helm, flags, io);
  }
  let result: RenderResult;
  try {
    result = render(request.chart, { ...request.options, once: true });
  } catch (error) {
    const failure = afterRelease(error, flags, io);
    if (!wantsHints(flags, io)) throw failure;
    const { withHints } = await import('./render-on.ts');
    throw withHints(failure, error, request, io);
  }
  for (const line of result.warnings) io.err(`${line}\n`);
  const rewritten = program === undefined ? undefined : await postRenderer?.postRender(result, program, flags);
  if (flags.text('output-dir')) writeManifests(result, request.name, flags, io);
  else printManifests(result, flags, profile.keepTrailingSpace, io, rewritten);
}

/** Hints are for people: on a terminal, and where they are asked for. Others get Helm's words alone. */
function wantsHints(flags: Flags, io: Output): boolean {
  if (flags.has('hints')) return flags.isOn('hints');
  const wish = io.env?.['DESP_HINTS'];
  return wish === undefined || wish === '' ? io.errorTerminal === true : wish !== '0';
}

/** A path that is there, or what Helm finds under that name in repositories and registries. */
async function locate(reference: string, helm: ProfileName, flags: Flags, io: Output): Promise<string> {
  const path = reference.trim();
  const isRemote = flags.has('repo') || !existsSync(path);
  if (!isRemote && !flags.isOn('verify')) return path;
  const { locateChart } = await import('./remote/locate-chart.ts');
  return locateChart(path, helm, flags, io);
}

const remoteValues = (flags: Flags) => async (address: string) => {
  const { fetchText } = await import('./remote/fetch-values.ts');
  return fetchText(address, flags);
};

async function loadWithDependencies(path: string, helm: ProfileName, flags: Flags, io: Output): Promise<Chart> {
  const chart = loadForVerb(path, helm, io, true);
  const isComplete = (chart.metadata.dependencies ?? []).every(({ name }) =>
    chart.dependencies.some((child) => child.metadata.name === name),
  );
  if (isComplete || !flags.isOn('dependency-update')) return chart;
  const { updateDependencies } = await import('./remote/update-dependencies.ts');
  await updateDependencies(path, helm, flags, io);
  return loadForVerb(path, helm, io, true);
}

async function nameAndChart(flags: Flags): Promise<{ name: string; reference: string }> {
  const { args } = flags;
  const [first = '', second] = args;
  if (args.length > 2) throw new HelmError(`expected at most two arguments, unexpected arguments: ${args.slice(2).join(', ')}`);
  if (second !== undefined) {
    if (flags.isOn('generate-name')) throw new HelmError('cannot set --generate-name and also specify a name');
    if (flags.text('name-template')) throw new HelmError('cannot set --name-template and also specify a name');
    return { name: first, reference: second };
  }
  const nameTemplate = flags.text('name-template');
  if (!nameTemplate) return { name: 'release-name', reference: first };
  if (!nameTemplate.includes('{{')) return { name: nameTemplate, reference: first };
  return { name: renderName(nameTemplate, { crypto: nodeCrypto }), reference: first };
}

/** `--dry-run`: whatever it says, nothing is installed; but the server is never asked. */
function checkDryRun(helm: ProfileName, flags: Flags, io: Output): void {
  const value = flags.text('dry-run');
  if (value === undefined) return;
  if (helm === 'helm3') {
    if (!['', 'false', 'true', 'none', 'client', 'server', 'unset'].includes(value))
      throw new HelmError('Invalid dry-run flag. Flag must one of the following: false, true, none, client, server');
  } else if (value === 'unset') io.err(`level=WARN msg="--dry-run is deprecated and should be replaced with '--dry-run=client'"\n`);
  else if (value !== 'client' && value !== 'server') {
    const isBool = /^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value);
    if (value !== 'none' && !isBool) throw new HelmError(`invalid dry-run value ("${value}"). Must be "none", "server", or "client"`);
    if (!/^(1|t)/i.test(value)) throw new HelmError(`invalid dry-run value ("${value}"). Must be "server" or "client"`);
    io.err(`level=WARN msg="boolean '--dry-run=true' flag is deprecated and must be replaced with '--dry-run=client'"\n`);
  }
  if (value === 'server')
    throw new HelmError('--dry-run=server is not supported: it needs a cluster; pipe the output into kubectl apply --dry-run=server');
}

const notesFlag =
  "Flag --render-subchart-notes has been deprecated, this flag has no effect for 'helm template' and will be removed in Helm 5";

const releaseNameForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function checkReleaseName(name: string, helm: ProfileName, io: Output): void {
  if (releaseNameForm.test(name) && name.length <= 53) return;
  const why =
    name === ''
      ? 'no name provided'
      : `invalid release name, must match regex ${releaseNameForm.source} and the length must not be longer than 53`;
  const problem = `release name ${JSON.stringify(name)}: ${why}`;
  if (helm === 'helm3') throw new HelmError(problem);
  io.err(`level=ERROR msg="release name check failed" error=${JSON.stringify(problem)}\n`);
  throw new HelmError(`release name check failed: ${problem}`);
}

/** Failures after the release was made: Helm offers to print what it has, and with `--debug` does. */
const debuggable: ReadonlySet<string> = new Set(['TEMPLATE_PARSE', 'TEMPLATE_EXECUTION', 'MANIFEST_INVALID', 'INCOMPATIBLE']);

function afterRelease(error: unknown, flags: Flags, io: Output): unknown {
  if (!(error instanceof ChartError) || !debuggable.has(error.code)) return error;
  for (const line of error.log) io.err(`${line}\n`);
  if (!flags.isOn('debug')) return new HelmError(`${error.message}\n\nUse --debug flag to render out invalid YAML`);
  const printed = [...(error.rendered ?? [])].filter(([, text]) => text.trim() !== '');
  const text = printed.map(([source, content]) => `---\n# Source: ${source}\n${content}\n`).join('');
  if (flags.texts('show-only').length === 0) io.out(`${text.trim()}\n`);
  return new HelmError(error.message);
}

export const verb: HelmVerb = {
  flags: { ...templateFlags, ...ownTemplateFlags },
  use: { path: 'template', line: 'template [NAME] [CHART] [flags]', least: 1 },
  run: ({ helm, flags, io }) => template(helm, flags, io),
  help: `Render a chart's templates as Helm does, without Helm and without a cluster.

Usage:
  desp chart [--helm 3|4] template [NAME] [CHART] [flags]

Example:
  desp chart template my-service ./deployment/my-chart -f values.desp-dev.yaml -n my-service

Flags are those of "helm template"; the most used:
  -f, --values FILE        values file, may be given several times; also https://…
      --set KEY=VALUE      one value; also --set-string, --set-json, --set-file, --set-literal
  -n, --namespace NAME     namespace of the release
      --kube-version V     Kubernetes version to render for
  -a, --api-versions LIST  further API versions of the cluster
      --include-crds       print the chart's CRDs too
      --no-hooks           leave hooks out
  -s, --show-only PATH     only what one template prints
      --is-upgrade         render an upgrade instead of an installation
      --output-dir DIR     write one file per template
      --repo URL           take CHART from this repository; --version takes a range
      --dependency-update  fetch what charts/ lacks first
      --debug              print what templates made even where it is no YAML

Ours, beside Helm's:
      --hints              below Helm's message: excerpt, values, calls and cures (on a terminal without asking;
                           --hints=false turns it off, DESP_HINTS=1 or 0 decides for all)
      --keep-going         render past failures, print the rest and list them all; exit code 1
      --json               one JSON object: manifests, hooks, crds, notes, warnings, failures
To see where a line comes from: desp chart explain --help
`,
};
