import { readValues, toObject } from '@desp/chart';
import { type BundleResource, chartFiles, type DeploymentOptions } from '@desp/fleet';
import type { KubeClient, KubeObject } from '@desp/kube';
import { Digest } from '@desp/model';
import { hashManifests, type Manifest, pinImages } from '@desp/release';
import { z } from 'zod';
import { ControllerError } from '../../controller-error.ts';
import type { RenderedDeployment, Renderer } from '../render-deployment.ts';
import { carried, type StoredBundleDeployment } from '../resources.ts';
import { type Capabilities, describeObject, locate } from './downstream.ts';
import { markHook, markObject, type SetOwner } from './marks.ts';
import type { Release } from './release.ts';
import { resolveValuesFrom } from './values-from.ts';

export interface PrepareRequest {
  readonly deployment: StoredBundleDeployment;
  readonly resources: readonly BundleResource[];
  readonly capabilities: Capabilities;
  readonly render: Renderer;
  readonly agentNamespace: string;
  readonly version: number;
  readonly isUpgrade: boolean;
  readonly firstDeployed: string | undefined;
  readonly now: Date;
}

const Pins = z.record(z.string(), Digest);

/**
 * A deployment as a release that is about to begin: rendered, pinned, confined, marked, every kind known to the cluster. Nothing is
 * written yet, so whatever is wrong with a chart is found before anything changes.
 *
 * @throws ControllerError, ReleaseError IMAGE_UNCOVERED, KubeError UnknownKind, and what `render` throws
 */
export async function prepareRelease(client: KubeClient, request: PrepareRequest): Promise<Release> {
  const { deployment, resources } = request;
  const bundle = deployment.metadata.name;
  const service = serviceOf(deployment);
  refuseOptions(deployment.spec.options, service);
  const namespace = deployment.spec.options.namespace ?? deployment.spec.options.defaultNamespace ?? 'default';
  const options = await resolveValuesFrom(client, deployment.spec.options, { namespace, confinedTo: service });
  const rendered = await request.render({
    bundle,
    resources,
    options,
    ...request.capabilities,
    revision: request.version,
    isUpgrade: request.isUpgrade,
  });
  const { objects, hooks, crds } = pin(rendered, deployment);
  // Before the marks: the release record hashes the same, without knowing the cluster.
  const manifests = await hashManifests([...objects, ...hooks.map((hook) => hook.object)] as unknown as Manifest[]);
  const everything = await locate(client, [...objects, ...hooks.map((hook) => hook.object), ...crds]);
  confine(
    everything.map(({ object }) => object),
    service,
  );
  const located = new Map(
    [...objects, ...hooks.map((hook) => hook.object), ...crds].map((object, index) => [object, everything[index]!.object]),
  );
  const owner: SetOwner = { bundle, agentNamespace: request.agentNamespace };
  const name = { name: rendered.releaseName, namespace: rendered.namespace };
  const at = request.now.toISOString();
  return {
    ...name,
    version: request.version,
    status: request.isUpgrade ? 'pending-upgrade' : 'pending-install',
    description: request.isUpgrade ? 'Preparing upgrade' : 'Initial install underway',
    firstDeployed: request.firstDeployed ?? at,
    lastDeployed: at,
    notes: rendered.notes,
    objects: objects.map((object) => markObject(keepCrd(located.get(object)!, options), owner, name)),
    crds: crds.map((crd) => located.get(crd)!),
    hooks: hooks.map((hook) => ({
      name: hook.object.metadata.name,
      kind: hook.object.kind,
      path: hook.source,
      object: markHook(located.get(hook.object)!, owner),
      events: hook.events,
      weight: hook.weight,
      deletePolicies: hook.deletePolicies,
    })),
    chart: chartOf(resources, options, request),
    config: options.helm?.values ?? {},
    bundleDeployment: bundle,
    deploymentId: deployment.spec.deploymentID,
    hookRuns: {},
    rendered: {
      manifests,
      operation: request.isUpgrade ? 'upgrade' : 'install',
      revision: request.version,
      kubeVersion: request.capabilities.kubeVersion,
    },
  };
}

/** The service whose deployment it is; it must stay in the namespace of that name. */
export const serviceOf = (deployment: StoredBundleDeployment): string | undefined =>
  deployment.metadata.labels?.[carried.service] ?? deployment.metadata.annotations?.[carried.service];

