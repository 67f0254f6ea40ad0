/** Sets of characters: ranges of code points and tests, of which one must hold; `not` turns the whole around. */
export type CharacterSet = readonly Member[];

type Member = readonly [number, number] | ((code: number) => boolean);

export const single = (character: string): CharacterSet => {
  const code = character.codePointAt(0) as number;
  return [[code, code]];
};

export const range = (from: number, to: number): CharacterSet => [[from, to]];

export const negate = (set: CharacterSet): CharacterSet => [(code) => !contains(set, code)];

export function contains(set: CharacterSet, code: number): boolean {
  for (const member of set) {
    if (typeof member === 'function' ? member(code) : code >= member[0] && code <= member[1]) return true;
  }
  return false;
}

/** With upper and lower case alike. */
export function containsFolded(set: CharacterSet, code: number): boolean {
  if (contains(set, code)) return true;
  const character = String.fromCodePoint(code);
  for (const other of [character.toLowerCase(), character.toUpperCase(), ...(folds[character] ?? [])]) {
    const folded = other.codePointAt(0) as number;
    if (folded !== code && String.fromCodePoint(folded) === other && contains(set, folded)) return true;
  }
  return false;
}

/** Simple case folding beyond upper and lower: the Kelvin sign, the long s, sigma's end form. */
const folds: Readonly<Record<string, readonly string[]>> = {
  k: ['\u212a'],
  K: ['\u212a'],
  s: ['\u017f'],
  S: ['\u017f'],
  å: ['\u212b'],
  Å: ['\u212b'],
  σ: ['ς'],
  ς: ['σ'],
};

const ranges = (text: string): CharacterSet => {
  const set: [number, number][] = [];
  for (let i = 0; i < text.length; i += 2) set.push([text.charCodeAt(i), text.charCodeAt(i + 1)]);
  return set;
};

const digit = ranges('09');
const word = ranges('09AZ__az');
const space = ranges('\t\n\f\r  ');
const perl: Readonly<Record<string, CharacterSet>> = { d: digit, D: negate(digit), w: word, W: negate(word), s: space, S: negate(space) };

export const perlClass = (letter: string): CharacterSet | undefined => (Object.hasOwn(perl, letter) ? perl[letter] : undefined);

const posix: Readonly<Record<string, CharacterSet>> = {
  alnum: ranges('09AZaz'),
  alpha: ranges('AZaz'),
  ascii: range(0, 0x7f),
  blank: ranges('\t\t  '),
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit,
  graph: ranges('!~'),
  lower: ranges('az'),
  print: ranges(' ~'),
  punct: ranges('!/:@[`{~'),
  space: ranges('\t\r  '),
  upper: ranges('AZ'),
  word,
  xdigit: ranges('09AFaf'),
};

export const posixClass = (name: string): CharacterSet | undefined => (Object.hasOwn(posix, name) ? posix[name] : undefined);

/** Those that were asked for: each holds an expression of JavaScript's, and there are some two hundred. */
const unicodeClasses = new Map<string, CharacterSet>();

/** `\p{L}`, `\p{Greek}`: a general category or a script; undefined for other names. */
export function unicodeClass(name: string): CharacterSet | undefined {
  if (name === 'Any') return range(0, 0x10ffff);
  const known = unicodeClasses.get(name);
  if (known) return known;
  if (!/^[A-Za-z_]+$/.test(name)) return undefined;
  const form = /^[A-Z][a-z]?$/.test(name) ? `\\p{${name}}` : `\\p{Script=${name}}`;
  try {
    const test = new RegExp(`^${form}$`, 'u');
    const set: CharacterSet = [(code) => test.test(String.fromCodePoint(code))];
    unicodeClasses.set(name, set);
    return set;
  } catch {
    return undefined;
  }
}

export const isWord = (code: number): boolean => contains(word, code);
