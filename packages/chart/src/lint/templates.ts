import { ChartError } from '../errors.ts';
import type { Crypto } from '../functions/crypto.ts';
import type { Chart } from '../loader/chart.ts';
import { processDependencies } from '../loader/dependencies.ts';
import { WorkChart } from '../loader/work-chart.ts';
import type { Profile } from '../profile.ts';
import type { Budget } from '../render/budget.ts';
import { capabilitiesValue, type KubeVersion } from '../render/capabilities.ts';
import { renderTemplates } from '../render/engine.ts';
import { RenderMemory } from '../render/memory.ts';
import { checkSchemas } from '../schema/chart.ts';
import { int, type Value, type ValueMap } from '../value/kinds.ts';
import { quote, trimSpace } from '../value/text.ts';
import { coalesceValues } from '../values/coalesce.ts';
import { yamlToValue } from '../yaml/values.ts';
import { deprecationOf } from './deprecations-table.ts';
import { type LintFolder, type Loaded, loading } from './folder.ts';
import { nameProblem } from './kubernetes-names.ts';
import type { Findings } from './message.ts';
import { isUnreadable, type ObjectHead, readObjects } from './object-stream.ts';

export interface TemplateLint {
  readonly profile: Profile;
  readonly budget: Budget;
  readonly crypto: Crypto;
  readonly now: () => Date;
  readonly namespace: string;
  readonly values: ValueMap;
  /** For `.Capabilities`, and for deprecations. */
  readonly kube: KubeVersion;
  readonly skipSchemaValidation: boolean;
  /** Hears what Helm logs. */
  readonly log: (line: string) => void;
}

const folderPath = 'templates/';

/** Renders the templates, forgiving what `required` and `fail` miss, and looks at what they print. */
export function lintTemplates(folder: LintFolder, load: () => Loaded<Chart>, input: TemplateLint, findings: Findings): void {
  const kind = folder.kindOf('templates');
  const isOptional = !input.profile.lintsStrictly;
  if (kind === undefined && !isOptional) {
    findings.rule('warning', folderPath, 'directory does not exist');
    return;
  }
  if (!findings.rule(isOptional ? 'warning' : 'error', folderPath, kind === 'file' ? 'not a directory' : undefined)) return;
  const chart = load();
  if ('problem' in chart) {
    findings.rule('error', folderPath, chart.problem);
    return;
  }
  const rendered = loading(() => renderForLint(chart.value, input));
  if ('problem' in rendered) {
    findings.rule('error', folderPath, rendered.problem);
    return;
  }
  if (rendered.value === undefined) return;
  for (const { name, text } of chart.value.templates) {
    const output = rendered.value.get(`${chart.value.metadata.name}/${name}`) ?? '';
    if (!lintTemplate(name, text, output, input, findings)) return;
  }
}

/** What the templates print, by path; undefined where dependencies fail, of which Helm's lint says nothing. @throws ChartError */
function renderForLint(chart: Chart, input: TemplateLint): ReadonlyMap<string, string> | undefined {
  const { profile, budget, crypto, now, log } = input;
  const work = new WorkChart(chart);
  let values: ValueMap;
  try {
    processDependencies(work, input.values, { profile, warn: log });
    values = coalesceValues(work, input.values, { profile, warn: log });
  } catch (error) {
    if (error instanceof ChartError) return undefined;
    throw error;
  }
  // Helm lays the defaults under them once more: a null that removed one brings it back.
  values = coalesceValues(work, values, { profile, warn: log });
  if (!input.skipSchemaValidation) checkSchemas(work, values, budget);
  const release = new Map<string, Value>([
    ['Name', 'test-release'],
    ['Namespace', input.namespace],
    ['IsUpgrade', false],
    ['IsInstall', false],
    ['Revision', int(0)],
    ['Service', 'Helm'],
  ]);
  const capabilities = capabilitiesValue(input.kube, [], profile);
  return renderTemplates(work, {
    profile,
    budget,
    memory: new RenderMemory(),
    crypto,
    now,
    release,
    capabilities,
    values,
    lookup: () => new Map(),
    tolerate: log,
  }).texts;
}

