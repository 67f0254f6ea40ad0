import { parseFloat64 } from '../language/numbers.ts';
import {
  durationHours,
  durationMinutes,
  durationSeconds,
  formatDuration,
  GoDuration,
  parseDuration,
  roundDuration,
  truncateDuration,
} from '../time/duration.ts';
import { parseTime } from '../time/parse-time.ts';
import { quoteTime } from '../time/quote.ts';
import { GoTime } from '../time/time.ts';
import { loadZone, utc } from '../time/zone.ts';
import { formatG } from '../value/float.ts';
import { GoInt, int64, integerOf, typeName, type Value } from '../value/kinds.ts';
import { quote, trimSpace } from '../value/text.ts';
import { type CallContext, contextual, type FunctionGroup, fail, fn, GoError } from './define.ts';

/** Dates of sprig, and Helm 4's durations. */

const local = () => loadZone('Local') ?? utc;
const now = (context: CallContext): GoTime => GoTime.fromDate(context.now(), local());

/** A time, or seconds since 1970; anything else is now. */
function timeOf(context: CallContext, value: Value): GoTime {
  if (value instanceof GoTime) return value;
  if (value instanceof GoInt && ['int', 'int32', 'int64'].includes(value.kind)) return new GoTime(value.value, 0, local());
  return now(context);
}

function dateInZone(context: CallContext, layout: string, date: Value, zone: string): string {
  return timeOf(context, date)
    .in(loadZone(zone) ?? utc)
    .format(layout);
}

function modify(text: string, date: Value, must: boolean): Value {
  const duration = parseDuration(text);
  if (duration !== undefined) return (date as GoTime).add(duration);
  return must ? fail(durationProblem(text)) : date;
}

function durationProblem(text: string): string {
  const shown = quoteTime(text);
  if (text === '' || /^[+-]?$/.test(text)) return `time: invalid duration ${shown}`;
  const number = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)/.exec(text);
  if (!number) return `time: invalid duration ${shown}`;
  const unit = /^[^0-9.]*/.exec(text.slice(number[0].length))?.[0] ?? '';
  return unit === '' ? `time: missing unit in duration ${shown}` : `time: unknown unit ${quoteTime(unit)} in duration ${shown}`;
}

const year = 31_536_000_000_000_000n;

/** Units of durationRound, largest first. */
const rounds: readonly (readonly [bigint, string])[] = [
  [year, 'y'],
  [2_592_000_000_000_000n, 'mo'],
  [86_400_000_000_000n, 'd'],
  [3_600_000_000_000n, 'h'],
  [60_000_000_000n, 'm'],
  [1_000_000_000n, 's'],
];

function durationRound(context: CallContext, value: Value): string {
  let duration = 0n;
  if (typeof value === 'string') duration = parseDuration(value) ?? 0n;
  else if (value instanceof GoInt && value.kind === 'int64') duration = value.value;
  else if (value instanceof GoTime) duration = now(context).total() - value.total();
  const size = duration < 0n ? -duration : duration;
  const found = rounds.find(([unit]) => size > unit);
  return found ? `${size / found[0]}${found[1]}` : '0s';
}

function duration(value: Value): string {
  let seconds = 0n;
  if (typeof value === 'string' && /^[+-]?[0-9]+$/.test(value)) seconds = BigInt(value.replace(/^\+/, ''));
  else if (value instanceof GoInt && value.kind === 'int64') seconds = value.value;
  return formatDuration(BigInt.asIntN(64, seconds * 1_000_000_000n));
}

const maxSeconds = 9_223_372_036n;

/** Helm's asDuration: a duration, its text, or a number of seconds. */
function asDuration(value: Value): bigint {
  if (value instanceof GoDuration) return value.nanoseconds;
  if (typeof value === 'string') return textDuration(value);
  if (value === null || value === undefined) return fail('invalid duration');
  if (typeof value === 'number') return floatDuration(value);
  const seconds = integerOf(value);
  if (seconds === undefined) return fail(`unsupported duration type ${typeName(value)}`);
  if (seconds > maxSeconds || seconds < -maxSeconds) return fail(`duration seconds overflow: ${seconds}`);
  return seconds * 1_000_000_000n;
}

