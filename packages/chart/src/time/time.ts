import { JsonError } from '../value/json.ts';
import { GoObject, int, int64, type Method, type Value } from '../value/kinds.ts';
import { type Piece, parseLayout } from './layout.ts';
import { timeMethod } from './methods.ts';
import { days, months } from './names.ts';
import { utc, type Zone } from './zone.ts';

/** Seconds from Go's zero time, the first of January of the year 1, to 1970. */
export const zeroSeconds = -62_135_596_800n;
const nanosecondsPerSecond = 1_000_000_000n;

/** time.Time: an instant and the zone in which it is shown. */
export class GoTime extends GoObject {
  readonly type = 'time.Time';
  readonly kind = 'struct';
  readonly seconds: bigint;
  readonly nanoseconds: number;
  readonly zone: Zone;

  constructor(seconds: bigint, nanoseconds: number, zone: Zone) {
    super();
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }

  static fromDate(date: Date, zone: Zone): GoTime {
    const ms = BigInt(date.getTime());
    const seconds = ms >= 0n ? ms / 1000n : -((-ms + 999n) / 1000n);
    return new GoTime(seconds, Number(ms - seconds * 1000n) * 1_000_000, zone);
  }

  static zero(): GoTime {
    return new GoTime(zeroSeconds, 0, utc);
  }

  in(zone: Zone): GoTime {
    return new GoTime(this.seconds, this.nanoseconds, zone);
  }

  override hidden(): Value {
    return [int64(this.seconds), int(this.nanoseconds), this.zone.name, int(this.zone.at(Number(this.seconds)).offset)];
  }

  /** Nanoseconds since 1970. */
  total(): bigint {
    return this.seconds * nanosecondsPerSecond + BigInt(this.nanoseconds);
  }

  add(nanoseconds: bigint): GoTime {
    return fromTotal(this.total() + nanoseconds, this.zone);
  }

  format(layout: string): string {
    const fields = fieldsOf(this);
    return parseLayout(layout)
      .map((item) =>
        'text' in item ? item.text : 'fraction' in item ? formatFraction(item.fraction, this.nanoseconds) : formatPiece(item.piece, fields),
      )
      .join('');
  }

  override text(): string {
    return this.format('2006-01-02 15:04:05.999999999 -0700 MST');
  }

  override json(): Value {
    const { year } = fieldsOf(this);
    if (year < 0 || year > 9999)
      throw new JsonError('json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]');
    return this.format('2006-01-02T15:04:05.999999999Z07:00');
  }

  override method(name: string): Method | undefined {
    return timeMethod(this, fieldsOf(this), name);
  }

  override isUnexported(name: string): boolean {
    return name === 'wall' || name === 'ext' || name === 'loc';
  }

  addDate(years: number, extraMonths: number, extraDays: number): GoTime {
    const { year, month, day, hour, minute, second } = fieldsOf(this);
    const seconds = secondsOf(year + years, month + extraMonths, day + extraDays, hour, minute, second);
    return fromLocal(seconds, this.nanoseconds, this.zone);
  }
}

function fromTotal(total: bigint, zone: Zone): GoTime {
  const seconds = total >= 0n ? total / nanosecondsPerSecond : -((-total + nanosecondsPerSecond - 1n) / nanosecondsPerSecond);
  return new GoTime(seconds, Number(total - seconds * nanosecondsPerSecond), zone);
}

/** What calendar and clock show. */
export interface TimeFields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly weekday: number;
  readonly yearDay: number;
  readonly offset: number;
  readonly abbreviation: string;
}

function fieldsOf(time: GoTime): TimeFields {
  const { offset, abbreviation } = time.zone.at(Number(time.seconds));
  const date = new Date((Number(time.seconds) + offset) * 1000);
  const year = date.getUTCFullYear();
  const start = new Date(0);
  start.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    weekday: date.getUTCDay(),
    yearDay: Math.floor((date.getTime() - start.getTime()) / 86_400_000) + 1,
    offset,
    abbreviation,
  };
}

const two = (value: number): string => String(value).padStart(2, '0');
const hour12 = (hour: number): number => (hour % 12 === 0 ? 12 : hour % 12);

function formatPiece(piece: Piece, fields: TimeFields): string {
  switch (piece) {
    case '2006':
      return fields.year < 0 ? `-${String(-fields.year).padStart(4, '0')}` : String(fields.year).padStart(4, '0');
    case '06':
      return two(Math.abs(fields.year) % 100);
    case 'January':
      return months[fields.month - 1] as string;
    case 'Jan':
      return (months[fields.month - 1] as string).slice(0, 3);
    case '1':
      return String(fields.month);
    case '01':
      return two(fields.month);
    case 'Monday':
      return days[fields.weekday] as string;
    case 'Mon':
      return (days[fields.weekday] as string).slice(0, 3);
    case '2':
      return String(fields.day);
    case '_2':
      return String(fields.day).padStart(2, ' ');
    case '02':
      return two(fields.day);
    case '__2':
      return String(fields.yearDay).padStart(3, ' ');
    case '002':
      return String(fields.yearDay).padStart(3, '0');
    case '15':
      return two(fields.hour);
    case '3':
      return String(hour12(fields.hour));
    case '03':
      return two(hour12(fields.hour));
    case '4':
      return String(fields.minute);
    case '04':
      return two(fields.minute);
    case '5':
      return String(fields.second);
    case '05':
      return two(fields.second);
    case 'PM':
      return fields.hour >= 12 ? 'PM' : 'AM';
    case 'pm':
      return fields.hour >= 12 ? 'pm' : 'am';
    case 'MST':
      return fields.abbreviation === '' ? formatOffset('-0700', fields.offset) : fields.abbreviation;
    default:
      return formatOffset(piece, fields.offset);
  }
}

function formatOffset(piece: string, offset: number): string {
  if (piece.startsWith('Z') && offset === 0) return 'Z';
  const colon = piece.includes(':') ? ':' : '';
  const size = Math.abs(offset);
  const parts = [two(Math.floor(size / 3600))];
  const digits = piece.replace(/[^0-9]/g, '').length;
  if (digits > 2) parts.push(two(Math.floor(size / 60) % 60));
  if (digits > 4) parts.push(two(size % 60));
  return (offset < 0 ? '-' : '+') + parts.join(colon);
}

function formatFraction(form: string, nanoseconds: number): string {
  const digits = String(nanoseconds)
    .padStart(9, '0')
    .slice(0, Math.min(form.length - 1, 9))
    .padEnd(form.length - 1, '0');
  if (form[1] === '0') return form[0] + digits;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : form[0] + short;
}

export function secondsOf(year: number, month: number, day: number, hour: number, minute: number, second: number): bigint {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(Math.round(date.getTime() / 1000));
}

/** The instant at which a zone's clocks show the given seconds. */
export function fromLocal(seconds: bigint, nanoseconds: number, zone: Zone): GoTime {
  const guess = Number(seconds) - zone.at(Number(seconds)).offset;
  return new GoTime(seconds - BigInt(zone.at(guess).offset), nanoseconds, zone);
}
