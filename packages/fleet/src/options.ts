import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { BundleTarget, ComparePatch, DeploymentOptions, HelmOptions, Json, JsonMap, ValuesFrom } from './types.ts';
import { isJsonMap } from './yaml-file.ts';

/** Deep merge of values: maps key by key, everything else replaced (lists too). `over` wins; a null stays, for Helm to act on. */
export function mergeValues(base: JsonMap, over: JsonMap): JsonMap {
  const result: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const earlier = Object.hasOwn(result, key) ? result[key] : undefined;
    const merged = isJsonMap(earlier) && isJsonMap(value) ? mergeValues(earlier, value) : value;
    Object.defineProperty(result, key, { value: merged, enumerable: true, configurable: true, writable: true });
  }
  return result;
}

/**
 * Lays a customization over the bundle's options (reference §2). Texts replace when not empty, booleans add up, values merge
 * deeply, templateValues and the namespace's labels key by key, valuesFrom and comparePatches by identity, correctDrift whole.
 * Fleet does not merge valuesFiles, maxHistory, skipSchemaValidation, disableDependencyUpdate, deleteNamespace,
 * deleteCRDResources, createNamespace and ignore: the base's stay.
 */
export function mergeOptions(base: DeploymentOptions, custom: DeploymentOptions): DeploymentOptions {
  const comparePatches = byKey(base.diff?.comparePatches, custom.diff?.comparePatches, comparePatchKey);
  return compact({
    ...base,
    defaultNamespace: custom.defaultNamespace || base.defaultNamespace,
    namespace: custom.namespace || base.namespace,
    serviceAccount: custom.serviceAccount || base.serviceAccount,
    helm: custom.helm ? mergeHelm(base.helm ?? {}, custom.helm) : base.helm,
    diff: comparePatches ? { ...base.diff, comparePatches } : base.diff,
    correctDrift: custom.correctDrift ?? base.correctDrift,
    keepResources: base.keepResources || custom.keepResources || undefined,
    namespaceLabels: mergeMaps(base.namespaceLabels, custom.namespaceLabels),
    namespaceAnnotations: mergeMaps(base.namespaceAnnotations, custom.namespaceAnnotations),
    forceSyncGeneration: custom.forceSyncGeneration || base.forceSyncGeneration,
  });
}

function mergeHelm(base: HelmOptions, custom: HelmOptions): HelmOptions {
  const timeout = custom.timeoutSeconds ?? 0;
  return compact({
    ...base,
    chart: custom.chart || base.chart,
    repo: custom.repo || base.repo,
    version: custom.version || base.version,
    releaseName: custom.releaseName || base.releaseName,
    values: base.values && custom.values ? mergeValues(base.values, custom.values) : (base.values ?? custom.values),
    templateValues: mergeMaps(base.templateValues, custom.templateValues),
    valuesFrom: byKey(base.valuesFrom, custom.valuesFrom, valuesFromKey),
    timeoutSeconds: (timeout > 0 ? timeout : timeout < 0 ? 0 : base.timeoutSeconds) || undefined,
    force: base.force || custom.force || undefined,
    atomic: base.atomic || custom.atomic || undefined,
    takeOwnership: base.takeOwnership || custom.takeOwnership || undefined,
    disablePreProcess: base.disablePreProcess || custom.disablePreProcess || undefined,
    waitForJobs: base.waitForJobs || custom.waitForJobs || undefined,
    disableDNS: base.disableDNS || custom.disableDNS || undefined,
  });
}

/** The options alone of a bundle's or target's spec. */
export function optionsOf(spec: DeploymentOptions | BundleTarget): DeploymentOptions {
  return compact({
    defaultNamespace: spec.defaultNamespace,
    namespace: spec.namespace,
    createNamespace: spec.createNamespace,
    namespaceLabels: spec.namespaceLabels,
    namespaceAnnotations: spec.namespaceAnnotations,
    serviceAccount: spec.serviceAccount,
    helm: spec.helm,
    diff: spec.diff,
    ignore: spec.ignore,
    correctDrift: spec.correctDrift,
    keepResources: spec.keepResources,
    deleteNamespace: spec.deleteNamespace,
    deleteCRDResources: spec.deleteCRDResources,
    forceSyncGeneration: spec.forceSyncGeneration,
  });
}

/**
 * `CONTENT:HASH`: changes when what is deployed changes. Settings of drift (`diff`, `correctDrift`) are left out, for they
 * change how it is watched, not what it is. The hash is over our canonical JSON (sorted keys), so the digits are not those of
 * Fleet itself; only equality means something.
 */
export function deploymentId(contentName: string, options: DeploymentOptions): string {
  const { diff: _diff, correctDrift: _drift, ...deployed } = options;
  return `${contentName}:${bytesToHex(sha256(utf8ToBytes(canonicalJson(deployed as JsonMap))))}`;
}

/** JSON with sorted keys. */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isJsonMap(value)) {
    const keys = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

function byKey<T>(base: readonly T[] | undefined, custom: readonly T[] | undefined, keyOf: (item: T) => string): readonly T[] | undefined {
  if (!custom?.length) return base;
  const overrides = new Map(custom.map((item) => [keyOf(item), item]));
  const kept = (base ?? []).map((item) => overrides.get(keyOf(item)) ?? item);
  const known = new Set((base ?? []).map(keyOf));
  return [...kept, ...custom.filter((item) => !known.has(keyOf(item)))];
}

const comparePatchKey = (patch: ComparePatch): string => [patch.apiVersion, patch.kind, patch.namespace, patch.name].join('|');

function valuesFromKey({ configMapKeyRef, secretKeyRef }: ValuesFrom): string {
  const reference = configMapKeyRef ?? secretKeyRef;
  return [configMapKeyRef ? 'configmap' : 'secret', reference?.namespace, reference?.name, reference?.key].join('|');
}

const mergeMaps = <T extends Readonly<Record<string, string>>>(base: T | undefined, custom: T | undefined): T | undefined =>
  base && custom ? { ...base, ...custom } : (custom ?? base);

/** Drops fields that are not set, as Go's omitempty does. */
function compact<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
