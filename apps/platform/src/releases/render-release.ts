import { type Capabilities, nextRevision, type ReleaseRevision, type RenderedDeployment, renderDeployment } from '@desp/controllers';
import { type Cluster, type RepositoryFile, readBundles, releaseNameOf, targetBundle } from '@desp/fleet';
import type { Digest } from '@desp/model';
import { hashManifests, listObjects, pinImages, type RenderInputs } from '@desp/release';
import { PlatformError } from '../platform-error.ts';

/** One chart of a release as it will stand in an environment: rendered, confined to the service's namespace, images pinned. */
export interface RenderedRelease {
  readonly bundle: string;
  readonly path: string;
  readonly rendered: RenderedDeployment;
  /** With what it was rendered: the digest holds for that. */
  readonly inputs: RenderInputs;
  readonly digest: Digest;
  readonly objects: ReturnType<typeof listObjects>;
  readonly images: readonly { name: string; digest: Digest }[];
}

export const deploymentPaths = ['deployment'];
export const fleetNamespace = 'fleet-default';

/** Plain data only: it travels to a thread of its own. */
export interface RenderRequest {
  readonly files: readonly RepositoryFile[];
  readonly service: string;
  readonly commit: string;
  readonly environment: { readonly name: string; readonly clusterLabels: Readonly<Record<string, string>> };
  /** Of the environment's cluster, for its Fleet agent renders with the same. */
  readonly capabilities: Capabilities;
  /** What is installed there: whether it is an installation or an upgrade, and which revision, shows in templates. */
  readonly revisions: readonly ReleaseRevision[];
  /** The digest of every image that was released, by the names that charts may call it. */
  readonly images: ReadonlyMap<string, Digest>;
}

/** Renders every bundle of the commit for one environment as its Fleet agent will. */
export async function renderRelease({
  files,
  service,
  commit,
  environment: config,
  capabilities,
  revisions,
  images,
}: RenderRequest): Promise<RenderedRelease[]> {
  const cluster: Cluster = {
    apiVersion: 'fleet.cattle.io/v1alpha1',
    kind: 'Cluster',
    metadata: { name: config.name, namespace: fleetNamespace, labels: config.clusterLabels },
  };
  const { bundles } = readBundles(files, {
    repoName: gitRepoName(service, config.name),
    commit,
    paths: deploymentPaths,
    gitRepo: { targets: gitRepoTargets(config.clusterLabels) },
  });
  const releases: RenderedRelease[] = [];
  for (const { bundle, path } of bundles) {
    for (const target of targetBundle(bundle, [cluster])) {
      const { options } = target.spec;
      const next = nextRevision(revisions, options.helm?.releaseName ?? releaseNameOf(bundle.metadata.name));
      const rendered = renderDeployment({
        bundle: bundle.metadata.name,
        resources: bundle.spec.resources,
        options,
        ...capabilities,
        ...next,
      });
      const all = [...rendered.objects, ...rendered.hooks.map((hook) => hook.object)];
      for (const object of [...all, ...rendered.crds]) {
        if (object.metadata.namespace === service) continue;
        throw new PlatformError(
          'NOT_ALLOWED',
          `The chart in ${path} makes ${object.kind} ${object.metadata.name} ${object.metadata.namespace ? `in the namespace ${object.metadata.namespace}` : 'for the whole cluster'}; a service stays in its own namespace ${service} (DESP-DEV-001).`,
          {
            kind: 'user',
            cure: `Set defaultNamespace: ${service} in fleet.yaml, and leave objects of the whole cluster to the operator.`,
          },
        );
      }
      const pinned = pinImages(all as never, images);
      releases.push({
        bundle: bundle.metadata.name,
        path,
        rendered,
        inputs: {
          release: rendered.releaseName,
          operation: next.isUpgrade ? 'upgrade' : 'install',
          revision: next.revision,
          kubeVersion: capabilities.kubeVersion,
        },
        digest: await hashManifests(pinned.manifests),
        objects: listObjects(pinned.manifests),
        images: pinned.images,
      });
    }
  }
  if (releases.length === 0) {
    const labels = Object.entries(config.clusterLabels)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', ');
    throw new PlatformError('INVALID', `Nothing in deployment/ goes to a cluster labelled ${labels}.`, {
      kind: 'user',
      cure: 'Add a fleet.yaml with a target customization whose clusterSelector matches it.',
    });
  }
  return releases;
}

export const gitRepoName = (service: string, environment: string): string => `${service}-${environment}`;
export const gitRepoTargets = (labels: Readonly<Record<string, string>>) => [
  { name: 'environment', clusterSelector: { matchLabels: labels } },
];
