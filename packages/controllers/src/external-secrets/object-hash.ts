import { createHash } from 'node:crypto';
import type { ProfileFacts } from './profile.ts';

/** `metadata.annotations[reconcile.external-secrets.io/data-hash]`: the hash of Go's `%+v` of a `map[string][]byte`, keys sorted. */
export function dataHash(data: ReadonlyMap<string, Uint8Array>, algorithm: ProfileFacts['hash']): string {
  return hash(goMap([...data].map(([key, value]) => [key, `[${value.join(' ')}]`])), algorithm);
}

/** The part of `status.syncedResourceVersion` behind the generation: changes with labels and annotations. */
export function metadataHash(
  metadata: { labels?: Readonly<Record<string, string>>; annotations?: Readonly<Record<string, string>> },
  algorithm: ProfileFacts['hash'],
): string {
  const { annotations = {}, labels = {} } = metadata;
  return hash(`{annotations:${goMap(Object.entries(annotations))} labels:${goMap(Object.entries(labels))}}`, algorithm);
}

/** `metadata.labels[reconcile.external-secrets.io/created-by]`. @param key `namespace/name` of the ExternalSecret */
export const createdByHash = (key: string): string => hash(key, 'sha3-224');

const hash = (text: string, algorithm: string): string => createHash(algorithm).update(text).digest('hex');

function goMap(entries: [string, string][]): string {
  const sorted = entries.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `map[${sorted.map(([key, value]) => `${key}:${value}`).join(' ')}]`;
}
