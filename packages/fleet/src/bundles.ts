import { FleetError } from './errors.ts';
import { type FleetYaml, parseFleetYaml, type ReadFleetYaml } from './fleet-yaml.ts';
import { bundleName } from './names.ts';
import { mergeValues, optionsOf } from './options.ts';
import { baseName, below, confine, folderOf, globSegment, joinPath } from './paths.ts';
import { loadResources } from './resources.ts';
import type { Bundle, BundleTarget, ClusterMatcher, FleetWarning, GitRepoSpec, HelmOptions, JsonMap, RepositoryFile } from './types.ts';
import { fleetApiVersion } from './types.ts';
import { readYamlMap } from './yaml-file.ts';

export interface ReadBundlesOptions {
  /** Name of the GitRepo: the first part of every bundle's name. */
  readonly repoName: string;
  readonly commit: string;
  /** Folders (globs) to look in; default the root. */
  readonly paths?: readonly string[];
  /** Namespace of the GitRepo; default fleet-default. */
  readonly namespace?: string;
  /** What of the GitRepo overrides the files. Without targets: the cluster group `default`. */
  readonly gitRepo?: Pick<
    GitRepoSpec,
    | 'targets'
    | 'targetNamespace'
    | 'serviceAccount'
    | 'paused'
    | 'keepResources'
    | 'deleteNamespace'
    | 'correctDrift'
    | 'forceSyncGeneration'
  >;
}

/** A bundle with where it comes from. */
export interface ReadBundle {
  readonly bundle: Bundle;
  /** Folder in the repository; empty for the root. */
  readonly path: string;
  /** Path of fleet.yaml (or fleet.yml); absent when the bundle has none. */
  readonly file?: string;
  /** Values files by target name (`` for the base), as repository paths. */
  readonly valuesFiles: ReadonlyMap<string, readonly string[]>;
}

export interface ReadBundlesResult {
  readonly bundles: readonly ReadBundle[];
  readonly warnings: readonly FleetWarning[];
}

/** More bundles than this in one repository are a mistake. */
const bundleLimit = 200;
/** All bundles of one repository; each by itself has a limit of its own. */
const sizeLimit = 64 * 1024 * 1024;

/**
 * What `fleet apply` makes of a tree of files (reference §1 to §3, recorded §2): one Bundle for each folder with a fleet.yaml, and
 * one for each given path that has YAML outside such folders. Values files are merged into the values of their target.
 * Throws `FleetError`.
 */
export function readBundles(files: readonly RepositoryFile[], options: ReadBundlesOptions): ReadBundlesResult {
  const warnings: FleetWarning[] = [];
  const tree = files.filter((file) => !file.path.split('/').includes('.git'));
  const byPath = new Map(tree.map((file) => [file.path, file]));
  const bases = bundleFolders(tree, options.paths ?? ['']);
  limitCount(bases.length);
  let size = 0;
  const bundles = bases.flatMap((base) => {
    const bundle = readBundle({ files: tree, byPath }, base, options, warnings);
    for (const resource of bundle?.bundle.spec.resources ?? []) size += resource.content.length;
    if (size > sizeLimit)
      throw new FleetError('LIMIT_EXCEEDED', `The bundles of the repository are larger than ${sizeLimit} bytes together.`, {
        cure: 'Do not nest bundles: the outer one holds the files of the inner ones again.',
      });
    return bundle ?? [];
  });
  if (bundles.length === 0)
    throw new FleetError(
      'NO_BUNDLES',
      `No bundle in ${(options.paths ?? ['.']).join(', ') || 'the repository'}: no folder there has YAML to deploy.`,
      {
        cure: 'Put the chart and its fleet.yaml into deployment/.',
      },
    );
  return { bundles, warnings };
}

function limitCount(count: number): void {
  if (count > bundleLimit)
    throw new FleetError('LIMIT_EXCEEDED', `The repository has ${count} bundles; ${bundleLimit} are allowed.`, {
      cure: 'Name the folders in paths.',
    });
}

/** Folders that are bundles, in order of path. */
function bundleFolders(files: readonly RepositoryFile[], paths: readonly string[]): string[] {
  const folders = new Set(files.flatMap((file) => ancestorsOf(file.path)));
  const withOptions = new Set(files.filter((file) => isOptionsFile(file.path)).map((file) => folderOf(file.path)));
  const bases = new Set<string>();
  limitCount(withOptions.size);
  for (const path of paths) {
    const starts = matchFolders(folders, path);
    limitCount(starts.length);
    for (const start of starts) {
      const inside = [...withOptions].filter((folder) => folder === start || below(start, folder) !== undefined);
      for (const folder of inside) bases.add(folder);
      const owned = (file: string): boolean => inside.some((folder) => folder !== start && below(folder, file) !== undefined);
      const hasYaml = files.some(
        ({ path: file }) => /\.ya?ml$/.test(file) && below(start, file) !== undefined && !owned(file) && !isHidden(below(start, file)!),
      );
      if (hasYaml) bases.add(start);
    }
  }
  return [...bases].sort();
}