function textDuration(value: string): bigint {
  const text = trimSpace(value);
  if (text === '') return fail('empty duration');
  const parsed = parseDuration(text);
  if (parsed !== undefined) return parsed;
  const seconds = parseFloat64(text);
  return seconds === undefined ? fail(`could not parse duration ${quote(value)}`) : floatDuration(seconds);
}

function floatDuration(seconds: number): bigint {
  if (!Number.isFinite(seconds)) return fail(`invalid duration seconds: ${formatG(seconds)}`);
  if (Math.abs(seconds) > 2 ** 63 / 1e9) return fail(`duration seconds overflow: ${formatG(seconds)}`);
  return BigInt(Math.trunc(seconds * 1e9));
}

/** For the functions that yield zero where there is no duration. */
function orZero(value: Value): bigint {
  try {
    return asDuration(value);
  } catch (error) {
    if (error instanceof GoError) return 0n;
    throw error;
  }
}

function toMultiple(value: Value, multiple: Value, change: (value: bigint, multiple: bigint) => bigint): Value {
  let start: bigint;
  try {
    start = asDuration(value);
  } catch (error) {
    if (error instanceof GoError) return new GoDuration(0n);
    throw error;
  }
  return new GoDuration(change(start, orZero(multiple)));
}

const dateModify = fn(['string', 'time'], (text, date) => modify(text, date, false));
const mustDateModify = fn(['string', 'time'], (text, date) => modify(text, date, true));
const inZone = contextual(['string', 'any', 'string'], dateInZone);

export const dateFunctions: FunctionGroup = {
  ago: contextual(['any'], (context, date) =>
    formatDuration(roundDuration(now(context).total() - timeOf(context, date).total(), 1_000_000_000n)),
  ),
  date: contextual(['string', 'any'], (context, layout, date) => dateInZone(context, layout, date, 'Local')),
  dateInZone: inZone,
  date_in_zone: inZone,
  dateModify,
  date_modify: dateModify,
  mustDateModify,
  must_date_modify: mustDateModify,
  duration: fn(['any'], duration),
  durationRound: contextual(['any'], durationRound),
  htmlDate: contextual(['any'], (context, date) => dateInZone(context, '2006-01-02', date, 'Local')),
  htmlDateInZone: contextual(['any', 'string'], (context, date, zone) => dateInZone(context, '2006-01-02', date, zone)),
  mustToDate: fn(['string', 'string'], (layout, text) => parseTime(layout, text, local())),
  now: contextual([], now),
  toDate: fn(['string', 'string'], (layout, text) => {
    try {
      return parseTime(layout, text, local());
    } catch (error) {
      if (error instanceof GoError) return GoTime.zero();
      throw error;
    }
  }),
  unixEpoch: fn(['time'], (date) => (date as GoTime).seconds.toString()),
};

/** Only Helm 4 has these. */
export const durationFunctions: FunctionGroup = {
  durationDays: fn(['any'], (value) => durationHours(orZero(value)) / 24),
  durationHours: fn(['any'], (value) => durationHours(orZero(value))),
  durationMicroseconds: fn(['any'], (value) => int64(orZero(value) / 1_000n)),
  durationMilliseconds: fn(['any'], (value) => int64(orZero(value) / 1_000_000n)),
  durationMinutes: fn(['any'], (value) => durationMinutes(orZero(value))),
  durationNanoseconds: fn(['any'], (value) => int64(orZero(value))),
  durationRoundTo: fn(['any', 'any'], (value, multiple) => toMultiple(value, multiple, roundDuration)),
  durationSeconds: fn(['any'], (value) => durationSeconds(orZero(value))),
  durationTruncateTo: fn(['any', 'any'], (value, multiple) => toMultiple(value, multiple, truncateDuration)),
  durationWeeks: fn(['any'], (value) => durationHours(orZero(value)) / 24 / 7),
  mustToDuration: fn(['any'], (value) => new GoDuration(asDuration(value))),
};
