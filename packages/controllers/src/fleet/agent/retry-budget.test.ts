import { expect, test } from 'vitest';
import { createRetryBudget } from './retry-budget.ts';

test('pauses grow, and end', () => {
  const budget = createRetryBudget({ tries: 4, firstMs: 30 });
  expect(budget.waitMs('a', 'id', 0)).toBe(0);
  expect(budget.failed('a', 'id', 0)).toBe(30);
  expect(budget.waitMs('a', 'id', 10)).toBe(20);
  expect(budget.waitMs('a', 'id', 40)).toBe(0);
  expect([budget.failed('a', 'id', 40), budget.failed('a', 'id', 100), budget.failed('a', 'id', 300)]).toEqual([60, 120, undefined]);
  expect(budget.waitMs('a', 'id', 1_000_000)).toBeUndefined();
});

test('another deployment, and one that succeeded, begin anew; others are not touched', () => {
  const budget = createRetryBudget({ tries: 1, firstMs: 30 });
  expect(budget.failed('a', 'id', 0)).toBeUndefined();
  expect(budget.waitMs('b', 'id', 0)).toBe(0);
  expect(budget.waitMs('a', 'mended', 0)).toBe(0);
  budget.forget('a');
  expect(budget.waitMs('a', 'id', 0)).toBe(0);
});
