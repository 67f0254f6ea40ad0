import {
  type ChartFile,
  compareInstallOrder,
  fromObject,
  type HookEvent,
  loadChart,
  type RenderedManifest,
  readValues,
  render,
  toObject,
} from '@desp/chart';
import { nodeCrypto } from '@desp/chart/node';
import { type BundleResource, chartFiles, type DeploymentOptions, releaseNameOf } from '@desp/fleet';
import type { KubeObject } from '@desp/kube';
import { messageOf } from '@desp/runtime';
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
  /** The release's revision: 1 for the first. */
  readonly revision?: number;
  /** A release of this name was deployed before. Default: revision above 1. */
  readonly isUpgrade?: boolean;
}

export interface RenderedDeployment {
  readonly releaseName: string;
  readonly namespace: string;
  readonly chart: { readonly name: string; readonly version: string };
  /** In install order, each with its namespace filled in where it has one. */
  readonly objects: readonly KubeObject[];
  /** In install order of kinds; those of one event run by weight, then in this order. */
  readonly hooks: readonly RenderedDeploymentHook[];
  /** Of the chart's folder crds/: applied at the first installation only, as in Helm. */
  readonly crds: readonly KubeObject[];
  readonly notes: string;
}

export interface RenderedDeploymentHook {
  readonly object: KubeObject;
  readonly events: readonly HookEvent[];
  readonly weight: number;
  readonly deletePolicies: readonly string[];
  /** Path of the template. */
  readonly source: string;
}

/** Renders as `renderDeployment` does, wherever: a server does not let a stranger's chart hold its own thread. */
export type Renderer = (input: RenderInput) => Promise<RenderedDeployment>;

/** Kinds without namespace that Kubernetes has of itself; the agent asks its cluster about all others. */
const clusterScoped = new Set([
  'APIService',
  'CertificateSigningRequest',
  'ClusterIssuer',
  'ClusterRole',
  'ClusterRoleBinding',
  'ClusterSecretStore',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'IngressClass',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);
const documentBytes = 3 * 1024 * 1024;
const nestedLists = 5;

/** @throws ControllerError RENDER_FAILED with Helm's words, NOT_SUPPORTED for what is no local chart */
export function renderDeployment(input: RenderInput): RenderedDeployment {
  const { options } = input;
  const namespace = options.namespace ?? options.defaultNamespace ?? 'default';
  const releaseName = options.helm?.releaseName ?? releaseNameOf(input.bundle);
  const files = localChart(input);
  try {
    const chart = loadChart(files);
    const revision = input.revision ?? 1;
    const isUpgrade = input.isUpgrade ?? revision > 1;
    const result = render(chart, {
      crypto: nodeCrypto,
      release: { name: releaseName, namespace, revision, isUpgrade, isInstall: !isUpgrade },
      values: fromObject(options.helm?.values ?? {}),
      profile: 'helm3',
      kubeVersion: input.kubeVersion,
      includeCrds: true,
      skipSchemaValidation: options.helm?.skipSchemaValidation ?? false,
      ...(input.apiVersions ? { apiVersions: input.apiVersions } : {}),
    });
    const objectsOf = (manifest: Pick<RenderedManifest, 'content' | 'source'>): KubeObject[] =>
      parseObjects(manifest.content, manifest.source).map((object) => inNamespace(object, namespace, options.namespace !== undefined));
    return {
      releaseName,
      namespace,
      chart: { name: chart.metadata.name, version: chart.metadata.version },
      objects: result.manifests.flatMap(objectsOf).sort((a, b) => compareInstallOrder(a.kind, b.kind)),
      hooks: result.hooks.flatMap((hook) => {
        const { events, weight, deletePolicies, source } = hook;
        return objectsOf(hook).map((object) => ({ object, events, weight, deletePolicies, source }));
      }),
      crds: result.crds.flatMap(({ content, source }) =>
        splitDocuments(content).flatMap((document) => objectsOf({ content: document, source })),
      ),
      notes: result.notes,
    };
  } catch (cause) {
    if (cause instanceof ControllerError) throw cause;
    throw new ControllerError('RENDER_FAILED', `The chart of ${input.bundle} does not render: ${messageOf(cause)}`, {
      kind: 'user',
      cure: 'desp check shows it on your own machine.',
      cause,
    });
  }
}

function localChart({ bundle, options, resources }: RenderInput): ChartFile[] {
  const remote = options.helm?.repo ?? options.helm?.chart;
  if (options.helm?.repo || (remote && /:\/\//.test(remote))) {
    throw new ControllerError(
      'NOT_SUPPORTED',
      `The bundle ${bundle} takes its chart from ${remote}, and only charts in the repository are deployed here.`,
      {
        kind: 'user',
        cure: 'Put the chart into the repository.',
      },
    );
  }
  const files = chartFiles(resources, options.helm).map(({ path, data }) => ({ name: path, data }));
  if (!files.some((file) => file.name === 'Chart.yaml')) {
    throw new ControllerError(
      'NOT_SUPPORTED',
      `The bundle ${bundle} holds no Chart.yaml, and only Helm charts are deployed here (DESP-DEV-009).`,
      {
        kind: 'user',
        cure: 'Make it a chart.',
      },
    );
  }
  return files;
}

/** `forced`: whatever the object says (`namespace` of fleet.yaml, which allows no object without one). */
function inNamespace(object: KubeObject, namespace: string, forced: boolean): KubeObject {
  if (clusterScoped.has(object.kind)) {
    if (!forced) return object;
    throw new ControllerError(
      'RENDER_FAILED',
      `${object.kind} ${object.metadata.name} belongs to no namespace, and fleet.yaml forces all into ${namespace}.`,
      {
        kind: 'user',
        cure: 'Set defaultNamespace instead of namespace.',
      },
    );
  }
  return object.metadata.namespace && !forced ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

const splitDocuments = (text: string): string[] => text.split(/^---[ \t]*$/m).filter((document) => document.trim() !== '');

/** The objects of one document, read as Helm reads it; a List is its items. */
function parseObjects(text: string, source: string): KubeObject[] {
  if (text.length > documentBytes) throw new ControllerError('RENDER_FAILED', `${source} renders to more than 3 MiB.`, { kind: 'user' });
  // Through JSON, so that no map of the template engine and no foreign prototype goes on from here.
  const value: unknown = JSON.parse(JSON.stringify(toObject(readValues(text, false))));
  return flatten(value, source, 0);
}

function flatten(value: unknown, source: string, depth: number): KubeObject[] {
  const object = value as KubeObject & { items?: unknown[] };
  if (Object.keys(object).length === 0) return [];
  if (object.kind?.endsWith?.('List') && Array.isArray(object.items) && depth < nestedLists)
    return object.items.flatMap((item) => flatten(item, source, depth + 1));
  const { apiVersion, kind, metadata } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof metadata?.name !== 'string' || metadata.name === '') {
    throw new ControllerError('RENDER_FAILED', `${source} renders to something without apiVersion, kind or metadata.name.`, {
      kind: 'user',
      cure: 'Correct the template.',
    });
  }
  return [object];
}