const extensions = ['.yaml', '.yml', '.tpl', '.txt'];

/** @returns false where Helm looks at no further template */
function lintTemplate(name: string, text: string, output: string, input: TemplateLint, findings: Findings): boolean {
  const { profile, budget } = input;
  const extension = /\.[^./]*$/.exec(name)?.[0] ?? '';
  findings.rule(
    'error',
    name,
    extensions.includes(extension) ? undefined : `file extension '${extension}' not valid. Valid extensions are .yaml, .yml, .tpl, or .txt`,
  );
  if (profile.lintsHelm2) {
    findings.rule('warning', name, /"?helm\.sh\/hook"?:[\t\n\f\r ]+crd-install/.test(text) ? crdHook : undefined);
    findings.rule('error', name, text.includes('.Release.Time') ? releaseTime : undefined);
  }
  const isYaml = profile.lintsHelm2 ? extension === '.yaml' : /^\.ya?ml$/i.test(extension);
  if (!isYaml || trimSpace(output) === '') return true;
  findings.rule('warning', name, indentProblem(output));
  const spend = (steps: number): void => budget.step(steps);
  let list: { readonly problem: string | undefined } | undefined;
  const whole: WholeOutput = {
    selects: /matchLabels|matchExpressions/.test(output),
    get listProblem() {
      list ??= { problem: listProblem(output, profile, spend) };
      return list.problem;
    },
  };
  for (const item of readObjects(output, profile, spend)) {
    if ('problem' in item) return findings.rule('error', name, `unable to parse YAML: ${item.problem}`);
    if (item.head) lintObject(name, item.head, whole, input, findings);
  }
  return true;
}

/** What Helm asks of a whole file for each of its objects; found once, for there may be very many. */
interface WholeOutput {
  readonly selects: boolean;
  readonly listProblem: string | undefined;
}

const crdHook =
  'manifest is a crd-install hook. This hook is no longer supported in v3 and all CRDs should also exist the crds/ directory at the top level of the chart';
const releaseTime = '.Release.Time has been removed in v3, please replace with the `now` function in your templates';

function indentProblem(output: string): string | undefined {
  const line = output.split(/\r?\n/).find((candidate) => trimSpace(candidate) !== '');
  if (line === undefined || !/^[ \t]/.test(line)) return undefined;
  return `document starts with an illegal indent: ${quote(line)}, which may cause parsing problems`;
}

function lintObject(file: string, head: ObjectHead, whole: WholeOutput, { kube }: TemplateLint, findings: Findings): void {
  const { apiVersion, kind, name } = head;
  findings.rule('warning', file, nameProblem(kind, name));
  findings.rule('warning', file, deprecationOf(apiVersion, kind, Number(kube.major), Number(kube.minor)));
  findings.rule(
    'error',
    file,
    selectorKinds.has(kind) && !whole.selects
      ? `a ${kind} must contain matchLabels or matchExpressions, and ${quote(name)} does not`
      : undefined,
  );
  if (kind === 'List') findings.rule('error', file, whole.listProblem);
}

const selectorKinds: ReadonlySet<string> = new Set(['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet']);

function listProblem(output: string, profile: Profile, spend: (steps: number) => void): string | undefined {
  let list: Value;
  try {
    list = yamlToValue(output, false, { spend });
  } catch (error) {
    if (isUnreadable(error)) return `unable to parse YAML: ${error.message}`;
    throw error;
  }
  const items = list instanceof Map ? list.get('items') : undefined;
  const keeps = (Array.isArray(items) ? items : []).some((item) => {
    const metadata = item instanceof Map ? item.get('metadata') : undefined;
    const annotations = metadata instanceof Map ? metadata.get('annotations') : undefined;
    return annotations instanceof Map && annotations.has('helm.sh/resource-policy');
  });
  if (!keeps) return undefined;
  return `${profile.name === 'helm3' ? 'A' : 'a'}nnotation 'helm.sh/resource-policy' within List objects are ignored`;
}
