import { deepEqual, isEmpty } from '../value/convert.ts';
import { kindName, typeName } from '../value/kinds.ts';
import { contextual, type FunctionGroup, fn } from './define.ts';

/** What a value is, and choosing between values. */
export const typeFunctions: FunctionGroup = {
  all: fn(['...any'], (...values) => !values.some(isEmpty)),
  any: fn(['...any'], (...values) => values.some((value) => !isEmpty(value))),
  coalesce: fn(['...any'], (...values) => values.find((value) => !isEmpty(value)) ?? null),
  deepEqual: contextual(['any', 'any'], ({ budget }, a, b) => deepEqual(a, b, (steps) => budget.step(steps))),
  default: fn(['any', '...any'], (otherwise, ...given) => (isEmpty(given[0]) ? otherwise : given[0])),
  empty: fn(['any'], isEmpty),
  kindIs: fn(['string', 'any'], (wanted, value) => wanted === kindName(value)),
  kindOf: fn(['any'], kindName),
  ternary: fn(['any', 'any', 'bool'], (yes, no, condition) => (condition ? yes : no)),
  typeIs: fn(['string', 'any'], (wanted, value) => wanted === typeName(value)),
  typeIsLike: fn(['string', 'any'], (wanted, value) => wanted === typeName(value) || `*${wanted}` === typeName(value)),
  typeOf: fn(['any'], typeName),
};
