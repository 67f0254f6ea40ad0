import type { Crypto } from '../functions/crypto.ts';
import { platformCrypto } from '../functions/crypto.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import type { Chart, ChartFile } from '../loader/chart.ts';
import { crdFiles } from '../loader/crds.ts';
import { type LoadOptions, loadChart } from '../loader/load.ts';
import { type Profile, type ProfileName, profileOf } from '../profile.ts';
import { Budget } from '../render/budget.ts';
import { parseKubeVersion } from '../render/capabilities.ts';
import { asLogged } from '../render/log.ts';
import { describeViolations } from '../schema/chart.ts';
import { deepCopy } from '../value/copy.ts';
import type { ValueMap } from '../value/kinds.ts';
import { fromBytes, sortText } from '../value/text.ts';
import { coalesceTables } from '../values/coalesce.ts';
import { ConversionError, yamlToMap } from '../yaml/values.ts';
import { lintChartFile } from './chart-file.ts';
import { folderOf, type LintFolder, type Loaded, loading } from './folder.ts';
import { Findings, type LintMessage } from './message.ts';
import { readObjects } from './object-stream.ts';
import { lintTemplates } from './templates.ts';

export interface LintOptions {
  /** Which Helm to be; default `helm4`. */
  readonly profile?: ProfileName;
  /** The user's values, over those of the chart. */
  readonly values?: ValueMap;
  /** Default `default`. */
  readonly namespace?: string;
  /** For `.Capabilities` and deprecated APIs; default: the profile's. */
  readonly kubeVersion?: string;
  readonly skipSchemaValidation?: boolean;
  readonly crypto?: Crypto;
  readonly now?: () => Date;
  readonly limits?: Partial<Limits>;
  /** Opens packed subcharts, see `loadChart`. */
  readonly unpack?: NonNullable<LoadOptions['unpack']>;
}

export interface LintResult {
  /** In Helm's order. */
  readonly messages: readonly LintMessage[];
  /** What Helm logs on standard error meanwhile, without prefix. */
  readonly log: readonly string[];
}

/**
 * Examines a chart as `helm lint` does. Nothing about the chart makes it throw.
 *
 * @param chart the chart's files, or its folder
 * @throws ChartError where `kubeVersion` is none
 */
export function lint(chart: readonly ChartFile[] | LintFolder, options: LintOptions = {}): LintResult {
  const folder = 'kindOf' in chart ? chart : folderOf('.', chart);
  const profile = profileOf(options.profile ?? 'helm4');
  const kube = parseKubeVersion(options.kubeVersion ?? profile.defaultKubeVersion, profile);
  const findings = new Findings();
  const logged: string[] = [];
  const values = options.values ?? new Map();
  const skipSchemaValidation = options.skipSchemaValidation ?? false;
  const budget = new Budget({ ...defaultLimits, ...options.limits });
  let loaded: Loaded<Chart> | undefined;
  const log = (line: string): void => {
    logged.push(asLogged(line, profile));
  };
  // Helm loads the chart anew for each group of rules, and warns each time.
  const load = (): Loaded<Chart> => {
    loaded ??= loading(() =>
      loadChart(folder.files(), {
        multiDocumentValues: profile.multiDocumentValues,
        ...(options.limits ? { limits: options.limits } : {}),
        ...(options.unpack ? { unpack: options.unpack } : {}),
      }),
    );
    if ('value' in loaded) loaded.value.warnings.forEach(log);
    return loaded;
  };
  lintChartFile(folder, profile, findings);
  // Helm 3 checks values.yaml against the schema even when it is told not to.
  const skipsSchema = skipSchemaValidation && profile.lintsStrictly;
  lintValuesFile(folder, { values, profile, skipsSchema, budget, log }, findings);
  lintTemplates(
    folder,
    load,
    {
      profile,
      budget,
      crypto: options.crypto ?? platformCrypto,
      now: options.now ?? (() => new Date()),
      namespace: options.namespace ?? 'default',
      values,
      kube,
      skipSchemaValidation,
      log,
    },
    findings,
  );
  lintDependencies(folder, load, findings);
  if (profile.lintsStrictly) lintCrds(folder, load, profile, new Budget(budget.limits), findings);
  return { messages: findings.messages, log: logged };
}

