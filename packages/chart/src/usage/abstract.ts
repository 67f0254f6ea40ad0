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
  return bounded({
    places: [...new Set(known.flatMap((one) => one.places))],
    scopes: [...new Set(known.flatMap((one) => one.scopes))],
    ...(members.size > 0 ? { members } : {}),
  });
}

/** Parts and places that one value may have. Contexts that templates put into one another would grow without end. */
const maxParts = 100;

/** The value itself, or, where it is too many things at once, nothing but its scopes: all that it may be is taken for used. */
export function bounded(value: Abstract): Abstract {
  if (partsOf(value, maxParts) <= maxParts) return value;
  const scopes = new Set<Scope>();
  const take = (part: Abstract): void => {
    for (const place of part.places) place.isWhole = true;
    for (const scope of part.scopes) scopes.add(scope);
    for (const member of part.members?.values() ?? []) take(member);
  };
  take(value);
  return { places: [], scopes: [...scopes] };
}

function partsOf(value: Abstract, most: number): number {
  let parts = 1 + value.places.length;
  for (const member of value.members?.values() ?? []) {
    if (parts > most) break;
    parts += partsOf(member, most - parts);
  }
  return parts;
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
