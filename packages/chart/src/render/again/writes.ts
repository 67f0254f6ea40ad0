import type { Value, ValueMap } from '../../value/kinds.ts';
import { type Changes, isSame } from './changes.ts';
import { type Collection, type Hung, isCollection } from './holders.ts';

/** A key of the values, or of what files see as `.`, that a file's templates set, or took out. */
export interface Write {
  readonly map: ValueMap;
  readonly key: string;
  readonly isThere: boolean;
  /** Whether it came to the end of the map: it was not there when it was last set. */
  readonly isLast: boolean;
  readonly value: Value;
}

/** Keys that are set otherwise now than before, or only then. */
export function changesBetween(before: readonly Write[], now: readonly Write[]): Changes {
  const changes: Changes = new Map();
  const [indexBefore, indexNow] = [byKey(before), byKey(now)];
  const note = (write: Write, others: WritesByKey): void => {
    const other = others.get(write.map)?.get(write.key);
    if (other && other.isThere === write.isThere && other.isLast === write.isLast && isEqual(other.value, write.value)) return;
    noteChange(changes, write);
  };
  for (const write of before) note(write, indexNow);
  for (const write of now) note(write, indexBefore);
  return changes;
}

export function noteChange(changes: Changes, { map, key }: Pick<Write, 'map' | 'key'>): void {
  const keys = changes.get(map);
  if (keys) keys.add(key);
  else changes.set(map, new Set([key]));
}

type WritesByKey = ReadonlyMap<ValueMap, ReadonlyMap<string, Write>>;

function byKey(writes: readonly Write[]): WritesByKey {
  const maps = new Map<ValueMap, Map<string, Write>>();
  for (const write of writes) {
    const keys = maps.get(write.map) ?? new Map<string, Write>();
    maps.set(write.map, keys.set(write.key, write));
  }
  return maps;
}

/** A map or list that was made anew is another one, whatever is in it: it may hold itself. */
const isEqual = (a: Value, b: Value): boolean => a === b || (!isCollection(a) && !isCollection(b) && isSame(a, b));

/** Maps and lists that files hang into maps of the values, before and behind the one at hand. */
export function hungMaps(writes: Iterable<readonly Write[]>): Hung {
  const hung = new Map<Collection, Value[]>();
  for (const ofFile of writes)
    for (const { map, value } of ofFile) {
      if (!isCollection(value)) continue;
      const others = hung.get(map);
      if (others) others.push(value);
      else hung.set(map, [value]);
    }
  return hung;
}
