import { createHash } from 'node:crypto';
import type { KubeObject } from '@desp/kube';

/** The marks that Fleet and Helm leave on what they deploy. Source: recorded §2 (label and annotation of the set, Helm's three). */
export const setLabel = 'objectset.rio.cattle.io/hash';
const setAnnotation = 'objectset.rio.cattle.io/id';
const managedBy = 'app.kubernetes.io/managed-by';
const releaseName = 'meta.helm.sh/release-name';
const releaseNamespace = 'meta.helm.sh/release-namespace';
/** Ours: which run of which release a hook's object belongs to. */
export const hookRunAnnotation = 'desp.space/hook-run';

export interface SetOwner {
  readonly bundle: string;
  readonly agentNamespace: string;
}

export interface ReleaseName {
  readonly name: string;
  readonly namespace: string;
}

/** `default-BUNDLE-AGENT_NAMESPACE`, at most 63 characters (Rancher's SafeConcat: 57, a dash, five digits of SHA-256). */
export function setId({ bundle, agentNamespace }: SetOwner): string {
  const id = `default-${bundle}-${agentNamespace}`;
  if (id.length <= 63) return id;
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 5);
  const head = id.slice(0, id[56] === '-' ? 56 : 57);
  return `${head}-${digest}`;
}

export const setHash = (owner: SetOwner): string => createHash('sha1').update(setId(owner)).digest('hex');

export function markHook(object: KubeObject, owner: SetOwner): KubeObject {
  const { labels, annotations, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...labels, [setLabel]: setHash(owner) },
      annotations: { ...annotations, [setAnnotation]: setId(owner) },
    },
  };
}

export function markObject(object: KubeObject, owner: SetOwner, release: ReleaseName): KubeObject {
  const marked = markHook(object, owner);
  const { labels, annotations } = marked.metadata;
  return {
    ...marked,
    metadata: {
      ...marked.metadata,
      labels: { ...labels, [managedBy]: 'Helm' },
      annotations: { ...annotations, [releaseName]: release.name, [releaseNamespace]: release.namespace },
    },
  };
}

/** Whether the live object is the release's own. */
export function isOwned({ metadata: { labels, annotations } }: KubeObject, release: ReleaseName): boolean {
  return (
    labels?.[managedBy] === 'Helm' && annotations?.[releaseName] === release.name && annotations?.[releaseNamespace] === release.namespace
  );
}

/** Whether it came from the same bundle, perhaps under another release name. */
export const isOfSet = (object: KubeObject, owner: SetOwner): boolean => object.metadata.annotations?.[setAnnotation] === setId(owner);

/** Why Helm does not take the object over, in its words. */
export function ownershipProblems({ metadata: { labels, annotations } }: KubeObject, release: ReleaseName): string {
  const wanted: [string, string, string, string | undefined][] = [
    ['label', managedBy, 'Helm', labels?.[managedBy]],
    ['annotation', releaseName, release.name, annotations?.[releaseName]],
    ['annotation', releaseNamespace, release.namespace, annotations?.[releaseNamespace]],
  ];
  return wanted
    .filter(([, , value, found]) => value !== found)
    .map(([where, key, value, found]) =>
      found === undefined
        ? `${where} validation error: missing key "${key}": must be set to "${value}"`
        : `${where} validation error: key "${key}" must equal "${value}": current value is "${found}"`,
    )
    .join('; ');
}

export const isKept = (object: KubeObject): boolean =>
  object.metadata.annotations?.['helm.sh/resource-policy']?.trim().toLowerCase() === 'keep';