interface ValuesLint {
  readonly values: ValueMap;
  readonly profile: Profile;
  readonly skipsSchema: boolean;
  readonly budget: Budget;
  readonly log: (line: string) => void;
}

function lintValuesFile(folder: LintFolder, input: ValuesLint, findings: Findings): void {
  const file = 'values.yaml';
  const kind = folder.kindOf(file);
  if (!findings.rule('info', file, kind === undefined ? 'file does not exist' : undefined)) return;
  findings.rule('error', file, valuesProblem(folder, input));
}

/** The chart's own values under the user's, against the schema; subcharts are not looked at. */
function valuesProblem(folder: LintFolder, { values, profile, skipsSchema, budget, log }: ValuesLint): string | undefined {
  let own: ValueMap;
  try {
    own = yamlToMap(fromBytes(folder.read('values.yaml') ?? new Uint8Array()), profile.valuesType);
  } catch (error) {
    if (error instanceof ConversionError) return `unable to parse YAML: ${error.message}`;
    throw error;
  }
  const all = coalesceTables(deepCopy(values), own, '', false, log);
  const schema = folder.read('values.schema.json');
  if (!schema || schema.length === 0 || skipsSchema) return undefined;
  const problem = loading(() => describeViolations(schema, all, budget));
  const text = 'problem' in problem ? problem.problem : problem.value;
  return text === '' ? undefined : text;
}

function lintDependencies(folder: LintFolder, load: () => Loaded<Chart>, findings: Findings): void {
  const chart = load();
  if ('problem' in chart) {
    findings.rule('error', '', `unable to load chart\n\t${chart.problem}`);
    return;
  }
  const { metadata, dependencies } = chart.value;
  const declared = metadata.dependencies ?? [];
  const names = new Set(declared.map(({ name }) => name));
  const there = dependencies.map((child) => child.metadata.name);
  const undeclared = sortText(there.filter((name) => !names.has(name)));
  const missing = declared.map(({ name }) => name).filter((name) => !there.includes(name));
  const keys = declared.map(({ name, alias }) => alias || name);
  const twice = keys.filter((key, index) => keys.indexOf(key) < index);
  const list = (problem: string, found: readonly string[]) => (found.length === 0 ? undefined : `${problem}: ${found.join(',')}`);
  findings.rule('error', folder.path, list('chart metadata is missing these dependencies', undeclared));
  findings.rule('error', folder.path, list('multiple dependencies with name or alias', twice));
  findings.rule('warning', folder.path, list('chart directory is missing these dependencies', missing));
}

function lintCrds(folder: LintFolder, load: () => Loaded<Chart>, profile: Profile, budget: Budget, findings: Findings): void {
  const kind = folder.kindOf('crds');
  if (kind === undefined || !findings.rule('error', 'crds/', kind === 'file' ? 'not a directory' : undefined)) return;
  const chart = load();
  if ('problem' in chart) {
    findings.rule('error', 'crds/', chart.problem);
    return;
  }
  for (const { name, data } of crdFiles(chart.value)) {
    for (const item of readObjects(fromBytes(data), profile, (steps) => budget.step(steps))) {
      if ('problem' in item) {
        findings.rule('error', name, `unable to parse YAML: ${item.problem}`);
        return;
      }
      if (!item.head) continue;
      const { apiVersion, kind: object } = item.head;
      findings.rule(
        'error',
        name,
        apiVersion.startsWith('apiextensions.k8s.io') ? undefined : "apiVersion is not in 'apiextensions.k8s.io'",
      );
      findings.rule('error', name, object === 'CustomResourceDefinition' ? undefined : "object kind is not 'CustomResourceDefinition'");
    }
  }
}
