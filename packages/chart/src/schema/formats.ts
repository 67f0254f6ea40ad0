import { Regex } from '../regex/regex.ts';
import { RegexError } from '../regex/syntax.ts';
import { parseTime } from '../time/parse-time.ts';
import { utc } from '../time/zone.ts';
import { addressProblem } from '../value/address.ts';
import { atoi } from '../value/atoi.ts';
import { byteLength, byteSlice, quote } from '../value/text.ts';
import { hostName, parseUrl, type Url, UrlError, unescapeUrl } from '../value/url.ts';

/**
 * A check of `format`: undefined for a good text, else the reason in the words of the library that Helm uses.
 * @param charge takes the steps of what is more than a look at the text
 */
export type FormatCheck = (text: string, charge: (steps: number) => void) => string | undefined;

const rune = (character: string): string => quote(character, "'");

function jsonPointer(text: string): string | undefined {
  if (text === '') return undefined;
  if (!text.startsWith('/')) return 'not starting with /';
  return /~(?![01])/.test(text) ? '~ must be followed by 0 or 1' : undefined;
}

function relativeJsonPointer(text: string): string | undefined {
  const digits = (/^\d*/.exec(text) as RegExpExecArray)[0];
  if (digits === '') return 'must start with non-negative integer';
  if (digits.length > 1 && digits.startsWith('0')) return 'starts with zero';
  const rest = text.slice(digits.length);
  return rest === '#' ? undefined : jsonPointer(rest);
}

const groupsOfUuid = [8, 4, 4, 4, 12];

function uuid(text: string): string | undefined {
  const groups = text.split('-');
  if (groups.length !== groupsOfUuid.length) return `must have ${groupsOfUuid.length} elements`;
  for (const [index, group] of groups.entries()) {
    const length = groupsOfUuid[index] as number;
    if (byteLength(group) !== length) return `element ${index + 1} must be ${length} characters long`;
    const wrong = /[^0-9a-fA-F]/u.exec(group);
    if (wrong) return `non-hex character ${rune(wrong[0])}`;
  }
  return undefined;
}

