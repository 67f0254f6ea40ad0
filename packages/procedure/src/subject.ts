import {
  type Cluster,
  chartFiles,
  type FleetWarning,
  fleetApiVersion,
  type JsonMap,
  type ReadBundle,
  type RepositoryFile,
  readBundles,
  type TargetedCluster,
  targetBundle,
} from '@desp/fleet';
import { type PipelineContext, type PlanResult, planPipeline, resolveIncludes, templateFiles } from '@desp/pipeline';
import { DespError } from '@desp/runtime/errors';
import type { Profile, ProfileEnvironment } from './profiles/profile.ts';
import type { Found } from './report.ts';
import { type RepositoryEntry, readTree } from './repository.ts';

/** What to render: a chart's files (paths from the chart's root), the values over its own, and the release. */
export interface RenderInput {
  readonly files: readonly RepositoryFile[];
  readonly values: JsonMap;
  readonly release: { readonly name: string; readonly namespace: string };
  readonly kubeVersion: string;
}

/** One rendered object or hook. */
export interface RenderedObject {
  /** Template, from the chart's root or prefixed by the chart's name, as in Helm's `# Source:`. */
  readonly source: string;
  readonly kind: string;
  readonly name: string;
  /** The YAML document. */
  readonly content: string;
}

/** Renders a chart as Helm does, hooks included; throws a `DespError` (of @desp/chart) when it fails. */
export type RenderChart = (input: RenderInput) => readonly RenderedObject[];

/** Finds secrets in one file; never returns the secret itself. */
export type ScanSecrets = (
  path: string,
  data: Uint8Array,
) => readonly { readonly line: number; readonly rule: string; readonly description: string }[];

export interface SubjectInput {
  readonly files: readonly RepositoryEntry[];
  readonly profile: Profile;
  /** Default: those of the profile. */
  readonly environments?: readonly ProfileEnvironment[];
  readonly render: RenderChart;
  readonly scanSecrets?: ScanSecrets;
  /** Stands in names and variables; default `service`. */
  readonly service?: string;
}

/** One bundle on one environment. */
export interface Rendering {
  readonly bundle: ReadBundle;
  readonly environment: ProfileEnvironment;
  readonly target: TargetedCluster;
  readonly outcome: { readonly ok: true; readonly objects: readonly RenderedObject[] } | { readonly ok: false; readonly error: Error };
}

/** Everything that checks look at, worked out once. */
export interface Subject {
  readonly profile: Profile;
  readonly environments: readonly ProfileEnvironment[];
  readonly files: readonly RepositoryFile[];
  readonly byPath: ReadonlyMap<string, RepositoryFile>;
  readonly treeFindings: readonly Found[];
  readonly ciFile: RepositoryFile | undefined;
  readonly pipeline: PlanResult | undefined;
  readonly bundles: readonly ReadBundle[];
  readonly bundleError: DespError | undefined;
  readonly fleetWarnings: readonly FleetWarning[];
  readonly renderings: readonly Rendering[];
  readonly scanSecrets: ScanSecrets | undefined;
  /** Renders a bundle on an environment again, with other values. */
  render(rendering: Rendering, values: JsonMap): Rendering['outcome'];
}

const ciPath = '.gitlab-ci.yml';
const zeroCommit = '0'.repeat(40);

/** Reads the tree, plans the CI file, reads and targets the bundles, and renders each for every environment. */
export async function prepareSubject(input: SubjectInput): Promise<Subject> {
  const { profile, render } = input;
  const environments = input.environments ?? profile.environments;
  const { files, found } = readTree(input.files);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const ciFile = byPath.get(ciPath);
  const service = input.service ?? 'service';
  const pipeline = ciFile && (await planCiFile(ciFile, profile, environments, byPath, service));
  const { bundles, warnings, error } = readAllBundles(files, service);
  const renderOne = (bundle: ReadBundle, target: TargetedCluster, values: JsonMap): Rendering['outcome'] => {
    const { helm, namespace, defaultNamespace } = target.spec.options;
    try {
      const objects = render({
        files: chartFiles(bundle.bundle.spec.resources, helm),
        values,
        release: { name: helm?.releaseName ?? bundle.bundle.metadata.name, namespace: namespace ?? defaultNamespace ?? 'default' },
        kubeVersion: profile.kubernetesVersion,
      });
      return { ok: true, objects };
    } catch (error) {
      // Only what a chart's author can cause is a finding; our own faults are not theirs.
      if (error instanceof DespError && error.kind !== 'bug') return { ok: false, error };
      throw error;
    }
  };
  const renderings = bundles.flatMap((bundle) =>
    environments.flatMap((environment) =>
      targetBundle(bundle.bundle, [clusterOf(environment)]).map((target): Rendering => {
        return { bundle, environment, target, outcome: renderOne(bundle, target, target.spec.options.helm?.values ?? {}) };
      }),
    ),
  );
  return {
    profile,
    environments,
    files,
    byPath,
    treeFindings: found,
    ciFile,
    pipeline,
    bundles,
    bundleError: error,
    fleetWarnings: warnings,
    renderings,
    scanSecrets: input.scanSecrets,
    render: (rendering, values) => renderOne(rendering.bundle, rendering.target, values),
  };
}

/** The cluster of an environment, as Fleet sees it. */
export const clusterOf = (environment: ProfileEnvironment): Cluster => ({
  apiVersion: fleetApiVersion,
  kind: 'Cluster',
  metadata: { name: environment.name, namespace: 'fleet-default', labels: environment.clusterLabels },
});

function readAllBundles(files: readonly RepositoryFile[], service: string) {
  try {
    const options = {
      repoName: service,
      commit: zeroCommit,
      paths: ['deployment'],
      gitRepo: { targets: [{ name: 'all', clusterSelector: {} }] },
    };
    return { ...readBundles(files, options), error: undefined };
  } catch (error) {
    if (error instanceof DespError && error.kind === 'user') return { bundles: [], warnings: [], error };
    throw error;
  }
}

async function planCiFile(
  file: RepositoryFile,
  profile: Profile,
  environments: readonly ProfileEnvironment[],
  byPath: ReadonlyMap<string, RepositoryFile>,
  service: string,
): Promise<PlanResult> {
  const templates = new Map(templateFiles({ templateFiles: profile.templates.files, environments }).map(({ path, text }) => [path, text]));
  const context: PipelineContext = {
    project: { path: `DESP/${service.toUpperCase()}/${service}` },
    commit: zeroCommit,
    branch: 'main',
    defaultBranch: 'main',
    source: 'push',
    variables: { DEVSECOPS_TEMPLATES_REPOSITORY: profile.templates.project, DEVSECOPS_TEMPLATES_REF: profile.templates.ref },
  };
  const ci = { path: file.path, text: new TextDecoder().decode(file.data) };
  const resolved = await resolveIncludes(ci, context, async ({ project, file: path }) => {
    const own = byPath.get(path);
    const text =
      project === undefined
        ? own && new TextDecoder().decode(own.data)
        : project === profile.templates.project
          ? templates.get(path)
          : undefined;
    return text === undefined ? undefined : { text, commit: zeroCommit };
  });
  return resolved.ok ? planPipeline({ file: ci, includes: resolved.includes, ...context }) : resolved;
}
