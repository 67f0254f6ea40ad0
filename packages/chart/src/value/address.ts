import { quote } from './text.ts';

/** Go's netip.ParseAddr: undefined for an IPv4 or IPv6 address, else Go's reason. */
export function addressProblem(text: string): string | undefined {
  const problem = problemOf(text);
  if (problem === undefined) return undefined;
  const [reason, at = ''] = problem;
  return `ParseAddr(${quote(text)}): ${reason}${at === '' ? '' : ` (at ${quote(at)})`}`;
}

/** What is wrong, and where. */
type Problem = readonly [reason: string, at?: string] | undefined;

function problemOf(text: string): Problem {
  switch (/[.:%]/.exec(text)?.[0]) {
    case '.':
      return fourProblem(text);
    case ':':
      return sixProblem(text);
    case '%':
      return ['missing IPv6 address'];
    default:
      return ['unable to parse IP'];
  }
}

function fourProblem(text: string): Problem {
  let [value, digits, fields] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character >= '0' && character <= '9') {
      if (digits === 1 && value === 0) return ['IPv4 field has octet with leading zero'];
      value = 10 * value + Number(character);
      digits++;
      if (value > 255) return ['IPv4 field has value >255'];
    } else if (character === '.') {
      if (i === 0 || i === text.length - 1 || text[i - 1] === '.') return ['IPv4 field must have at least one digit', text.slice(i)];
      if (fields === 3) return ['IPv4 address too long'];
      fields++;
      [value, digits] = [0, 0];
    } else return ['unexpected character', text.slice(i)];
  }
  return fields < 3 ? ['IPv4 address too short'] : undefined;
}

/** Fields of 16 bits in an IPv6 address. */
const wholeSix = 8;

function sixProblem(text: string): Problem {
  const mark = text.indexOf('%');
  if (mark === text.length - 1) return ['zone must be a non-empty string'];
  let rest = mark < 0 ? text : text.slice(0, mark);
  let hasGap = rest.startsWith('::');
  if (hasGap) rest = rest.slice(2);
  if (hasGap && rest === '') return undefined;
  let fields = 0;
  while (fields < wholeSix) {
    const digits = (/^[0-9a-fA-F]*/.exec(rest) as RegExpExecArray)[0].length;
    if (digits > 4) return ['each group must have 4 or less digits', rest];
    if (digits === 0) return ['each colon-separated field must have at least one digit', rest];
    if (rest[digits] === '.') {
      if (!hasGap && fields !== 6) return ['embedded IPv4 address must replace the final 2 fields of the address', rest];
      if (fields + 2 > wholeSix) return ['too many hex fields to fit an embedded IPv4 at the end of the address', rest];
      const inner = fourProblem(rest);
      if (inner) return inner;
      rest = '';
      fields += 2;
      break;
    }
    fields++;
    rest = rest.slice(digits);
    if (rest === '') break;
    if (rest[0] !== ':') return ['unexpected character, want colon', rest];
    if (rest.length === 1) return ['colon must be followed by more characters', rest];
    rest = rest.slice(1);
    if (rest[0] !== ':') continue;
    if (hasGap) return ['multiple :: in address', rest];
    hasGap = true;
    rest = rest.slice(1);
    if (rest === '') break;
  }
  if (rest !== '') return ['trailing garbage after address', rest];
  if (fields < wholeSix) return hasGap ? undefined : ['address string too short'];
  return hasGap ? ['the :: must expand to at least one field of zeros'] : undefined;
}
