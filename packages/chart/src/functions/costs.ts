import type { Budget } from '../render/budget.ts';
import { LimitReached } from '../render/budget.ts';
import { listItems, TypedList, TypedMap, type Value } from '../value/kinds.ts';
import { type Rate, textCost, weigh } from '../value/weigh.ts';
import type { FunctionDefinition } from './define.ts';

/**
 * What a call of each function costs, so that no chart can make a render long or large by what functions do.
 *
 * Principle: all accounting of functions is here, by the size of what goes in and comes out, and a step stands for
 * about half a microsecond and for at most some 200 bytes. A function that is not named below is taken for one that
 * reads and writes all that hangs below its arguments, so a new one is never free by oversight. What cannot be told
 * from the arguments (matches of a regular expression, lengths of what is repeated) is charged where it happens.
 * `costs.test.ts` measures every function against its charge.
 */
interface Cost {
  /** Steps whatever the arguments. */
  readonly fixed: number;
  /** For arguments: their texts alone, their own items too, or all that hangs below them. */
  readonly reads: 'texts' | 'items' | 'all';
  readonly rate: Rate;
  /** The function itself ends on a value that holds itself, as Go's JSON does. */
  readonly knowsCycles: boolean;
}

const cost = (part: Partial<Cost> = {}): Cost => ({ fixed: 1, reads: 'all', rate: ordinary, knowsCycles: false, ...part });

/** Steps for a node and for 1,024 characters. */
const ordinary: Rate = { node: 2, text: 64 };
/** Compares or copies memory. */
const fast: Rate = { node: 0, text: 1 };
/** Counts or cuts bytes. */
const bytes: Rate = { node: 0, text: 128 };
/** Looks at each character by itself, or several times. */
const slow: Rate = { node: 2, text: 1024 };
const slowest: Rate = { node: 2, text: 6144 };
/** Reads or writes a syntax. */
const writing: Rate = { node: 5, text: 256 };
const reading: Rate = { node: 5, text: 1024 };
/** YAML as charts have it; for the rest the function charges more itself. */
const everyday: Rate = { node: 5, text: 64 };

/** Functions that look at the outside of their arguments. */
const glances =
  'and or call not default empty ternary coalesce all any kindIs kindOf typeIs typeIsLike typeOf fail required include tpl lookup ' +
  'set unset get hasKey dig list tuple dict first mustFirst last mustLast contains hasPrefix hasSuffix lt le gt ge plural ' +
  'trimPrefix trimSuffix add add1 sub div mod mul max min biggest float64 int int64 atoi until untilStep seq hello uuidv4 now ' +
  'randInt randAlpha randAlphaNum randAscii randBytes randNumeric unixEpoch eq ne';

/** Functions that walk no further than the first difference, and charge what they walk. */
const walkers = 'deepEqual has mustHas uniq mustUniq without mustWithout merge mustMerge mergeOverwrite mustMergeOverwrite';

/** Functions that go over a list or map, but not into its items. */
const lists =
  'append mustAppend push mustPush prepend mustPrepend concat rest mustRest initial mustInitial reverse mustReverse ' + 'slice mustSlice';

const charactersOneByOne =
  'abbrev abbrevboth ago buildCustomCert initials swapcase title untitle trimAll trimall urlquery html js ' +
  'b32dec b32enc b64dec b64enc nospace urlParse semver semverCompare toDate mustToDate date dateInZone date_in_zone dateModify date_modify ' +
  'mustDateModify must_date_modify duration durationRound durationDays durationHours durationMicroseconds durationMilliseconds ' +
  'durationMinutes durationNanoseconds durationRoundTo durationSeconds durationTruncateTo durationWeeks mustToDuration decryptAES encryptAES ' +
  'clean osClean dir osDir quote squote printf addf add1f subf mulf divf round sha1sum sha256sum sha512sum adler32sum';

const documents = 'fromYamlArray fromJson fromJsonArray mustFromJson fromToml toDecimal';

const jsonWriters = 'toJson mustToJson toPrettyJson mustToPrettyJson toRawJson mustToRawJson toYaml mustToYaml';

const named = (names: string, value: Cost): [string, Cost][] => names.split(' ').map((name) => [name, value]);

const costs: ReadonlyMap<string, Cost> = new Map([
  ...named(glances, cost({ fixed: 0, reads: 'texts', rate: fast })),
  ...named(lists, cost({ reads: 'items', rate: fast })),
  ...named(walkers, cost({ reads: 'items', rate: fast })),
  ...named('chunk mustChunk compact mustCompact keys values pick omit pluck', cost({ reads: 'items', rate: ordinary })),
  ...named('len index substr trunc upper lower', cost({ reads: 'texts', rate: bytes })),
  ...named(charactersOneByOne, cost({ rate: slow })),
  ...named('camelcase kebabcase snakecase wrap wrapWith shuffle', cost({ rate: slowest })),
  ...named('split splitList splitn toToml mustToToml toYamlPretty', cost({ rate: writing })),
  ...named(documents, cost({ rate: reading })),
  ...named('fromYaml', cost({ rate: everyday })),
  ...named(jsonWriters, cost({ rate: writing, knowsCycles: true })),
  // Cryptography that is expensive by intent; milliseconds of two cores of 2026 in brackets.
  ...named('bcrypt htpasswd', cost({ fixed: 160_000 })), // 110
  ...named('derivePassword', cost({ fixed: 260_000 })), // 170
  ...named('genPrivateKey', cost({ fixed: 500_000 })), // 1 to 950
  ...named('genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey', cost({ fixed: 75_000 })), // 20 to 60
]);

/** The same function, which charges what a call costs before it and what came of it after. */
export function metered(name: string, definition: FunctionDefinition): FunctionDefinition {
  const price = costs.get(name) ?? cost();
  const { call } = definition;
  return {
    ...definition,
    call(context, args) {
      const { budget } = context;
      budget.step(price.fixed);
      for (const argument of args) chargeArgument(budget, argument, price);
      const result = call(context, args);
      chargeResult(budget, result);
      return result;
    },
  };
}

/** Charges what it takes to print a value. @throws LimitReached for one that holds itself, too */
export function chargePrinting(budget: Budget, value: Value): void {
  if (!weigh(budget, value, ordinary)) throw holdsItself();
}

const holdsItself = (): LimitReached => new LimitReached('a value holds itself, or is nested more than 1000 deep');

function chargeArgument(budget: Budget, value: Value, { reads, rate, knowsCycles }: Cost): void {
  if (typeof value === 'string') {
    if (value.length > 64) budget.step(1 + textCost(value, rate));
    return;
  }
  if (typeof value !== 'object' || value === null || reads === 'texts') return;
  if (reads === 'items') {
    const size = value instanceof Map ? value.size : (listItems(value)?.length ?? 0);
    budget.step((size >> 3) + size * rate.node);
  } else if (!weigh(budget, value, rate) && !knowsCycles) {
    throw holdsItself();
  }
}

/** What is new takes memory, whoever keeps it. */
function chargeResult(budget: Budget, value: Value): void {
  if (typeof value === 'string') {
    if (value.length > 64) budget.step(value.length >> 6);
  } else if (value instanceof TypedMap) budget.step(value.size);
  else if (value instanceof TypedList) budget.step(value.items.length >> 2);
}
