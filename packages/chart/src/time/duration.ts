import { method } from '../functions/define.ts';
import { GoObject, int64, type Method, type Value } from '../value/kinds.ts';

const units: readonly (readonly [string, bigint])[] = [
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['μs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
];
const unitOf = new Map(units);

const second = 1_000_000_000n;

/** No number of a duration that fits has more; what stands behind a fraction's counts for nothing. */
const maxDigits = 20;

/** time.ParseDuration in nanoseconds; undefined for what is none. */
export function parseDuration(text: string): bigint | undefined {
  const found = /^([+-]?)((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.exec(text);
  if (!found) return /^[+-]?0$/.test(text) ? 0n : undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = unitOf.get(unit) as bigint;
    const digits = whole.replace(/^0+(?=[0-9])/, '');
    if (digits.length > maxDigits) return undefined;
    total += BigInt(digits || '0') * scale;
    const part = fraction.slice(0, maxDigits);
    if (part !== '') total += (BigInt(part) * scale) / 10n ** BigInt(part.length);
  }
  const signed = found[1] === '-' ? -total : total;
  return BigInt.asIntN(64, signed) === signed ? signed : undefined;
}

/** Duration.String: `1h2m3.5s`, `1.5ms`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < second) {
    const [unit, scale] = size < 1_000n ? ['ns', 1n] : size < 1_000_000n ? ['µs', 1_000n] : ['ms', 1_000_000n];
    return sign + decimal(size, scale as bigint) + unit;
  }
  const hours = size / (3600n * second);
  const minutes = (size / (60n * second)) % 60n;
  const seconds = `${decimal(size % (60n * second), second)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return sign + (minutes > 0n ? `${minutes}m` : '') + seconds;
}

function decimal(value: bigint, scale: bigint): string {
  const fraction = (value % scale)
    .toString()
    .padStart(scale.toString().length - 1, '0')
    .replace(/0+$/, '');
  return `${value / scale}${fraction === '' ? '' : `.${fraction}`}`;
}

/** Rounds half away from zero to a multiple, as Duration.Round. */
export function roundDuration(value: bigint, multiple: bigint): bigint {
  if (multiple <= 0n) return value;
  const rest = value % multiple;
  const size = rest < 0n ? -rest : rest;
  const down = value - rest;
  if (size + size < multiple) return down;
  return value < 0n ? down - multiple : down + multiple;
}

/** time.Duration. */
export class GoDuration extends GoObject {
  readonly type = 'time.Duration';
  readonly kind = 'int64';
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = BigInt.asIntN(64, nanoseconds);
  }

  override text(): string {
    return formatDuration(this.nanoseconds);
  }

  override integer(): bigint {
    return this.nanoseconds;
  }

  override withInteger(number: bigint): GoDuration {
    return new GoDuration(number);
  }

  override json(): Value {
    return int64(this.nanoseconds);
  }

  override hidden(): Value {
    return int64(this.nanoseconds);
  }

  override method(name: string): Method | undefined {
    const { nanoseconds } = this;
    switch (name) {
      case 'String':
        return method(name, [], () => this.text());
      case 'Hours':
        return method(name, [], () => durationHours(nanoseconds));
      case 'Minutes':
        return method(name, [], () => durationMinutes(nanoseconds));
      case 'Seconds':
        return method(name, [], () => durationSeconds(nanoseconds));
      case 'Milliseconds':
        return method(name, [], () => int64(nanoseconds / 1_000_000n));
      case 'Microseconds':
        return method(name, [], () => int64(nanoseconds / 1_000n));
      case 'Nanoseconds':
        return method(name, [], () => int64(nanoseconds));
      case 'Abs':
        return method(name, [], () => new GoDuration(nanoseconds < 0n ? -nanoseconds : nanoseconds));
      case 'Round':
        return method(name, ['duration'], (multiple) => new GoDuration(roundDuration(nanoseconds, (multiple as GoDuration).nanoseconds)));
      case 'Truncate':
        return method(
          name,
          ['duration'],
          (multiple) => new GoDuration(truncateDuration(nanoseconds, (multiple as GoDuration).nanoseconds)),
        );
      default:
        return undefined;
    }
  }
}

export const truncateDuration = (value: bigint, multiple: bigint): bigint => (multiple <= 0n ? value : value - (value % multiple));

/** Seconds as float64: whole part and rest are divided apart, as Go does, for the same rounding. */
export const durationSeconds = (value: bigint): number => Number(value / second) + Number(value % second) / 1e9;
export const durationMinutes = (value: bigint): number => Number(value / (60n * second)) + Number(value % (60n * second)) / 6e10;
export const durationHours = (value: bigint): number => Number(value / (3600n * second)) + Number(value % (3600n * second)) / 3.6e12;
