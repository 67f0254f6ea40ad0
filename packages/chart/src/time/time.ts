import { fail, method } from '../functions/define.ts';
import { GoObject, int, int64, type Method, type Value } from '../value/kinds.ts';
import { GoDuration } from './duration.ts';
import { type LayoutItem, type Piece, parseLayout } from './layout.ts';
import { quoteTime } from './quote.ts';
import { fixedZone, loadZone, utc, type Zone } from './zone.ts';

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Seconds from Go's zero time, the first of January of the year 1, to 1970. */
const zeroSeconds = -62_135_596_800n;
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
    return this.format('2006-01-02T15:04:05.999999999Z07:00');
  }

  override method(name: string): Method | undefined {
    const fields = fieldsOf(this);
    const simple: Readonly<Record<string, () => Value>> = {
      Day: () => int(fields.day),
      GoString: () => this.text(),
      Hour: () => int(fields.hour),
      IsZero: () => this.seconds === zeroSeconds && this.nanoseconds === 0,
      Local: () => this.in(loadZone('Local') ?? utc),
      Minute: () => int(fields.minute),
      Month: () => new GoName('time.Month', months[fields.month - 1] as string, fields.month),
      Nanosecond: () => int(this.nanoseconds),
      Second: () => int(fields.second),
      String: () => this.text(),
      UTC: () => this.in(utc),
      Unix: () => int64(this.seconds),
      UnixMicro: () => int64(this.total() / 1000n),
      UnixMilli: () => int64(this.total() / 1_000_000n),
      UnixNano: () => int64(this.total()),
      Weekday: () => new GoName('time.Weekday', days[fields.weekday] as string, fields.weekday),
      Year: () => int(fields.year),
      YearDay: () => int(fields.yearDay),
    };
    const run = Object.hasOwn(simple, name) ? simple[name] : undefined;
    if (run) return method(name, [], run);
    switch (name) {
      case 'Format':
        return method(name, ['string'], (layout) => this.format(layout));
      case 'Add':
        return method(name, ['duration'], (duration) => this.add((duration as GoDuration).nanoseconds));
      case 'AddDate':
        return method(name, ['int', 'int', 'int'], (years, extraMonths, extraDays) =>
          this.#addDate(Number(years.value), Number(extraMonths.value), Number(extraDays.value)),
        );
      case 'Sub':
        return method(name, ['time'], (other) => new GoDuration(this.total() - (other as GoTime).total()));
      case 'After':
        return method(name, ['time'], (other) => this.total() > (other as GoTime).total());
      case 'Before':
        return method(name, ['time'], (other) => this.total() < (other as GoTime).total());
      case 'Equal':
        return method(name, ['time'], (other) => this.total() === (other as GoTime).total());
      case 'Compare':
        return method(name, ['time'], (other) => int(Math.sign(Number(this.total() - (other as GoTime).total()))));
      default:
        return undefined;
    }
  }

  #addDate(years: number, extraMonths: number, extraDays: number): GoTime {
    const { year, month, day, hour, minute, second } = fieldsOf(this);
    const seconds = secondsOf(year + years, month + extraMonths, day + extraDays, hour, minute, second);
    return fromLocal(seconds, this.nanoseconds, this.zone);
  }
}

/** A named integer with a word for it: time.Month, time.Weekday. */
class GoName extends GoObject {
  readonly type: string;
  readonly kind = 'int64';
  readonly nanoseconds: bigint;
  readonly #word: string;

  constructor(type: string, word: string, value: number) {
    super();
    this.type = type;
    this.#word = word;
    this.nanoseconds = BigInt(value);
  }

  override text(): string {
    return this.#word;
  }

  override hidden(): Value {
    return int64(this.nanoseconds);
  }

  override json(): Value {
    return int(this.nanoseconds);
  }

