import { controllerReference, type KubeObject, keyOf, type ObjectMeta, type OwnerReference, type Secret } from '@desp/kube';
import { ControllerError } from '../controller-error.ts';
import { createdByHash, dataHash } from './object-hash.ts';
import { createdByLabel, dataHashAnnotation, managedLabel, type ProfileFacts } from './profile.ts';
import type { ExternalSecretSpec } from './schema.ts';

/** Types whose Secrets would give rights in the cluster to whoever writes the store. */
const refusedTypes = new Set(['bootstrap.kubernetes.io/token', 'kubernetes.io/service-account-token']);

export interface SecretPlan {
  /** What the whole Secret is to be; of `Merge`, our part of it. */
  readonly secret: Secret;
  readonly hash: string;
}

/**
 * The Secret that fetched data become. Pure.
 *
 * Without a template, labels and annotations of the ExternalSecret are copied (that is where the procedure's sample has
 * its Helm labels from); any template stops that. Source: reference, section 1.
 *
 * @param live the Secret as it is now, if any
 * @throws ControllerError CONFLICT when another ExternalSecret owns it, INVALID for a type that we refuse
 */
export function planSecret(
  owner: KubeObject,
  spec: ExternalSecretSpec,
  data: ReadonlyMap<string, Uint8Array>,
  live: Secret | undefined,
  facts: ProfileFacts,
): SecretPlan {
  const { target } = spec;
  const { template } = target;
  const type = template?.type ?? live?.type ?? 'Opaque';
  if (refusedTypes.has(type)) {
    throw new ControllerError('INVALID', `a Secret of type ${type} is never made from a store`, {
      kind: 'user',
      cure: 'Use another type.',
    });
  }
  const merging = target.creationPolicy === 'Merge';
  const encoded = Object.fromEntries([...data].map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  const whole = merging ? new Map([...decoded(live), ...data]) : data;
  const hash = dataHash(whole, facts.hash);
  const source: Pick<ObjectMeta, 'labels' | 'annotations'> = template === undefined ? owner.metadata : (template.metadata ?? {});
  const labels = {
    ...(merging ? {} : live?.metadata.labels),
    ...source.labels,
    ...(facts.marks ? marks(owner, target.creationPolicy) : {}),
  };
  const annotations = { ...(merging ? {} : live?.metadata.annotations), ...source.annotations, [dataHashAnnotation]: hash };
  const metadata: ObjectMeta = {
    ...(merging || live === undefined ? {} : live.metadata),
    name: target.name ?? owner.metadata.name,
    namespace: owner.metadata.namespace ?? '',
    annotations,
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  };
  const owners = ownersOf(owner, target.creationPolicy, live);
  if (owners.length > 0 && !merging) metadata.ownerReferences = owners;
  else delete metadata.ownerReferences;
  const immutable = target.immutable ? { immutable: true } : facts.writesImmutable ? { immutable: false } : {};
  const base = { apiVersion: 'v1', kind: 'Secret', metadata, data: encoded };
  return { hash, secret: merging ? base : { ...base, type, ...immutable } };
}

/** True when the Secret still is what the last synchronisation made of it. */
export function isIntact(live: Secret | undefined, facts: ProfileFacts): boolean {
  if (live === undefined) return false;
  if (facts.marks && live.metadata.labels?.[managedLabel] !== 'true') return false;
  return live.metadata.annotations?.[dataHashAnnotation] === dataHash(decoded(live), facts.hash);
}

function decoded(secret: Secret | undefined): Map<string, Uint8Array> {
  return new Map(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

function marks(owner: KubeObject, policy: string): Record<string, string> {
  return { ...(policy === 'Owner' ? { [createdByLabel]: createdByHash(keyOf(owner)) } : {}), [managedLabel]: 'true' };
}

function ownersOf(owner: KubeObject, policy: string, live: Secret | undefined): OwnerReference[] {
  const others = (live?.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  if (policy !== 'Owner') return others;
  const taken = others.find(({ controller }) => controller === true);
  if (taken !== undefined) {
    const who = taken.kind === 'ExternalSecret' ? 'another ExternalSecret' : `the ${taken.kind} "${taken.name}"`;
    throw new ControllerError('CONFLICT', `could not set ExternalSecret controller reference: target is owned by ${who}`, {
      kind: 'user',
      cure: 'Give the target another name.',
    });
  }
  return [...others, controllerReference(owner)];
}
