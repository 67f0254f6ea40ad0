import { parse, stringify } from 'yaml';
import { FleetError } from './errors.ts';
import type { Cluster, HelmOptions, Json, JsonMap, StringMap } from './types.ts';
import { isJsonMap } from './yaml-file.ts';

/** What values templates see of the cluster (reference §2, preprocessing). */
export interface ValuesContext {
  readonly ClusterName: string;
  readonly ClusterNamespace: string;
  readonly ClusterLabels: StringMap;
  readonly ClusterAnnotations: StringMap;
  readonly ClusterValues: JsonMap;
}

/** Runs a Go template with the delimiters `${` and `}`, missing keys being errors; sprig without env, expandenv, getHostByName. */
export type RenderValuesTemplate = (template: string, context: ValuesContext) => string;

const labelPrefix = 'global.fleet.clusterLabels.';

/**
 * The values for one cluster: texts that start with `global.fleet.clusterLabels.X` become that label; then the values run as a
 * template, and templateValues overwrite top-level keys. As in Fleet, a cluster without labels gets the values untouched.
 * Templates need a renderer; without one such text is refused (UNSUPPORTED), for passing it on would deploy something else.
 */
export function preprocessValues(helm: HelmOptions, cluster: Cluster, render?: RenderValuesTemplate): JsonMap | undefined {
  const labels = cluster.metadata.labels ?? {};
  if (Object.keys(labels).length === 0 || (!helm.values && !helm.templateValues)) return helm.values;
  const withLabels = replaceLabels(helm.values ?? {}, labels) as JsonMap;
  if (helm.disablePreProcess) return withLabels;
  const context: ValuesContext = {
    ClusterName: cluster.metadata.name,
    ClusterNamespace: cluster.metadata.namespace ?? '',
    ClusterLabels: labels,
    ClusterAnnotations: cluster.metadata.annotations ?? {},
    ClusterValues: cluster.spec?.templateValues ?? {},
  };
  const values = hasTemplate(withLabels) ? renderMap(stringify(withLabels), 'values', context, render) : withLabels;
  const entries = Object.entries(helm.templateValues ?? {}).map(([key, template]) => [
    key,
    parseRendered(needRenderer(render, `templateValues.${key}`)(template, context), `templateValues.${key}`),
  ]);
  return entries.length > 0 ? { ...values, ...Object.fromEntries(entries) } : values;
}

function replaceLabels(value: Json, labels: StringMap): Json {
  if (typeof value === 'string') {
    if (!value.startsWith(labelPrefix)) return value;
    const label = value.slice(labelPrefix.length);
    return Object.hasOwn(labels, label) ? labels[label]! : '';
  }
  if (Array.isArray(value)) return value.map((item) => replaceLabels(item, labels));
  if (isJsonMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceLabels(item, labels)]));
  return value;
}

function hasTemplate(value: Json): boolean {
  if (typeof value === 'string') return value.includes('${');
  if (Array.isArray(value)) return value.some(hasTemplate);
  return isJsonMap(value) && Object.entries(value).some(([key, item]) => key.includes('${') || hasTemplate(item));
}

function renderMap(template: string, what: string, context: ValuesContext, render: RenderValuesTemplate | undefined): JsonMap {
  const result = parseRendered(needRenderer(render, what)(template, context), what);
  if (isJsonMap(result)) return result;
  throw new FleetError('FLEET_YAML_INVALID', `${what} of helm are no map after their templates ran.`, { cure: 'Correct the templates.' });
}

function needRenderer(render: RenderValuesTemplate | undefined, what: string): RenderValuesTemplate {
  if (render) return render;
  throw new FleetError('UNSUPPORTED', `${what} of helm hold a template \${ }, which this platform does not run.`, {
    cure: 'Write the values per environment into values files, or set helm.disablePreProcess to keep the text as it is.',
  });
}

function parseRendered(text: string, what: string): Json {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' }) as Json;
  } catch (error) {
    throw new FleetError('FLEET_YAML_INVALID', `${what} of helm are no YAML after their templates ran.`, {
      cause: error,
      cure: 'Correct the templates.',
    });
  }
}
