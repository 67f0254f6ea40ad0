import { parseFloat64, parseInteger } from '../language/numbers.ts';

/** What a plain scalar means in YAML 1.1 as go-yaml v2 reads it. */
export type Scalar = string | boolean | null | bigint | number;

const named = new Map<string, Scalar>();
for (const text of ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']) named.set(text, true);
for (const text of ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']) named.set(text, false);
for (const text of ['', '~', 'null', 'Null', 'NULL']) named.set(text, null);
for (const text of ['.nan', '.NaN', '.NAN']) named.set(text, Number.NaN);
for (const text of ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']) named.set(text, Infinity);
for (const text of ['-.inf', '-.Inf', '-.INF']) named.set(text, -Infinity);

const floatForm = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const dateForm =
  /^[0-9]{4}-([0-9]{1,2})-([0-9]{1,2})(?:[Tt ]([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})?)?$/;

/** Whether the text looks like a timestamp, which stays a string when read but must be quoted when written. */
export function isTimestamp(text: string): boolean {
  if (text.charCodeAt(4) !== 45) return false;
  const found = dateForm.exec(text);
  if (!found) return false;
  const [, month, day, hour = '0', minute = '0', second = '0', zone] = found;
  const hasTime = found[3] !== undefined;
  if (hasTime && text.includes(' ') === (zone !== undefined)) return false;
  const inRange = Number(month) >= 1 && Number(month) <= 12 && Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59;
  return inRange && Number(day) >= 1 && Number(day) <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(month), 0)).getUTCDate();
}

/** One more than the greatest int64. */
export const pastInt64 = 2n ** 63n;

/** An integer, a float or undefined for a text that starts with a sign or digit. */
function number(text: string): bigint | number | undefined {
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  if (integer !== undefined && integer >= -pastInt64 && integer < (plain[0] === '+' ? pastInt64 : 2n * pastInt64)) return integer;
  if (floatForm.test(plain)) return parseFloat64(plain);
  return undefined;
}

/** Of so few digits that nothing overflows. */
const everydayInteger = /^\d{1,15}$/;

/** Resolves a plain scalar; a text that is nothing else is a string. */
export function resolve(text: string): Scalar {
  const code = text.charCodeAt(0);
  if (Number.isNaN(code)) return null;
  // Digit, sign, point, or the first letter of a word that means something; all else is a string at once.
  if ((code >= 48 && code <= 57) || code === 43 || code === 45) {
    if ((code !== 48 || text.length === 1) && everydayInteger.test(text)) return BigInt(text);
    const known = named.get(text);
    if (known !== undefined) return known;
    if (isTimestamp(text)) return text;
    return number(text) ?? text;
  }
  if (code === 46) {
    const known = named.get(text);
    if (known !== undefined) return known;
    return parseFloat64(text) ?? text;
  }
  if (text.length > 5) return text;
  const known = named.get(text);
  return known === undefined ? text : known;
}

/** Whether go-yaml would read the plain text as something else than a string. */
export function isAmbiguous(text: string): boolean {
  return typeof resolve(text) !== 'string' || isTimestamp(text);
}
