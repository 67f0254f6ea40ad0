import { ChartError } from '../errors.ts';
import { defaultLimits, type Limits } from '../limits.ts';
import { Budget, limitOf } from '../render/budget.ts';
import { writeJson } from '../value/json.ts';
import { listItems, type Value, type ValueMap } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { type Rate, weigh } from '../value/weigh.ts';
import type { JsonPath } from './parser.ts';
import { PathFailure, Walker } from './walker.ts';

export interface JsonPathResult {
  /** What Helm prints; nothing at all where the expression does not fit the values. */
  readonly text: string;
  /** Why it does not fit, of which Helm says nothing. */
  readonly problem?: string;
}

/** What writing JSON costs. */
const writing: Rate = { node: 5, text: 256 };

/**
 * Prints what an expression finds in values, as `helm show values --jsonpath` does: maps and lists as JSON, several
 * values with spaces between them. The values of a map come in the map's order, where Helm's come in any.
 *
 * @param limits `steps`, `outputLength` and `depth` count
 * @throws ChartError LIMIT_EXCEEDED
 */
export function printJsonPath(path: JsonPath, values: ValueMap, limits: Partial<Limits> = {}): JsonPathResult {
  const budget = new Budget({ ...defaultLimits, ...limits });
  try {
    const found = new Walker(path.nodes, budget).find(values);
    const text = found.map((part) => part.map((value) => printed(value, budget)).join(' ')).join('');
    return { text: text.toWellFormed() };
  } catch (error) {
    if (error instanceof PathFailure) return { text: '', problem: error.message };
    const limit = limitOf(error);
    if (!limit) throw error;
    throw new ChartError('LIMIT_EXCEEDED', `jsonpath ${path.text} was given up: ${limit.message}`, {
      cure: 'Name the values that are wanted more closely.',
    });
  }
}

function printed(value: Value, budget: Budget): string {
  const isTree = value instanceof Map || listItems(value) !== undefined;
  if (isTree) weigh(budget, value, writing);
  const text = isTree
    ? writeJson(value, { escapeHtml: true })
    : value === undefined
      ? '<no value>'
      : value === null
        ? 'null'
        : printValue(value);
  budget.text(text.length);
  return text;
}
