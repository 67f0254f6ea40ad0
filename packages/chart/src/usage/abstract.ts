import type { WorkChart } from '../loader/work-chart.ts';
import type { UsageNode } from './usage-tree.ts';

/**
 * What is known of a template's value without running it: which places of the values it may be.
 *
 * `scope` is the `.` of a chart's files; `dict` a map that a template makes; an empty `places` says nothing.
 */
export interface Abstract {
  readonly places: readonly UsageNode[];
  readonly scopes: readonly Scope[];
  readonly members?: ReadonlyMap<string, Abstract> | undefined;
  /** A text that stands in the template itself. */
  readonly text?: string | undefined;
}

export interface Scope {
  readonly chart: WorkChart;
  readonly values: UsageNode;
}

export const unknown: Abstract = { places: [], scopes: [] };

export const ofPlace = (node: UsageNode): Abstract => ({ places: [node], scopes: [] });
export const ofScope = (scope: Scope): Abstract => ({ places: [], scopes: [scope] });

export function union(all: readonly Abstract[]): Abstract {
  const known = all.filter((one) => one !== unknown);
  if (known.length < 2) return known[0] ?? unknown;
  const members = new Map<string, Abstract>();
  for (const one of known)
    for (const [key, value] of one.members ?? [])
      members.set(key, union([...(members.has(key) ? [members.get(key) as Abstract] : []), value]));
  return {
    places: [...new Set(known.flatMap((one) => one.places))],
    scopes: [...new Set(known.flatMap((one) => one.scopes))],
    ...(members.size > 0 ? { members } : {}),
  };
}

let count = 0;
const numbers = new WeakMap<object, number>();

function numberOf(object: object): number {
  const known = numbers.get(object);
  if (known !== undefined) return known;
  numbers.set(object, ++count);
  return count;
}

/** Equal for what is known alike; the same template need not be read twice with it. */
export function keyOf(value: Abstract, depth = 0): string {
  if (depth > 4) return '…';
  const members = [...(value.members ?? [])].map(([key, item]) => `${key}=${keyOf(item, depth + 1)}`).sort();
  return `${value.places.map(numberOf).join(',')}/${value.scopes.map(numberOf).join(',')}/${value.text ?? ''}{${members.join(';')}}`;
}