  override method(name: string): Method | undefined {
    return name === 'String' ? method(name, [], () => this.#word) : undefined;
  }
}

function fromTotal(total: bigint, zone: Zone): GoTime {
  const seconds = total >= 0n ? total / nanosecondsPerSecond : -((-total + nanosecondsPerSecond - 1n) / nanosecondsPerSecond);
  return new GoTime(seconds, Number(total - seconds * nanosecondsPerSecond), zone);
}

interface FieldSet {
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

function fieldsOf(time: GoTime): FieldSet {
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

function formatPiece(piece: Piece, fields: FieldSet): string {
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

function secondsOf(year: number, month: number, day: number, hour: number, minute: number, second: number): bigint {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(Math.round(date.getTime() / 1000));
}

/** The instant at which a zone's clocks show the given seconds. */
function fromLocal(seconds: bigint, nanoseconds: number, zone: Zone): GoTime {
  const guess = Number(seconds) - zone.at(Number(seconds)).offset;
  return new GoTime(seconds - BigInt(zone.at(guess).offset), nanoseconds, zone);
}

/** Pieces that are one number: how it is written and its range. */
const numberPieces: Partial<Record<Piece, { field: string; form: RegExp; low: number; high: number }>> = {
  '2006': { field: 'year', form: /^\d{4}/, low: 0, high: 9999 },
  '1': { field: 'month', form: /^\d{1,2}/, low: 1, high: 12 },
  '01': { field: 'month', form: /^\d{2}/, low: 1, high: 12 },
  '2': { field: 'day', form: /^ ?\d{1,2}/, low: 1, high: 31 },
  _2: { field: 'day', form: /^ ?\d{1,2}/, low: 1, high: 31 },
  '02': { field: 'day', form: /^\d{2}/, low: 1, high: 31 },
  '15': { field: 'hour', form: /^\d{1,2}/, low: 0, high: 23 },
  '3': { field: 'hour', form: /^\d{1,2}/, low: 0, high: 12 },
  '03': { field: 'hour', form: /^\d{2}/, low: 0, high: 12 },
  '4': { field: 'minute', form: /^\d{1,2}/, low: 0, high: 59 },
  '04': { field: 'minute', form: /^\d{2}/, low: 0, high: 59 },
  '5': { field: 'second', form: /^\d{1,2}/, low: 0, high: 59 },
  '05': { field: 'second', form: /^\d{2}/, low: 0, high: 59 },
};

/** time.ParseInLocation. Throws what Go returns as error. */
export function parseTime(layout: string, text: string, zone: Zone): GoTime {
  return new TimeParser(layout, text).parse(zone);
}

class TimeParser {
  readonly #layout: string;
  readonly #text: string;
  #rest: string;
  readonly #fields: Record<string, number> = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanoseconds: 0 };
  #afternoon: boolean | undefined;
  #offset: number | undefined;
  #abbreviation = '';
  #yearDay: number | undefined;

  constructor(layout: string, text: string) {
    this.#layout = layout;
    this.#text = text;
    this.#rest = text;
  }

  parse(zone: Zone): GoTime {
    for (const item of parseLayout(this.#layout)) this.#take(item);
    if (this.#rest !== '') this.#fail(`: extra text: ${quoteTime(this.#rest)}`);
    const { year = 0, month = 1, day = 1, minute = 0, second = 0, nanoseconds = 0 } = this.#fields;
    let { hour = 0 } = this.#fields;
    if (this.#afternoon === true && hour < 12) hour += 12;
    if (this.#afternoon === false && hour === 12) hour = 0;
    const date = this.#yearDay === undefined ? day : this.#yearDay;
    const useMonth = this.#yearDay === undefined ? month : 1;
    if (this.#yearDay === undefined && day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate())
      this.#fail(': day out of range');
    const seconds = secondsOf(year, useMonth, date, hour, minute, second);
    if (this.#offset === undefined) {
      if (this.#abbreviation === 'UTC') return new GoTime(seconds, nanoseconds, utc);
      return fromLocal(seconds, nanoseconds, this.#abbreviation === '' ? zone : fixedZone(0, this.#abbreviation));
    }
    const own =
      this.#offset === 0 && this.#abbreviation !== '' ? utc : this.#offset === 0 ? utc : fixedZone(this.#offset, this.#abbreviation);
    const local = zone.at(Number(seconds) - this.#offset);
    return new GoTime(seconds - BigInt(this.#offset), nanoseconds, local.offset === this.#offset && this.#offset !== 0 ? zone : own);
  }

  #fail(problem: string): never {
    return fail(`parsing time ${quoteTime(this.#text)}${problem}`);
  }

  #cannot(wanted: string): never {
    return this.#fail(` as ${quoteTime(this.#layout)}: cannot parse ${quoteTime(this.#rest)} as ${quoteTime(wanted)}`);
  }

  #match(form: RegExp, wanted: string): RegExpExecArray {
    const found = form.exec(this.#rest);
    if (!found) return this.#cannot(wanted);
    this.#rest = this.#rest.slice(found[0].length);
    return found;
  }

  #number(field: string, form: RegExp, wanted: string, low: number, high: number): void {
    const value = Number(this.#match(form, wanted)[0]);
    if (value < low || value > high) this.#fail(`: ${field} out of range`);
    this.#fields[field] = value;
  }

  #take(item: LayoutItem): void {
    if ('text' in item) {
      for (const part of item.text.split(/( +)/).filter((piece) => piece !== '')) {
        if (part.startsWith(' ')) this.#rest = this.#rest.replace(/^ +/, '');
        else if (this.#rest.startsWith(part)) this.#rest = this.#rest.slice(part.length);
        else this.#cannot(part);
      }
    } else if ('fraction' in item) this.#takeFraction(item.fraction);
    else this.#takePiece(item.piece);
  }

  #takeFraction(form: string): void {
    if (form[1] === '9') {
      const found = /^[.,]\d+/.exec(this.#rest);
      if (!found) return;
      this.#rest = this.#rest.slice(found[0].length);
      this.#fields['nanoseconds'] = Number(found[0].slice(1, 10).padEnd(9, '0'));
      return;
    }
    const [text = ''] = this.#match(new RegExp(`^[.,]\\d{${form.length - 1}}`), form);
    this.#fields['nanoseconds'] = Number(text.slice(1).padEnd(9, '0').slice(0, 9));
  }

  #takePiece(piece: Piece): void {
    const simple = numberPieces[piece];
    if (simple) {
      this.#number(simple.field, simple.form, piece, simple.low, simple.high);
      // A fraction may follow the seconds even where the layout has none.
      if (simple.field === 'second' && /^[.,]\d/.test(this.#rest)) this.#takeFraction('.9');
    } else if (piece === '06') {
      const value = Number(this.#match(/^\d{2}/, piece)[0]);
      this.#fields['year'] = value + (value >= 69 ? 1900 : 2000);
    } else if (piece === 'January' || piece === 'Jan') this.#word('month', months, piece, piece === 'Jan');
    else if (piece === 'Monday' || piece === 'Mon') this.#word('weekday', days, piece, piece === 'Mon');
    else if (piece === '__2' || piece === '002') this.#yearDay = Number(this.#match(/^ {0,2}\d{1,3}/, piece)[0]);
    else if (piece === 'PM' || piece === 'pm') {
      this.#afternoon = this.#match(piece === 'PM' ? /^[AP]M/ : /^[ap]m/, piece)[0].toUpperCase() === 'PM';
    } else if (piece === 'MST') this.#abbreviation = this.#match(/^(?:UTC|[A-Z]{3,4}T?|[+-]\d\d)/, piece)[0];
    else this.#takeOffset(piece);
  }

  #word(field: string, words: readonly string[], piece: string, short: boolean): void {
    const index = words.findIndex((word) => this.#rest.toLowerCase().startsWith((short ? word.slice(0, 3) : word).toLowerCase()));
    if (index < 0) this.#cannot(piece);
    this.#rest = this.#rest.slice(short ? 3 : (words[index] as string).length);
    this.#fields[field] = index + 1;
  }

  #takeOffset(piece: string): void {
    if (piece.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1);
      this.#offset = 0;
      this.#abbreviation = 'UTC';
      return;
    }
    const colon = piece.includes(':') ? ':' : '';
    const digits = piece.replace(/[^0-9]/g, '').length;
    const form = new RegExp(`^([+-])(\\d\\d)${digits > 2 ? `${colon}(\\d\\d)` : '()'}${digits > 4 ? `${colon}(\\d\\d)` : '()'}`);
    const [, sign, hours, minutes, seconds] = this.#match(form, piece);
    const size = Number(hours) * 3600 + Number(minutes || 0) * 60 + Number(seconds || 0);
    this.#offset = sign === '-' ? -size : size;
  }
}
