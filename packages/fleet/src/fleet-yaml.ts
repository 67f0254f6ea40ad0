import type { SourcePlace } from '@desp/runtime/errors';
import { FleetError } from './errors.ts';
import type { BundleTarget, ClusterMatcher, Dependency, DeploymentOptions, FleetWarning, Json, JsonMap, RolloutStrategy } from './types.ts';
import { bundleStates } from './types.ts';
import { isJsonMap, readYamlFile, type YamlFile } from './yaml-file.ts';

/**
 * fleet.yaml, as lenient as Fleet: unknown keys are ignored and the case of keys does not matter. Unlike Fleet we report both,
 * for a misspelt key is the commonest reason for a deployment that ignores its author.
 */
export interface FleetYaml extends DeploymentOptions {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly paused?: boolean;
  readonly dependsOn?: readonly Dependency[];
  readonly rolloutStrategy?: RolloutStrategy;
  readonly targetCustomizationMode?: 'FirstMatch' | 'AllMatches';
  readonly targets?: readonly BundleTarget[];
  readonly targetCustomizations?: readonly BundleTarget[];
  readonly overrideTargets?: readonly ClusterMatcher[];
}

type Shape =
  | 'text'
  | 'boolean'
  | 'integer'
  | 'integerOrPercent'
  | 'texts'
  | 'textMap'
  | 'map'
  | 'refused'
  | { readonly [field: string]: Shape }
  | { readonly list: { readonly [field: string]: Shape } };

const selector: Shape = {
  matchLabels: 'textMap',
  matchExpressions: { list: { key: 'text', operator: 'text', values: 'texts' } },
};
const matcher = { clusterName: 'text', clusterGroup: 'text', clusterGroupSelector: selector, clusterSelector: selector } as const;
const keyReference: Shape = { name: 'text', namespace: 'text', key: 'text' };
const helm: Shape = {
  chart: 'text',
  repo: 'text',
  version: 'text',
  releaseName: 'text',
  values: 'map',
  valuesFiles: 'texts',
  valuesFrom: { list: { configMapKeyRef: keyReference, secretKeyRef: keyReference } },
  templateValues: 'textMap',
  timeoutSeconds: 'integer',
  maxHistory: 'integer',
  waitForJobs: 'boolean',
  force: 'boolean',
  takeOwnership: 'boolean',
  atomic: 'boolean',
  disablePreProcess: 'boolean',
  disableDNS: 'boolean',
  skipSchemaValidation: 'boolean',
  disableDependencyUpdate: 'boolean',
};
const options = {
  defaultNamespace: 'text',
  namespace: 'text',
  createNamespace: 'boolean',
  namespaceLabels: 'textMap',
  namespaceAnnotations: 'textMap',
  serviceAccount: 'text',
  helm,
  diff: {
    comparePatches: {
      list: {
        apiVersion: 'text',
        kind: 'text',
        namespace: 'text',
        name: 'text',
        jsonPointers: 'texts',
        operations: { list: { op: 'text', path: 'text', value: 'text' } },
      },
    },
  },
  ignore: { conditions: { list: {} } },
  correctDrift: { enabled: 'boolean', force: 'boolean', keepFailHistory: 'boolean' },
  keepResources: 'boolean',
  deleteNamespace: 'boolean',
  deleteCRDResources: 'boolean',
  forceSyncGeneration: 'integer',
  kustomize: 'refused',
  yaml: 'refused',
  downstreamResources: 'refused',
} as const;
const target: Shape = { list: { name: 'text', doNotDeploy: 'boolean', ...matcher, ...options } };

/** Every field of reference fleet.md §1; `refused` ones are known to Fleet, and ignoring them would deploy something else. */
const fields: { readonly [field: string]: Shape } = {
  name: 'text',
  labels: 'textMap',
  paused: 'boolean',
  dependsOn: { list: { name: 'text', selector, acceptedStates: 'texts' } },
  rolloutStrategy: {
    maxUnavailable: 'integerOrPercent',
    maxUnavailablePartitions: 'integerOrPercent',
    autoPartitionSize: 'integerOrPercent',
    autoPartitionThreshold: 'integer',
    maxNew: 'integer',
    partitions: { list: { name: 'text', maxUnavailable: 'integerOrPercent', ...matcher } },
  },
  targetCustomizationMode: 'text',
  targets: target,
  targetCustomizations: target,
  overrideTargets: { list: { name: 'text', ...matcher } },
  imageScans: 'refused',
  ...options,
};

export interface ReadFleetYaml {
  readonly fleetYaml: FleetYaml;
  readonly warnings: readonly FleetWarning[];
  /** Where a field stands, for messages. */
  placeOf(path: readonly (string | number)[]): SourcePlace;
}

/** Reads fleet.yaml. Throws `FleetError` for broken YAML, wrong shapes and fields that we do not honour. */
export function parseFleetYaml(file: string, data: Uint8Array): ReadFleetYaml {
  const yaml = readYamlFile(file, data);
  if (yaml.value !== null && !isJsonMap(yaml.value))
    throw new FleetError('FLEET_YAML_INVALID', `Cannot read ${file}: its content is no map.`, { where: { file, line: 1 } });
  const reader = new FieldReader(file, yaml);
  const fleetYaml = reader.fields(yaml.value ?? {}, fields, []) as FleetYaml;
  checkMeaning(file, fleetYaml, yaml);
  return { fleetYaml, warnings: reader.warnings, placeOf: yaml.placeOf };
}

