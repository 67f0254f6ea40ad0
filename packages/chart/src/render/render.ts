import type { RenderedCrd, RenderOptions, RenderResult } from '../api.ts';
import { ChartError } from '../errors.ts';
import { platformCrypto } from '../functions/crypto.ts';
import { defaultLimits } from '../limits.ts';
import type { Chart } from '../loader/chart.ts';
import { checkApiVersion, checkDependencies, processDependencies } from '../loader/dependencies.ts';
import { lineOfKey } from '../loader/documents.ts';
import { WorkChart } from '../loader/work-chart.ts';
import { type Profile, profileOf } from '../profile.ts';
import { checkSchemas } from '../schema/chart.ts';
import { isCompatible } from '../semver/constraint.ts';
import { Provenance } from '../trace/provenance.ts';
import { Recorder } from '../trace/recorder.ts';
import { Trace } from '../trace/trace.ts';
import { int, type Value, type ValueMap } from '../value/kinds.ts';
import { fromBytes } from '../value/text.ts';
import { type CoalesceOptions, coalesceValues } from '../values/coalesce.ts';
import { Budget, limitOf } from './budget.ts';
import { capabilitiesValue, type KubeVersion, parseKubeVersion } from './capabilities.ts';
import { type EngineInput, renderTemplates } from './engine.ts';
import { asLogged } from './log.ts';
import { sortManifests } from './manifests.ts';
import { recall } from './memory.ts';

/**
 * Renders a chart as `helm template` and `helm install --dry-run` do.
 *
 * @param chart of `loadChart`; it stays as it is and may be rendered again, which then needs no parsing
 * @returns manifests in install order, hooks, notes and CRDs
 * @throws ChartError whose message is Helm's
 */
export function render(chart: Chart, options: RenderOptions): RenderResult {
  return inspect(chart, options, !options.once).result;
}

/** A render with what it was made of, for those who explain it. */
export interface Inspection {
  readonly result: RenderResult;
  readonly work: WorkChart;
  /** As the templates left them. */
  readonly values: ValueMap;
  /** With `options.trace`. */
  readonly trace: Trace | undefined;
  readonly recorder: Recorder | undefined;
}

/** As {@link render}. @param reuse what earlier renders of the chart printed; then `values` are those kept for the next render */
export function inspect(chart: Chart, options: RenderOptions, reuse = false): Inspection {
  const warnings: string[] = [];
  try {
    return renderAll(chart, options, warnings, reuse);
  } catch (error) {
    if (error instanceof ChartError) error.log = [...warnings, ...error.log];
    throw error;
  }
}

function renderAll(chart: Chart, options: RenderOptions, warnings: string[], reuse: boolean): Inspection {
  const profile = profileOf(options.profile ?? 'helm4');
  const warn = (line: string): void => {
    warnings.push(asLogged(line, profile));
  };
  const failures: ChartError[] = [];
  const onFailure = options.keepGoing ? (failure: ChartError): unknown => failures.push(failure) : undefined;
  const kube = parseKubeVersion(options.kubeVersion ?? profile.defaultKubeVersion, profile);
  const work = new WorkChart(chart);
  checkApiVersion(chart, profile);
  checkInstallable(work, profile, warn);
  attempt(() => checkDependencies(work, profile), onFailure);
  const given = options.values ?? new Map();
  const budget = new Budget({ ...defaultLimits, ...options.limits });
  processDependencies(work, given, { profile, warn, budget });
  const values = laidValues(work, given, { profile, warn, budget });
  if (!options.skipSchemaValidation) attempt(() => checkSchemas(work, values, budget), onFailure);
  attempt(() => checkKubeVersion(work, kube), onFailure);
  const recorder = options.trace ? new Recorder(values, work) : undefined;
  const memory = recall(chart);
  const input: EngineInput = {
    profile,
    budget,
    memory,
    crypto: options.crypto ?? platformCrypto,
    now: options.now ?? (() => new Date()),
    release: releaseValue(options),
    capabilities: capabilitiesValue(kube, options.apiVersions ?? [], profile),
    values,
    lookup: (...what) => options.lookup?.(...what) ?? new Map(),
    watcher: recorder,
    onFailure,
  };
  const mayReuse = reuse && !recorder && !onFailure;
  const rendered = mayReuse ? renderAgain(work, input, options) : renderTemplates(work, input).texts;
  const notes = takeNotes(rendered, work);
  const sorted = sortManifests(rendered, { profile, memory, budget, warn, onFailure });
  const provenance = recorder && new Provenance(work, options.sources ?? [], profile.multiDocumentValues);
  const trace = recorder && provenance && new Trace(recorder, provenance, profile, work);
  const result: RenderResult = {
    ...sorted,
    crds: options.includeCrds ? crdsOf(work) : [],
    notes,
    warnings,
    ...(trace ? { trace } : {}),
    ...(onFailure ? { failures } : {}),
  };
  return { result, work, values, trace, recorder };
}

