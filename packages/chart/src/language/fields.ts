import type { GoObject, Value } from '../value/kinds.ts';

/**
 * A field of a struct, or an item of a named map, as Go's templates reach it; undefined where there is none.
 *
 * @param hasArguments the field stands where a method would be called
 */
export function fieldOf(receiver: GoObject, name: string, hasArguments: boolean): { value: Value } | { problem: string } | undefined {
  if (receiver.isUnexported(name)) return { problem: `${name} is an unexported field of struct type ${receiver.type}` };
  const found = receiver.field(name);
  if (!found || !hasArguments) return found;
  const reason = receiver.kind === 'map' ? 'is not a method but has arguments' : 'has arguments but cannot be invoked as function';
  return { problem: `${name} ${reason}` };
}