function refuseOptions(options: DeploymentOptions, service: string | undefined): void {
  const refused: [boolean | undefined, string][] = [
    [options.serviceAccount !== undefined && options.serviceAccount !== '', 'serviceAccount'],
    [options.helm?.atomic, 'helm.atomic'],
    [options.helm?.force, 'helm.force'],
    [
      service !== undefined && (options.namespaceLabels ?? options.namespaceAnnotations) !== undefined,
      'namespaceLabels and namespaceAnnotations of a service',
    ],
    [service !== undefined && options.deleteNamespace, 'deleteNamespace of a service'],
  ];
  const found = refused.find(([isSet]) => isSet);
  if (found)
    throw new ControllerError('NOT_SUPPORTED', `fleet.yaml sets ${found[1]}, which this platform does not act upon.`, {
      kind: 'user',
      cure: 'Remove it.',
    });
}

/** Every image by the digest that was judged, in hooks too. */
function pin(rendered: RenderedDeployment, deployment: StoredBundleDeployment): Pick<RenderedDeployment, 'objects' | 'hooks' | 'crds'> {
  const text = deployment.metadata.annotations?.[carried.pins];
  const isOfPlatform = serviceOf(deployment) !== undefined;
  if (text === undefined && !isOfPlatform) return rendered;
  const pins = Pins.safeParse(parseJson(text ?? '{}'));
  if (!pins.success)
    throw new ControllerError('INVALID', `The annotation ${carried.pins} of the deployment is no map of images to digests.`, {
      kind: 'bug',
    });
  const all = [...rendered.objects, ...rendered.hooks.map((hook) => hook.object)];
  const { manifests } = pinImages(all as unknown as Manifest[], new Map(Object.entries(pins.data)));
  const pinned = manifests as unknown as KubeObject[];
  const count = rendered.objects.length;
  return {
    objects: pinned.slice(0, count),
    hooks: rendered.hooks.map((hook, index) => ({ ...hook, object: pinned[count + index]! })),
    crds: rendered.crds,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A service's chart makes objects in the service's namespace and nowhere else (DESP-DEV-001). */
function confine(objects: readonly KubeObject[], service: string | undefined): void {
  if (service === undefined) return;
  const outside = objects.filter((object) => object.metadata.namespace !== service);
  if (outside.length === 0) return;
  throw new ControllerError(
    'NOT_ALLOWED',
    `${outside.slice(0, 5).map(describeObject).join(', ')}${outside.length > 5 ? ', …' : ''}: a service makes objects in its own namespace ${service} only (DESP-DEV-001).`,
    { kind: 'user', cure: `Set defaultNamespace: ${service} in fleet.yaml, and leave objects of the whole cluster to the operator.` },
  );
}

/** `deleteCRDResources: false`, the default: CRDs among the templates outlive the release. */
function keepCrd(object: KubeObject, options: DeploymentOptions): KubeObject {
  if (object.kind !== 'CustomResourceDefinition' || options.deleteCRDResources) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'helm.sh/resource-policy': 'keep' } },
  };
}

/** The chart as Helm stores it in a release, with Fleet's annotations. */
function chartOf(
  resources: readonly BundleResource[],
  options: DeploymentOptions,
  { deployment, agentNamespace }: PrepareRequest,
): unknown {
  const files = chartFiles(resources, options.helm);
  const text = (path: string): string => new TextDecoder().decode(files.find((file) => file.path === path)?.data);
  const metadata = toObject(readValues(text('Chart.yaml'), false));
  const encode = (path: string, data: Uint8Array) => ({ name: path, data: Buffer.from(data).toString('base64') });
  const isMeta = (path: string) => ['Chart.yaml', 'Chart.lock', 'values.yaml', 'values.schema.json'].includes(path);
  const schema = files.find((file) => file.path === 'values.schema.json')?.data;
  const annotations = {
    ...(metadata['annotations'] as Record<string, string> | undefined),
    'fleet.cattle.io/bundle-id': deployment.metadata.name,
    'fleet.cattle.io/agent-namespace': agentNamespace,
    'fleet.cattle.io/keep-resources': String(options.keepResources ?? false),
    'fleet.cattle.io/service-account': options.serviceAccount ?? '',
    ...(deployment.metadata.labels?.['fleet.cattle.io/commit']
      ? { 'fleet.cattle.io/commit': deployment.metadata.labels['fleet.cattle.io/commit'] }
      : {}),
  };
  return {
    metadata: { ...metadata, annotations },
    lock: null,
    templates: files.filter((file) => file.path.startsWith('templates/')).map((file) => encode(file.path, file.data)),
    values: toObject(readValues(text('values.yaml'), false)),
    schema: schema ? Buffer.from(schema).toString('base64') : null,
    files: files.filter((file) => !file.path.startsWith('templates/') && !isMeta(file.path)).map((file) => encode(file.path, file.data)),
  };
}