const isOptionsFile = (path: string): boolean => /(^|\/)fleet\.ya?ml$/.test(path);
const isHidden = (path: string): boolean => path.split('/').some((part) => part.startsWith('.'));

function ancestorsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return [...parts.map((_, index) => parts.slice(0, index + 1).join('/')), ''];
}

function matchFolders(folders: ReadonlySet<string>, path: string): string[] {
  const pattern = confine('', path.replace(/^\/+/, ''));
  const segments = pattern === '' ? [] : pattern.split('/').map(globSegment);
  return [...folders].filter((folder) => {
    const parts = folder === '' ? [] : folder.split('/');
    return parts.length === segments.length && parts.every((part, index) => segments[index]!(part));
  });
}

interface Tree {
  readonly files: readonly RepositoryFile[];
  readonly byPath: ReadonlyMap<string, RepositoryFile>;
}

function readBundle({ files, byPath }: Tree, base: string, options: ReadBundlesOptions, warnings: FleetWarning[]): ReadBundle | undefined {
  const read = readOptionsFile(byPath, base);
  const yaml: FleetYaml = read?.content.fleetYaml ?? {};
  if (read) {
    warnings.push(...read.content.warnings);
    if (baseName(read.path) === 'fleet.yml')
      warnings.push({
        message: 'fleet.yml is read only because there is no fleet.yaml; Fleet does not document it.',
        where: { file: read.path },
      });
  }
  const values = new ValuesFiles(byPath, base, read, warnings);
  const helm = values.flattenBase(yaml.helm);
  const customizations = [...(yaml.targets ?? []), ...(yaml.targetCustomizations ?? [])].map((target, index) => {
    const list = index < (yaml.targets?.length ?? 0) ? 'targets' : 'targetCustomizations';
    const position = list === 'targets' ? index : index - (yaml.targets?.length ?? 0);
    const name = target.name ?? `target${String(index).padStart(3, '0')}`;
    return { ...target, name, ...(target.helm ? { helm: values.flattenTarget(name, target.helm, [list, position]) } : {}) };
  });
  const leftOut = new Set([...(read ? [read.path] : []), ...values.used]);
  const resources = loadResources(files, base, leftOut);
  if (resources.length === 0) {
    warnings.push({
      message: `${base || 'The root'} holds nothing but fleet.yaml: Fleet passes it over.`,
      where: { file: read?.path ?? base },
    });
    return undefined;
  }
  const { gitRepo } = options;
  const restrictions = plainTargets(yaml, gitRepo?.targets);
  const name = yaml.name ?? bundleName(options.repoName, base);
  const bundle: Bundle = {
    apiVersion: fleetApiVersion,
    kind: 'Bundle',
    metadata: {
      name,
      namespace: options.namespace ?? 'fleet-default',
      labels: { ...yaml.labels, 'fleet.cattle.io/commit': options.commit, 'fleet.cattle.io/repo-name': options.repoName },
    },
    spec: {
      ...optionsOf(yaml),
      ...(helm ? { helm } : {}),
      ...overrides(yaml, gitRepo),
      ...(yaml.rolloutStrategy ? { rolloutStrategy: yaml.rolloutStrategy } : {}),
      ...(yaml.dependsOn ? { dependsOn: yaml.dependsOn } : {}),
      ...(yaml.targetCustomizationMode ? { targetCustomizationMode: yaml.targetCustomizationMode } : {}),
      resources,
      targets: [...customizations, ...restrictions],
      targetRestrictions: restrictions,
    },
  };
  return { bundle, path: base, ...(read ? { file: read.path } : {}), valuesFiles: values.byTarget };
}

function readOptionsFile(files: ReadonlyMap<string, RepositoryFile>, base: string): { path: string; content: ReadFleetYaml } | undefined {
  for (const name of ['fleet.yaml', 'fleet.yml']) {
    const path = joinPath(base, name);
    const file = files.get(path);
    if (file) return { path, content: parseFleetYaml(path, file.data) };
  }
  return undefined;
}

function plainTargets(yaml: FleetYaml, targets: readonly (ClusterMatcher & { name?: string })[] | undefined): BundleTarget[] {
  if (yaml.overrideTargets?.length) return [...yaml.overrideTargets];
  return targets?.length ? [...targets] : [{ name: 'default', clusterGroup: 'default' }];
}