/** Renders what an earlier render of the chart does not know. */
function renderAgain(work: WorkChart, input: EngineInput, options: RenderOptions): Map<string, string> {
  const { budget, memory, profile, values } = input;
  const { name, namespace, revision, isInstall, isUpgrade } = options.release;
  const release = [name, namespace, revision, isInstall, isUpgrade];
  const limits = Object.values(budget.limits);
  const capabilities = [profile.name, options.kubeVersion, (options.apiVersions ?? []).join('\n')];
  const again = memory.again.begin([...release, ...limits, ...capabilities, input.crypto, enabledCharts(work)], values);
  const before = budget.spent;
  try {
    const { texts, scopes } = renderTemplates(work, {
      ...input,
      ...again.watched(input),
      values: again.values,
      watcher: again.reads,
      again,
    });
    if (again.end(scopes)) return texts;
    memory.again.forget();
    if (!again.isReused) return texts;
  } catch (error) {
    again.giveUp();
    memory.again.forget();
    if (!again.isReused) throw error;
  }
  // Files changed what others read, or one failed that perhaps should not: only all of them in their order tell.
  budget.backTo(before);
  return renderTemplates(work, input).texts;
}

/** Which charts take part, under which names: what they define and offer differs with it. */
function enabledCharts(work: WorkChart): string {
  // Written once, at the end: a text within a text within a text doubles its quotes at each depth.
  const below = (chart: WorkChart): unknown => [chart.name, chart.declared, chart.dependencies.map(below)];
  return JSON.stringify(below(work));
}

/** The values of all charts; a limit that is met there names the values file. */
function laidValues(chart: WorkChart, given: ValueMap, options: CoalesceOptions): ValueMap {
  try {
    return coalesceValues(chart, given, options);
  } catch (error) {
    const limit = limitOf(error);
    if (!limit) throw error;
    const line = lineOfKey(chart.chart.valuesFile, 'global');
    throw limit.toChartError(
      `${chart.name}/values.yaml`,
      line,
      undefined,
      'Take values out, of global above all: each subchart gets them.',
    );
  }
}

/** Runs a check whose failure does not stop who wants to see them all. */
function attempt(check: () => void, onFailure: ((failure: ChartError) => unknown) | undefined): void {
  try {
    check();
  } catch (error) {
    if (!onFailure || !(error instanceof ChartError)) throw error;
    onFailure(error);
  }
}

function checkInstallable(chart: WorkChart, profile: Profile, warn: (line: string) => void): void {
  const { type } = chart.metadata;
  if (type !== '' && type !== 'application') {
    throw new ChartError('CHART_INVALID', `${type} charts are not installable`, { cure: 'Render a chart that uses it.' });
  }
  if (chart.metadata.deprecated)
    warn(profile.name === 'helm3' ? 'WARNING: This chart is deprecated' : 'level=WARN msg="this chart is deprecated"');
}

function checkKubeVersion(chart: WorkChart, kube: KubeVersion): void {
  const wanted = chart.metadata.kubeVersion;
  if (wanted === '' || isCompatible(wanted, kube.normalized)) return;
  throw new ChartError('INCOMPATIBLE', `chart requires kubeVersion: ${wanted} which is incompatible with Kubernetes ${kube.version}`, {
    cure: 'Give another --kube-version, or another version of the chart.',
  });
}

function releaseValue({ release }: RenderOptions): ValueMap {
  const isUpgrade = release.isUpgrade ?? false;
  return new Map<string, Value>([
    ['Name', release.name],
    ['Namespace', release.namespace],
    ['IsUpgrade', isUpgrade],
    ['IsInstall', release.isInstall ?? !isUpgrade],
    ['Revision', int(release.revision ?? 1)],
    ['Service', 'Helm'],
  ]);
}

const notesFile = 'NOTES.txt';

/** Takes the notes out of what was rendered; those of subcharts are dropped, as by default in Helm. */
function takeNotes(rendered: Map<string, string>, chart: WorkChart): string {
  let notes = '';
  for (const [path, text] of rendered) {
    if (!path.endsWith(notesFile)) continue;
    if (path === `${chart.name}/templates/${notesFile}`) notes = text;
    rendered.delete(path);
  }
  return notes;
}

function crdsOf(chart: WorkChart): RenderedCrd[] {
  const own = chart.files.filter((file) => file.name.startsWith('crds/') && /\.(ya?ml|json)$/i.test(file.name));
  return [
    ...own.map((file) => ({ source: `${chart.path}/${file.name}`, content: fromBytes(file.data) })),
    ...chart.dependencies.flatMap(crdsOf),
  ];
}
