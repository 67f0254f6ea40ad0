import { compareInstallOrder } from '@desp/chart';
import { isKubeError, type KubeClient, type KubeObject, namespaceType } from '@desp/kube';
import { ControllerError } from '../../controller-error.ts';
import { identityOf, locate } from './downstream.ts';
import { isKept, isOfSet, isOwned, ownershipProblems, type ReleaseName, type SetOwner } from './marks.ts';
import type { Release } from './release.ts';

const fieldManager = 'fleet';

/** What must be so before a release may begin. @throws ControllerError NOT_ALLOWED in Helm's words */
export async function demandOwnership(client: KubeClient, release: Release, owner: SetOwner): Promise<void> {
  for (const { object, type } of await locate(client, release.objects)) {
    const live = await client.get(type, object.metadata.name, object.metadata.namespace);
    if (!live || isOwned(live, release) || isOfSet(live, owner)) continue;
    const problems = ownershipProblems(live, release);
    throw new ControllerError(
      'NOT_ALLOWED',
      `Unable to continue with install: ${describeExisting(live)} exists and cannot be imported into the current release: invalid ownership metadata; ${problems}`,
      { kind: 'user', cure: 'Delete or rename it, or set helm.takeOwnership in fleet.yaml.' },
    );
  }
}

const describeExisting = ({ kind, metadata }: KubeObject): string =>
  `${kind} "${metadata.name}" in namespace "${metadata.namespace ?? ''}"`;

/** Applies the release's objects in install order. Idempotent. @throws KubeError of the first object that the API refuses */
export async function applyObjects(client: KubeClient, release: Release, isFirst: boolean): Promise<void> {
  const crds = isFirst ? release.crds : [];
  for (const { object, type } of [...(await locate(client, crds)), ...(await locate(client, release.objects))]) {
    await client.patch(type, object.metadata.name, object.metadata.namespace, object, { kind: 'apply', fieldManager, force: true });
  }
}

/**
 * Deletes what `former` releases made and `wanted` does not name any more, in reverse order. What is marked to be kept and what
 * belongs to somebody else by now stays.
 */
export async function pruneObjects(
  client: KubeClient,
  former: readonly Release[],
  wanted: Pick<Release, 'objects'> & ReleaseName,
): Promise<void> {
  const kept = new Set(wanted.objects.map(identityOf));
  const gone = new Map(former.flatMap((release) => release.objects.map((object) => [identityOf(object), object] as const)));
  for (const identity of kept) gone.delete(identity);
  await deleteObjects(client, [...gone.values()], wanted);
}

/** Deletes the release's objects that are still its own. @returns those that are there still (with finalizers, say) */
export async function deleteObjects(client: KubeClient, objects: readonly KubeObject[], release: ReleaseName): Promise<KubeObject[]> {
  const left: KubeObject[] = [];
  const reversed = objects.toSorted((a, b) => compareInstallOrder(b.kind, a.kind));
  for (const object of reversed) {
    const type = await client.resolve(object.apiVersion, object.kind);
    // A kind that is no longer served has no objects.
    if (!type) continue;
    const live = await client.get(type, object.metadata.name, object.metadata.namespace);
    if (!live || !isOwned(live, release) || isKept(live) || isKept(object)) continue;
    if (!live.metadata.deletionTimestamp) {
      await client.delete(
        type,
        live.metadata.name,
        live.metadata.namespace,
        live.metadata.uid === undefined ? {} : { uid: live.metadata.uid },
      );
    }
    left.push(object);
  }
  return left;
}

/** The release's namespace, with the labels that Fleet gives one that it makes. One that is there is left as it is. */
export async function ensureNamespace(client: KubeClient, name: string, create: boolean): Promise<void> {
  const live = await client.get(namespaceType, name);
  if (live?.metadata.deletionTimestamp) {
    throw new ControllerError('UPSTREAM', `The namespace ${name} is being deleted.`, { kind: 'upstream', retryable: true });
  }
  if (live) return;
  if (!create)
    throw new ControllerError('INVALID', `There is no namespace ${name}, and fleet.yaml says createNamespace: false.`, {
      kind: 'user',
      cure: 'Create it.',
    });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name, name } } };
  await client.create(namespaceType, namespace as never, { fieldManager }).catch((error) => {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  });
}

/** `namespaceLabels` and `namespaceAnnotations` of fleet.yaml: each replaces the whole set, but for what guards the namespace. */
export async function decorateNamespace(
  client: KubeClient,
  name: string,
  wanted: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> },
): Promise<void> {
  if (!wanted.labels && !wanted.annotations) return;
  const live = await client.get(namespaceType, name);
  if (!live) return;
  const isGuard = (key: string): boolean =>
    key === 'kubernetes.io/metadata.name' || key.startsWith('pod-security.kubernetes.io/') || key.startsWith('desp.space/');
  const replaced = (before: Record<string, string> | undefined, after: Readonly<Record<string, string>> | undefined) =>
    after === undefined
      ? before
      : Object.fromEntries([
          ...Object.entries(after).filter(([key]) => !isGuard(key)),
          ...Object.entries(before ?? {}).filter(([key]) => isGuard(key)),
        ]);
  await client.replace(namespaceType, {
    ...live,
    metadata: {
      ...live.metadata,
      labels: replaced(live.metadata.labels, wanted.labels),
      annotations: replaced(live.metadata.annotations, wanted.annotations),
    },
  });
}