function overrides(yaml: FleetYaml, spec: ReadBundlesOptions['gitRepo']): object {
  const paused = yaml.paused || spec?.paused;
  return {
    ...(spec?.targetNamespace ? { namespace: spec.targetNamespace } : {}),
    ...(spec?.serviceAccount ? { serviceAccount: spec.serviceAccount } : {}),
    ...(spec?.keepResources ? { keepResources: true } : {}),
    ...(spec?.deleteNamespace ? { deleteNamespace: true } : {}),
    ...(spec?.correctDrift?.enabled ? { correctDrift: spec.correctDrift } : {}),
    ...(spec?.forceSyncGeneration ? { forceSyncGeneration: spec.forceSyncGeneration } : {}),
    ...(paused ? { paused: true } : {}),
  };
}

/** Reads values files and merges them into the values of their target. */
class ValuesFiles {
  readonly used = new Set<string>();
  readonly byTarget = new Map<string, readonly string[]>();
  readonly #files: ReadonlyMap<string, RepositoryFile>;
  readonly #base: string;
  readonly #read: { path: string; content: ReadFleetYaml } | undefined;
  readonly #warnings: FleetWarning[];

  constructor(
    files: ReadonlyMap<string, RepositoryFile>,
    base: string,
    read: { path: string; content: ReadFleetYaml } | undefined,
    warnings: FleetWarning[],
  ) {
    this.#files = files;
    this.#base = base;
    this.#read = read;
    this.#warnings = warnings;
  }

  /** Fleet ignores the base's values files unless the base names a chart (rancher/fleet#2060): kept, and said. */
  flattenBase(helm: HelmOptions | undefined): HelmOptions | undefined {
    if (!helm) return undefined;
    this.#refuseRemote(helm, ['helm']);
    if (helm.valuesFiles?.length && !helm.chart) {
      const where = this.#place(['helm', 'valuesFiles']);
      this.#warnings.push({
        message: 'helm.valuesFiles is ignored by Fleet because helm.chart is not set beside it; write "chart: ." too.',
        where,
      });
      for (const file of helm.valuesFiles) this.used.add(confine(this.#base, file, where));
      const { valuesFiles: _ignored, ...rest } = helm;
      return withoutZeroTimeout(rest);
    }
    return this.#flatten('', helm, ['helm']);
  }

  flattenTarget(name: string, helm: HelmOptions, path: readonly (string | number)[]): HelmOptions {
    this.#refuseRemote(helm, [...path, 'helm']);
    return this.#flatten(name, helm, [...path, 'helm']);
  }

  #flatten(target: string, helm: HelmOptions, path: readonly (string | number)[]): HelmOptions {
    const paths = (helm.valuesFiles ?? []).map((file, index) => confine(this.#base, file, this.#place([...path, 'valuesFiles', index])));
    this.byTarget.set(target, paths);
    const merged = paths.reduce<JsonMap>((values, file, index) => {
      this.used.add(file);
      return mergeValues(values, this.#readValues(file, [...path, 'valuesFiles', index]));
    }, helm.values ?? {});
    return withoutZeroTimeout({ ...helm, ...(helm.values || paths.length > 0 ? { values: merged } : {}) });
  }

  #readValues(path: string, from: readonly (string | number)[]): JsonMap {
    const file = this.#files.get(path);
    if (file) return readYamlMap(path, file.data);
    throw new FleetError('FILE_MISSING', `The values file ${path} is not in the repository.`, {
      where: this.#place(from),
      cure: 'Add the file, or correct its name; capitals count.',
    });
  }

  #refuseRemote(helm: HelmOptions, path: readonly (string | number)[]): void {
    const remote = helm.repo || (helm.chart && /^[a-z][a-z0-9+.-]*:/i.test(helm.chart)) ? (helm.repo ?? helm.chart) : undefined;
    if (remote)
      throw new FleetError('UNSUPPORTED', `The chart ${remote} is not in the repository; this platform deploys what is.`, {
        where: this.#place(path),
        cure: 'Put the chart, with its dependencies, into the repository.',
      });
    if (helm.chart) confine(this.#base, helm.chart, this.#place([...path, 'chart']));
  }

  #place(path: readonly (string | number)[]) {
    return this.#read?.content.placeOf(path) ?? { file: joinPath(this.#base, 'fleet.yaml') };
  }
}

function withoutZeroTimeout(helm: HelmOptions): HelmOptions {
  if (helm.timeoutSeconds !== 0) return helm;
  const { timeoutSeconds: _zero, ...rest } = helm;
  return rest;
}
