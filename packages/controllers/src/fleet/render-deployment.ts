import { fromObject, type HookEvent, loadChart, render } from '@desp/chart';
import { nodeCrypto } from '@desp/chart/node';
import { type BundleResource, chartFiles, type DeploymentOptions, releaseNameOf } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { messageOf } from '@desp/runtime';
import { parseAllDocuments } from 'yaml';
import { ControllerError } from '../controller-error.ts';

/**
 * What a bundle's resources and a deployment's options render to. One function for all who need to know: the release record
 * hashes what the agent will apply. Pure.
 */
export interface RenderInput {
  readonly bundle: string;
  readonly resources: readonly BundleResource[];
  readonly options: DeploymentOptions;
  /** Of the target cluster, as `1.31.0`. */
  readonly kubeVersion: string;
  readonly apiVersions?: readonly string[];
  /** The release's revision: 1 for an install. */
  readonly revision?: number;
}

export interface RenderedDeployment {
  readonly releaseName: string;
  readonly namespace: string;
  readonly chart: { readonly name: string; readonly version: string };
  /** In install order, each with its namespace filled in where it has one. */
  readonly objects: readonly KubeObject[];
  readonly hooks: readonly RenderedDeploymentHook[];
}

export interface RenderedDeploymentHook {
  readonly object: KubeObject;
  readonly events: readonly HookEvent[];
  readonly weight: number;
  readonly deletePolicies: readonly string[];
}

const clusterScoped = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition', 'PersistentVolume', 'StorageClass', 'IngressClass', 'PriorityClass', 'ClusterIssuer', 'ClusterSecretStore']);
const documentBytes = 3 * 1024 * 1024;

/** @throws ControllerError RENDER_FAILED with Helm's words, NOT_SUPPORTED for what is no local chart */
export function renderDeployment(input: RenderInput): RenderedDeployment {
  const { options, resources } = input;
  if (options.helm?.repo || (options.helm?.chart && /:\/\//.test(options.helm.chart))) {
    throw new ControllerError('NOT_SUPPORTED', `The bundle ${input.bundle} takes its chart from ${options.helm.repo ?? options.helm.chart}, and only charts in the repository are deployed here.`, {
      kind: 'user',
      cure: 'Put the chart into the repository.',
    });
  }
  const namespace = options.namespace ?? options.defaultNamespace ?? 'default';
  const releaseName = options.helm?.releaseName ?? releaseNameOf(input.bundle);
  const files = chartFiles(resources, options.helm).map(({ path, data }) => ({ name: path, data }));
  if (!files.some((file) => file.name === 'Chart.yaml')) {
    throw new ControllerError('NOT_SUPPORTED', `The bundle ${input.bundle} holds no Chart.yaml, and only Helm charts are deployed here (DESP-DEV-009).`, { kind: 'user', cure: 'Make it a chart.' });
  }
  try {
    const chart = loadChart(files);
    const revision = input.revision ?? 1;
    const result = render(chart, {
      release: { name: releaseName, namespace, revision, isUpgrade: revision > 1, isInstall: revision === 1 },
      values: fromObject(options.helm?.values ?? {}),
      crypto: nodeCrypto,
      profile: 'helm3',
      kubeVersion: input.kubeVersion,
      ...(input.apiVersions ? { apiVersions: input.apiVersions } : {}),
    });
    const scoped = (object: KubeObject): KubeObject =>
      clusterScoped.has(object.kind) || (object.metadata.namespace && !options.namespace) ? object : { ...object, metadata: { ...object.metadata, namespace } };
    return {
      releaseName,
      namespace,
      chart: { name: chart.metadata.name, version: chart.metadata.version },
      objects: result.manifests.flatMap((manifest) => parseObjects(manifest.content, manifest.source)).map(scoped),
      hooks: result.hooks.flatMap((hook) =>
        parseObjects(hook.content, hook.source).map((object) => ({ object: scoped(object), events: hook.events, weight: hook.weight, deletePolicies: hook.deletePolicies })),
      ),
    };
  } catch (cause) {
    if (cause instanceof ControllerError) throw cause;
    throw new ControllerError('RENDER_FAILED', `The chart of ${input.bundle} does not render: ${messageOf(cause)}`, { kind: 'user', cure: 'desp check shows it on your own machine.', cause });
  }
}

function parseObjects(text: string, source: string): KubeObject[] {
  if (text.length > documentBytes) throw new ControllerError('RENDER_FAILED', `${source} renders to more than 3 MiB.`, { kind: 'user' });
  return parseAllDocuments(text, { maxAliasCount: 100, version: '1.1' } as never).flatMap((document) => {
    const error = 'errors' in document ? document.errors[0] : undefined;
    if (error) throw new ControllerError('RENDER_FAILED', `${source} renders to broken YAML: ${error.message}`, { kind: 'user' });
    const object = 'toJS' in document ? (document.toJS({ maxAliasCount: 100 }) as KubeObject | null) : null;
    if (!object) return [];
    if (typeof object !== 'object' || !object.apiVersion || !object.kind || !object.metadata?.name) {
      throw new ControllerError('RENDER_FAILED', `${source} renders to something without apiVersion, kind or metadata.name.`, { kind: 'user' });
    }
    return [object];
  });
}