class FieldReader {
  readonly warnings: FleetWarning[] = [];
  readonly #file: string;
  readonly #yaml: YamlFile;

  constructor(file: string, yaml: YamlFile) {
    this.#file = file;
    this.#yaml = yaml;
  }

  fields(map: JsonMap, shape: { readonly [field: string]: Shape }, path: readonly (string | number)[]): JsonMap {
    const byLowerCase = new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
    const result: Record<string, Json> = {};
    for (const [key, value] of Object.entries(map)) {
      const name = byLowerCase.get(key.toLowerCase());
      const where = this.#yaml.placeOf([...path, key]);
      if (name === undefined) {
        this.warnings.push({ message: `${[...path, key].join('.')}: Fleet knows no such field and ignores it.`, where });
        continue;
      }
      if (name !== key)
        this.warnings.push({ message: `${[...path, key].join('.')} is written ${name}; Fleet reads it all the same.`, where });
      if (value === null) continue;
      result[name] = this.#value(value, shape[name]!, [...path, key]);
    }
    return result;
  }

  #value(value: Json, shape: Shape, path: readonly (string | number)[]): Json {
    if (typeof shape === 'object') {
      if (!('list' in shape) || typeof shape.list !== 'object')
        return this.fields(this.#map(value, path), shape as { [field: string]: Shape }, path);
      if (!Array.isArray(value)) throw this.#wrong(path, 'list');
      const inner = shape.list as { [field: string]: Shape };
      if (Object.keys(inner).length === 0) return value;
      return value.map((item, index) => this.fields(this.#map(item, [...path, index]), inner, [...path, index]));
    }
    return this.#plain(value, shape, path);
  }

  #plain(value: Json, shape: Extract<Shape, string>, path: readonly (string | number)[]): Json {
    switch (shape) {
      case 'text':
        if (typeof value === 'string') return value;
        throw this.#wrong(path, 'text (put it in quotes)');
      case 'boolean':
        if (typeof value === 'boolean') return value;
        throw this.#wrong(path, 'boolean');
      case 'integer':
        if (Number.isSafeInteger(value)) return value;
        throw this.#wrong(path, 'whole number');
      case 'integerOrPercent':
        if (Number.isSafeInteger(value) || (typeof value === 'string' && /^\d{1,3}%?$/.test(value))) return value;
        throw this.#wrong(path, 'whole number or percentage');
      case 'texts':
        if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
        throw this.#wrong(path, 'list of texts');
      case 'textMap':
        if (Object.values(this.#map(value, path)).every((item) => typeof item === 'string')) return value;
        throw this.#wrong(path, 'map of texts (put numbers and booleans in quotes)');
      case 'map':
        return this.#map(value, path);
      case 'refused':
        throw new FleetError('UNSUPPORTED', `${this.#file}: "${path.join('.')}" is a field of Fleet that this platform does not honour.`, {
          where: this.#yaml.placeOf(path),
          cure: 'Remove it; deploy with a Helm chart in the repository.',
        });
    }
  }

  #map(value: Json, path: readonly (string | number)[]): JsonMap {
    if (isJsonMap(value)) return value;
    throw this.#wrong(path, 'map');
  }

  #wrong(path: readonly (string | number)[], wanted: string): FleetError {
    return new FleetError('FLEET_YAML_INVALID', `${this.#file}: "${path.join('.')}" is no ${wanted}.`, {
      where: this.#yaml.placeOf(path),
      cure: `Write a ${wanted}.`,
    });
  }
}

/** What the shape cannot say. */
function checkMeaning(file: string, yaml: FleetYaml, source: YamlFile): void {
  const refuse = (path: readonly (string | number)[], why: string): never => {
    throw new FleetError('TARGET_INVALID', `${file}: ${why}.`, { where: source.placeOf(path), cure: 'Correct it.' });
  };
  yaml.dependsOn?.forEach((dependency, index) => {
    if (!dependency.name && !dependency.selector) refuse(['dependsOn', index], 'an entry of dependsOn has neither name nor selector');
    for (const state of dependency.acceptedStates ?? [])
      if (!bundleStates.includes(state)) refuse(['dependsOn', index], `acceptedStates names "${state}", which is no state`);
  });
  const mode: string | undefined = yaml.targetCustomizationMode;
  if (mode !== undefined && mode !== 'FirstMatch' && mode !== 'AllMatches')
    refuse(['targetCustomizationMode'], 'targetCustomizationMode is neither FirstMatch nor AllMatches');
  const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
  for (const list of ['targets', 'targetCustomizations', 'overrideTargets'] as const)
    (yaml[list] ?? []).forEach((entry, index) => {
      for (const field of ['clusterSelector', 'clusterGroupSelector'] as const)
        for (const expression of entry[field]?.matchExpressions ?? [])
          if (!operators.includes(expression.operator))
            refuse([list, index, field], `the operator "${expression.operator}" of ${list}[${index}] is none of ${operators.join(', ')}`);
    });
}
