import { fail } from '../functions/define.ts';
import { type LayoutItem, type Piece, parseLayout } from './layout.ts';
import { days, months } from './names.ts';
import { quoteTime } from './quote.ts';
import { fromLocal, GoTime, secondsOf } from './time.ts';
import { fixedZone, utc, type Zone } from './zone.ts';

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
