import { invalidRequest } from './errors.ts';
import { isObject, type Json } from './exact-json.ts';

/** Go's `72h30m`, `90s`, or seconds as a number or digits; undefined when absent. Result in seconds. */
export function parseDuration(value: Json | undefined, field: string): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const wrong = () => invalidRequest(`error parsing ${field}: invalid duration`);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value !== 'string' || isObject(value)) throw wrong();
  if (/^\d{1,12}$/.test(value)) return Number(value);
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:h|m|s|ms|d))+$/.test(value)) throw wrong();
  const seconds = { h: 3600, m: 60, s: 1, ms: 0.001, d: 86_400 };
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/([\d.]+)(ms|h|m|s|d)/g)) total += Number(amount) * seconds[unit as keyof typeof seconds];
  return Math.floor(total);
}

/** As Go prints a duration of whole seconds: `0s`, `1m30s`, `720h0m0s`. */
export function formatDuration(seconds: number): string {
  const h = Math.floor(seconds / 3600);
  const m = Math.floor((seconds % 3600) / 60);
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${seconds % 60}s`;
}
