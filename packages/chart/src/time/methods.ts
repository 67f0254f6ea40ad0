import { fail, method, Uncallable } from '../functions/define.ts';
import { bytesOf } from '../value/convert.ts';
import { bytes, GoObject, int, int64, type Method, type TypedList, type Value } from '../value/kinds.ts';
import { quote, toBytes } from '../value/text.ts';
import { GoDuration } from './duration.ts';
import { days, months } from './names.ts';
import type { GoTime, TimeFields } from './time.ts';
import { loadZone, utc, type Zone } from './zone.ts';

/** The methods of Go's time.Time, as templates may call them. */

/** time.Month and time.Weekday: a number with a name. */
class NamedNumber extends GoObject {
  readonly type: string;
  readonly kind = 'int';
  /** Names from the number 0 on; the first month is 1. */
  readonly #names: readonly (string | undefined)[];
  readonly #number: bigint;

  constructor(type: string, names: readonly (string | undefined)[], number: bigint) {
    super();
    this.type = type;
    this.#names = names;
    this.#number = number;
  }

  override integer(): bigint {
    return this.#number;
  }

  override withInteger(number: bigint): NamedNumber {
    return new NamedNumber(this.type, this.#names, number);
  }

  override text(): string {
    return this.#names[Number(this.#number)] ?? `%!${this.type.replace('time.', '')}(${BigInt.asUintN(64, this.#number)})`;
  }

  override hidden(): Value {
    return int(this.#number);
  }

  override json(): Value {
    return int(this.#number);
  }

  override method(name: string): Method | undefined {
    return name === 'String' ? method(name, [], () => this.text()) : undefined;
  }
}

/** *time.Location. */
class GoLocation extends GoObject {
  readonly type = '*time.Location';
  readonly kind = 'ptr';
  readonly zone: Zone;

  constructor(zone: Zone) {
    super();
    this.zone = zone;
  }

  override text(): string {
    return locationName(this.zone);
  }

  override copied(): GoLocation {
    return new GoLocation({ ...this.zone, name: '' });
  }

  override isUnexported(name: string): boolean {
    return ['name', 'zone', 'tx', 'extend', 'cacheStart', 'cacheEnd', 'cacheZone'].includes(name);
  }

  override json(): Value {
    return new Map();
  }

  override method(name: string): Method | undefined {
    return name === 'String' ? method(name, [], () => this.text()) : undefined;
  }
}

/** Go names the machine's own zone after the variable TZ: one that is UTC mostly is so because of it. */
const locationName = (zone: Zone): string => (zone.name === 'Local' && zone.at(0).abbreviation === 'UTC' ? 'UTC' : zone.name);

const second = 1_000_000_000n;
/** Nanoseconds from the first of January of the year 1 to 1970: what `Round` and `Truncate` count from. */
const epoch = 62_135_596_800n * second;

/** Two results of which the second is no error, or three. */
const uncallable: Readonly<Record<string, string>> = {
  Clock: 'function Clock has 3 return values; should be 1 or 2',
  Date: 'function Date has 3 return values; should be 1 or 2',
  ISOWeek: 'invalid function signature for ISOWeek: second return value should be error; is int',
  Zone: 'invalid function signature for Zone: second return value should be error; is int',
  ZoneBounds: 'invalid function signature for ZoneBounds: second return value should be error; is time.Time',
};

/** @param fields of the time, in its zone */
export function timeMethod(time: GoTime, fields: TimeFields, name: string): Method | undefined {
  if (Object.hasOwn(uncallable, name))
    return method(name, [], () => {
      throw new Uncallable(uncallable[name] as string);
    });
  switch (name) {
    case 'Add':
      return method(name, ['duration'], (duration) => time.add((duration as GoDuration).nanoseconds));
    case 'AddDate':
      return method(name, ['int', 'int', 'int'], (years, extraMonths, extraDays) =>
        time.addDate(Number(years.value), Number(extraMonths.value), Number(extraDays.value)),
      );
    case 'AppendFormat':
      return method(name, ['bytes', 'string'], (before, layout) => appended(before, time.format(layout)));
    case 'AppendText':
      return method(name, ['bytes'], (before) => appended(before, strictText(time, fields, 'AppendText')));
    case 'Format':
      return method(name, ['string'], (layout) => time.format(layout));
    case 'In':
      return method(name, ['location'], (location) =>
        location instanceof GoLocation ? time.in(location.zone) : fail('time: missing Location in call to Time.In'),
      );
    case 'Round':
    case 'Truncate':
      return method(name, ['duration'], (multiple) => toMultiple(time, (multiple as GoDuration).nanoseconds, name === 'Round'));
    case 'After':
      return method(name, ['time'], (other) => time.total() > (other as GoTime).total());
    case 'Before':
      return method(name, ['time'], (other) => time.total() < (other as GoTime).total());
    case 'Compare':
      return method(name, ['time'], (other) => int(Math.sign(Number(time.total() - (other as GoTime).total()))));
    case 'Equal':
      return method(name, ['time'], (other) => time.total() === (other as GoTime).total());
    case 'Sub':
      return method(name, ['time'], (other) => new GoDuration(clamped(time.total() - (other as GoTime).total())));
  }
  const run = plainMethod(time, fields, name);
  return run && method(name, [], run);
}

/** Methods without parameters. */
function plainMethod(time: GoTime, fields: TimeFields, name: string): (() => Value) | undefined {
  switch (name) {
    case 'Day':
      return () => int(fields.day);
    case 'GoString':
      return () => goSource(time, fields);
    case 'GobEncode':
    case 'MarshalBinary':
      return () => bytes(binary(time, fields));
    case 'Hour':
      return () => int(fields.hour);
    case 'IsDST':
      return () => isSummer(time.zone, fields);
    case 'IsZero':
      return () => time.total() === -epoch;
    case 'Local':
      return () => time.in(loadZone('Local') ?? utc);
    case 'Location':
      return () => new GoLocation(time.zone);
    case 'MarshalJSON':
      return () => bytes(toBytes(`"${strictText(time, fields, name)}"`));
    case 'MarshalText':
      return () => bytes(toBytes(strictText(time, fields, name)));
    case 'Minute':
      return () => int(fields.minute);
    case 'Month':
      return () => new NamedNumber('time.Month', [undefined, ...months], BigInt(fields.month));
    case 'Nanosecond':
      return () => int(time.nanoseconds);
    case 'Second':
      return () => int(fields.second);
    case 'String':
      return () => time.text();
    case 'UTC':
      return () => time.in(utc);
    case 'Unix':
      return () => int64(time.seconds);
    case 'UnixMicro':
      return () => int64(floorDivide(time.total(), 1000n));
    case 'UnixMilli':
      return () => int64(floorDivide(time.total(), 1_000_000n));
    case 'UnixNano':
      return () => int64(BigInt.asIntN(64, time.total()));
    case 'Weekday':
      return () => new NamedNumber('time.Weekday', days, BigInt(fields.weekday));
    case 'Year':
      return () => int(fields.year);
    case 'YearDay':
      return () => int(fields.yearDay);
    default:
      return undefined;
  }
}

const floorDivide = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;

const maxDuration = 2n ** 63n - 1n;
const clamped = (nanoseconds: bigint): bigint =>
  nanoseconds > maxDuration ? maxDuration : nanoseconds < -maxDuration - 1n ? -maxDuration - 1n : nanoseconds;

const appended = (before: TypedList, text: string): TypedList => bytes(Uint8Array.from([...bytesOf(before), ...toBytes(text)]));

/** RFC 3339, which has four digits for the year. */
function strictText(time: GoTime, { year }: TimeFields, name: string): string {
  if (year < 0 || year > 9999) return fail(`Time.${name}: year outside of range [0,9999]`);
  return time.format('2006-01-02T15:04:05.999999999Z07:00');
}

function toMultiple(time: GoTime, multiple: bigint, nearest: boolean): GoTime {
  if (multiple <= 0n) return time;
  const rest = (((time.total() + epoch) % multiple) + multiple) % multiple;
  return time.add(nearest && rest + rest >= multiple ? multiple - rest : -rest);
}

/** Clocks are ahead of those of the other half of the year. */
function isSummer(zone: Zone, { year, offset }: TimeFields): boolean {
  const offsets = [0, 6].map((month) => zone.at(Date.UTC(year, month, 1) / 1000).offset);
  return offset > Math.min(...offsets);
}

function goSource(time: GoTime, { year, month, day, hour, minute, second: seconds }: TimeFields): string {
  const { zone } = time;
  const where = zone === utc ? 'time.UTC' : zone.name === 'Local' ? 'time.Local' : `time.Location(${quote(zone.name)})`;
  return `time.Date(${year}, time.${months[month - 1]}, ${day}, ${hour}, ${minute}, ${seconds}, ${time.nanoseconds}, ${where})`;
}

/** Version, seconds since the year 1, nanoseconds, and minutes east of UTC; a second version has seconds of these too. */
function binary(time: GoTime, { offset }: TimeFields): Uint8Array {
  const rest = offset % 60;
  const out = new DataView(new ArrayBuffer(rest === 0 ? 15 : 16));
  out.setUint8(0, rest === 0 ? 1 : 2);
  out.setBigInt64(1, time.seconds + epoch / second);
  out.setInt32(9, time.nanoseconds);
  out.setInt16(13, time.zone === utc ? -1 : Math.trunc(offset / 60));
  if (rest !== 0) out.setInt8(15, rest);
  return new Uint8Array(out.buffer);
}
