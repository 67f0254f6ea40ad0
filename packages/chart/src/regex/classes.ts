/** What a place of an expression takes: one of some characters, or none of them. */
export interface CharacterSet {
  readonly members: readonly Member[];
  readonly isNegated: boolean;
  /** With upper and lower case alike; what is negated is so after that. */
  readonly isFolded: boolean;
  /** What it costs to ask, in members. */
  readonly weight: number;
}

type Member = readonly [number, number] | ((code: number) => boolean) | CharacterSet;

export function setOf(members: readonly Member[], { isNegated = false, isFolded = false } = {}): CharacterSet {
  let weight = 1;
  for (const member of members) weight += typeof member === 'function' ? 2 : 'weight' in member ? member.weight : 1;
  return { members, isNegated, isFolded, weight: isFolded ? 3 * weight : weight };
}

export const single = (character: string): Member => {
  const code = character.codePointAt(0) as number;
  return [code, code];
};

export function contains({ members, isNegated, isFolded }: CharacterSet, code: number): boolean {
  const found = hasMember(members, code) || (isFolded && othersInCase(code).some((other) => hasMember(members, other)));
  return found !== isNegated;
}

function hasMember(members: readonly Member[], code: number): boolean {
  for (const member of members) {
    if (typeof member === 'function' ? member(code) : 'weight' in member ? contains(member, code) : code >= member[0] && code <= member[1])
      return true;
  }
  return false;
}

/** The last character that has another case. */
const lastCased = 0x1e943;
let cases: ReadonlyMap<number, readonly number[]> | undefined;
const none: readonly number[] = [];

/** Characters that differ from one by case only, as Unicode's simple folding has it: k, K and the Kelvin sign. */
function othersInCase(code: number): readonly number[] {
  if (code >= 0x80) {
    cases ??= findCases();
    return cases.get(code) ?? none;
  }
  // Nearly all expressions and texts need no more than this, and finding the others takes a while.
  const lower = code | 0x20;
  if (lower < 0x61 || lower > 0x7a) return none;
  const more = lower === 0x6b ? [0x212a] : lower === 0x73 ? [0x17f] : none;
  return [code ^ 0x20, ...more];
}

/** JavaScript tells a character's upper and lower case, but not whose it is. */
function findCases(): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (let code = 65; code <= lastCased; code++) {
    const character = String.fromCodePoint(code);
    for (const other of [character.toLowerCase(), character.toUpperCase()]) {
      const found = other.codePointAt(0) as number;
      // What becomes two characters has no simple case; the dotless i has none but its own.
      if (found === code || String.fromCodePoint(found) !== other || character === 'ı') continue;
      const group = [...new Set([...(groups.get(found) ?? [found]), ...(groups.get(code) ?? [code])])];
      for (const member of group) groups.set(member, group);
    }
  }
  return groups;
}

const ranges = (text: string): Member[] => {
  const members: [number, number][] = [];
  for (let i = 0; i < text.length; i += 2) members.push([text.charCodeAt(i), text.charCodeAt(i + 1)]);
  return members;
};

const digit = ranges('09');
const word = ranges('09AZ__az');
const perl: Readonly<Record<string, readonly Member[]>> = { d: digit, w: word, s: ranges('\t\n\f\r  ') };

/** `\d`, and `\D` for what it does not take; undefined for other letters. */
export function perlClass(letter: string, isFolded: boolean): CharacterSet | undefined {
  const lower = letter.toLowerCase();
  return Object.hasOwn(perl, lower) ? setOf(perl[lower] as readonly Member[], { isNegated: letter !== lower, isFolded }) : undefined;
}

const posix: Readonly<Record<string, readonly Member[]>> = {
  alnum: ranges('09AZaz'),
  alpha: ranges('AZaz'),
  ascii: [[0, 0x7f]],
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

/** The members of `[:alpha:]`; undefined for a name that there is not. */
export const posixClass = (name: string): readonly Member[] | undefined => (Object.hasOwn(posix, name) ? posix[name] : undefined);

/** Those that were asked for: each holds an expression of JavaScript's, and there are some two hundred. */
const unicodeClasses = new Map<string, (code: number) => boolean>();

/** Scripts that are called by four letters; JavaScript takes the others' codes of four letters too. */
const shortScripts = new Set('Ahom Cham Kawi Lisu Miao Modi Newa Thai Toto'.split(' '));

/**
 * The members of `\p{L}`, `\p{Letter}` or `\p{greek}`: a general category or a script; undefined for other names.
 *
 * As Go since 1.25: case, spaces, hyphens and underscores do not count, and scripts of two words have no name.
 */
export function unicodeClass(name: string): readonly Member[] | undefined {
  const plain = name.replace(/[ _-]/g, '');
  if (!/^[A-Za-z]+$/.test(plain)) return undefined;
  const canonical = (plain[0] as string).toUpperCase() + plain.slice(1).toLowerCase();
  const known = unicodeClasses.get(canonical);
  if (known) return [known];
  const test = unicodeTest(canonical);
  if (!test) return undefined;
  const member = (code: number): boolean => test.test(String.fromCodePoint(code));
  unicodeClasses.set(canonical, member);
  return [member];
}

function unicodeTest(name: string): RegExp | undefined {
  const property = properties.get(name) ?? (name.length < 3 ? name : undefined);
  const isScript = name.length > 1 && (name.length !== 4 || shortScripts.has(name));
  for (const form of [...(property === undefined ? [] : [property]), ...(isScript ? [`Script=${name}`] : [])]) {
    try {
      return new RegExp(`^\\p{${form}}$`, 'u');
    } catch {
      // A name that there is not.
    }
  }
  return undefined;
}

/** What Go calls JavaScript's properties, beside categories of one or two letters. */
const properties: ReadonlyMap<string, string> = new Map([
  ['Any', 'Any'],
  ['Assigned', 'Assigned'],
  ['Ascii', 'ASCII'],
  ['Lc', 'LC'],
  ...(
    'Cased_Letter Close_Punctuation Combining_Mark Connector_Punctuation Control Currency_Symbol Dash_Punctuation Decimal_Number ' +
    'Enclosing_Mark Final_Punctuation Format Initial_Punctuation Letter Letter_Number Line_Separator Lowercase_Letter Mark Math_Symbol ' +
    'Modifier_Letter Modifier_Symbol Nonspacing_Mark Number Open_Punctuation Other Other_Letter Other_Number Other_Punctuation ' +
    'Other_Symbol Paragraph_Separator Private_Use Punctuation Separator Space_Separator Spacing_Mark Surrogate Symbol Titlecase_Letter ' +
    'Unassigned Uppercase_Letter cntrl digit punct'
  )
    .split(' ')
    .map((name): [string, string] => [(name[0] as string).toUpperCase() + name.slice(1).replaceAll('_', '').toLowerCase(), name]),
]);

export const isWord = (code: number): boolean => hasMember(word, code);
