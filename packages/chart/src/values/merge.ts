import type { ValueMap } from '../value/kinds.ts';

/** Puts the second map over the first: maps merge, everything else (null too) replaces. Both stay as they are. */
export function mergeMaps(below: ValueMap, above: ValueMap): ValueMap {
  const out: ValueMap = new Map(below);
  for (const [key, value] of above) {
    const current = out.get(key);
    out.set(key, value instanceof Map && current instanceof Map ? mergeMaps(current, value) : value);
  }
  return out;
}