function duration(text: string): string | undefined {
  if (!text.startsWith('P')) return 'must start with P';
  const whole = text.slice(1);
  if (whole === '') return 'nothing after P';
  if (whole.endsWith('W')) {
    const weeks = whole.slice(0, -1);
    if (weeks === '') return 'no number in week';
    return /^\d+$/.test(weeks) ? undefined : 'invalid week';
  }
  for (const [index, part] of whole.split('T').entries()) {
    if (index > 0 && part === '') return 'no time elements';
    const units = ['YMD', 'HMS'][index];
    if (units === undefined) return 'more than one T';
    const problem = elementsOf(part, units);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Numbers with their units, each unit once and in its order. */
function elementsOf(text: string, units: string): string | undefined {
  let [rest, left] = [text, units];
  while (rest !== '') {
    const digits = (/^\d*/.exec(rest) as RegExpExecArray)[0];
    if (digits === '') return 'missing number';
    rest = rest.slice(digits.length);
    if (rest === '') return 'missing unit';
    const unit = rest[0] as string;
    const at = left.indexOf(unit);
    if (at < 0) return units.includes(unit) ? `unit ${rune(unit)} out of order` : `invalid unit ${rune(unit)}`;
    left = left.slice(at + 1);
    rest = rest.slice(1);
  }
  return undefined;
}

/** strconv.Atoi; a text is its error. */
function integer(text: string): number | string {
  const value = atoi(text);
  return typeof value === 'bigint' ? Number(value) : `strconv.Atoi: parsing ${quote(text)}: ${value}`;
}

function ipv4(text: string): string | undefined {
  const groups = text.split('.');
  if (groups.length !== 4) return 'expected four decimals';
  for (const group of groups) {
    if (group.length > 1 && group.startsWith('0')) return 'leading zeros';
    const value = integer(group);
    if (typeof value === 'string') return value;
    if (value < 0 || value > 255) return 'decimal must be between 0 and 255';
  }
  return undefined;
}

function ipv6(text: string): string | undefined {
  if (!text.includes(':')) return 'missing colon';
  const problem = addressProblem(text);
  if (problem !== undefined) return problem;
  return text.includes('%') ? 'zone id is not a part of ipv6 address' : undefined;
}

function hostname(text: string): string | undefined {
  const host = text.endsWith('.') ? text.slice(0, -1) : text;
  if (byteLength(host) > 253) return 'more than 253 characters long';
  for (const label of host.split('.')) {
    const length = byteLength(label);
    if (length < 1 || length > 63) return 'label must be 1 to 63 characters long';
    if (label.startsWith('-')) return 'label starts with hyphen';
    if (label.endsWith('-')) return 'label ends with hyphen';
    const wrong = /[^a-zA-Z0-9-]/u.exec(label);
    if (wrong) return `invalid character ${rune(wrong[0])}`;
  }
  return undefined;
}

function email(text: string): string | undefined {
  // The library's words are off by one.
  if (byteLength(text) > 254) return 'more than 255 characters long';
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const problem = localPart(text.slice(0, at));
  if (problem !== undefined) return problem;
  const domain = text.slice(at + 1);
  if (!domain.startsWith('[') || !domain.endsWith(']')) return prefixed('invalid domain', hostname(domain));
  const address = domain.slice(1, -1);
  if (address.startsWith('IPv6:')) return prefixed('invalid ipv6 address', ipv6(address.slice(5)));
  return prefixed('invalid ipv4 address', ipv4(address));
}

function localPart(local: string): string | undefined {
  if (byteLength(local) > 64) return 'local part more than 64 characters long';
  if (local.length > 1 && local.startsWith('"') && local.endsWith('"'))
    return /[\\"]/.test(local.slice(1, -1)) ? 'backslash and quote are not allowed within quoted local part' : undefined;
  if (local.startsWith('.')) return 'starts with dot';
  if (local.endsWith('.')) return 'ends with dot';
  if (local.includes('..')) return 'consecutive dots';
  const wrong = /[^A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]/u.exec(local);
  return wrong ? `invalid character ${rune(wrong[0])}` : undefined;
}

const prefixed = (words: string, problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `${words}: ${problem}`;

function date(text: string): string | undefined {
  try {
    parseTime('2006-01-02', text, utc);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const byteAt = (text: string, index: number): string => byteSlice(text, index, index + 1);

function time(text: string): string | undefined {
  if (byteLength(text) < 9) return 'less than 9 characters long';
  if (byteAt(text, 2) !== ':' || byteAt(text, 5) !== ':') return 'missing colon in correct place';
  const parts = byteSlice(text, 0, 8).split(':').map(integer);
  if (parts.length !== 3 || parts.some((part) => typeof part === 'string')) return 'invalid hour/min/sec';
  const [hour, minute, second] = parts as [number, number, number];
  if (hour < 0 || minute < 0 || second < 0) return 'non-positive hour/min/sec';
  if (hour > 23 || minute > 59 || second > 60) return 'hour/min/sec out of range';
  let rest = byteSlice(text, 8, byteLength(text));
  if (rest.startsWith('.')) {
    const digits = (/^\d*/.exec(rest.slice(1)) as RegExpExecArray)[0];
    if (digits === '') return 'no digits in second fraction';
    rest = rest.slice(1 + digits.length);
  }
  const offset = offsetOf(rest);
  if (typeof offset === 'string') return offset;
  let minutes = 60 * hour + minute - offset;
  if (minutes < 0) minutes += 24 * 60;
  return second >= 60 && minutes !== 24 * 60 - 1 ? 'invalid leap second' : undefined;
}

/** Minutes before UTC, or what is wrong. */
function offsetOf(text: string): number | string {
  if (text === 'z' || text === 'Z') return 0;
  if (byteLength(text) !== 6) return 'offset must be 6 characters long';
  const sign = text[0];
  if (sign !== '+' && sign !== '-') return 'offset must begin with plus/minus';
  if (byteAt(text, 3) !== ':') return 'missing colon in offset in correct place';
  const parts = text.slice(1).split(':').map(integer);
  if (parts.length !== 2 || parts.some((part) => typeof part === 'string')) return 'invalid hour/min in offset';
  const [hours, minutes] = parts as [number, number];
  if (hours < 0 || minutes < 0) return 'non-positive hour/min in offset';
  if (hours > 23 || minutes > 59) return 'hour/min in offset out of range';
  return (sign === '+' ? 1 : -1) * (60 * hours + minutes);
}

function dateTime(text: string): string | undefined {
  if (byteLength(text) < 20) return 'less than 20 characters long';
  if (!/^[tT]$/.test(byteAt(text, 10))) return '11th character must be t or T';
  return (
    prefixed('invalid date element', date(byteSlice(text, 0, 10))) ??
    prefixed('invalid time element', time(byteSlice(text, 11, byteLength(text))))
  );
}

function period(text: string): string | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return 'missing slash';
  const [start, end] = [text.slice(0, slash), text.slice(slash + 1)];
  if (start.startsWith('P')) return prefixed('invalid start duration', duration(start)) ?? prefixed('invalid end date-time', dateTime(end));
  const problem = prefixed('invalid start date-time', dateTime(start));
  if (problem !== undefined) return problem;
  return end.startsWith('P') ? prefixed('invalid end duration', duration(end)) : prefixed('invalid end date-time', dateTime(end));
}

/** A URL whose IPv6 address was checked, or what is wrong. */
function urlOf(text: string): Url | string {
  let url: Url;
  try {
    url = parseUrl(text);
  } catch (error) {
    if (error instanceof UrlError) return error.message;
    throw error;
  }
  const host = hostName(url.host);
  if (!host.includes(':')) return url;
  if (!url.host.includes('[') || !url.host.includes(']')) return 'ipv6 address not enclosed in brackets';
  return prefixed('invalid ipv6 address', ipv6(host)) ?? url;
}

function uri(text: string): string | undefined {
  const url = urlOf(text);
  if (typeof url === 'string') return url;
  return url.scheme === '' ? 'relative url' : undefined;
}

function uriReference(text: string): string | undefined {
  if (text.includes('\\')) return 'contains \\';
  const url = urlOf(text);
  return typeof url === 'string' ? url : undefined;
}

function uriTemplate(text: string): string | undefined {
  const url = urlOf(text);
  if (typeof url === 'string') return url;
  // Go keeps the path as written only where it would write it otherwise itself.
  const raw = url.rawPath ?? '';
  if (/^[A-Za-z0-9\-_.~$&+,/:;=@]*$/.test(raw)) return undefined;
  for (const part of raw.split('/')) {
    let problem: string | undefined;
    const decoded = unescapeUrl(part, (reason) => {
      problem = `percent decode failed: ${reason}`;
      return undefined as never;
    });
    if (problem !== undefined) return problem;
    let isOpen = false;
    for (const [brace] of decoded.matchAll(/[{}]/g)) {
      if ((brace === '{') === isOpen) return 'nested curly braces';
      isOpen = !isOpen;
    }
    if (isOpen) return 'no matching closing brace';
  }
  return undefined;
}

function semver(text: string): string | undefined {
  const plus = text.indexOf('+');
  const build = plus < 0 ? undefined : text.slice(plus + 1);
  if (build === '') return 'build is empty';
  for (const part of build?.split('.') ?? []) {
    if (part === '') return 'build identifier is empty';
    const wrong = /[^0-9A-Za-z-]/u.exec(part);
    if (wrong) return `invalid character ${rune(wrong[0])} in build identifier`;
  }
  const rest = plus < 0 ? text : text.slice(0, plus);
  const dash = rest.indexOf('-');
  const problem = dash < 0 ? undefined : preRelease(rest.slice(dash + 1));
  if (problem !== undefined) return problem;
  const versions = (dash < 0 ? rest : rest.slice(0, dash)).split('.');
  if (versions.length !== 3) return 'versionCore must have 3 numbers separated by dot';
  for (const [index, version] of versions.entries()) {
    const name = ['major', 'minor', 'patch'][index];
    if (version === '') return `${name} is empty`;
    if (version.length > 1 && version.startsWith('0')) return `${name} starts with zero`;
    if (/\D/.test(version)) return `${name} contains non-digit`;
  }
  return undefined;
}

function preRelease(text: string): string | undefined {
  for (const part of text.split('.')) {
    if (part === '') return 'pre-release identifier is empty';
    const wrong = /[^0-9A-Za-z-]/u.exec(part);
    if (wrong) return `invalid character ${rune(wrong[0])} in pre-release identifier`;
    if (/^0\d+$/.test(part)) return 'pre-release numeric identifier starts with zero';
  }
  return undefined;
}

function regex(text: string, charge: (steps: number) => void): string | undefined {
  try {
    new Regex(text, charge);
    return undefined;
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
}

const formats: ReadonlyMap<string, FormatCheck> = new Map([
  ['date', date],
  ['date-time', dateTime],
  ['duration', duration],
  ['email', email],
  ['hostname', hostname],
  ['ipv4', ipv4],
  ['ipv6', ipv6],
  ['iri', uri],
  ['iri-reference', uriReference],
  ['json-pointer', jsonPointer],
  ['period', period],
  ['regex', regex],
  ['relative-json-pointer', relativeJsonPointer],
  ['semver', semver],
  ['time', time],
  ['uri', uri],
  ['uri-reference', uriReference],
  ['uri-template', uriTemplate],
  ['uuid', uuid],
]);

/** Formats that are not known accept everything. */
export const formatOf = (name: string): FormatCheck | undefined => formats.get(name);
