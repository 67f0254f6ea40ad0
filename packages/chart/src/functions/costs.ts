import type { Budget } from '../render/budget.ts';
import { LimitReached } from '../render/budget.ts';
import { listItems, type Value } from '../value/kinds.ts';
import { type Rate, textCost, weigh } from '../value/weigh.ts';
import type { FunctionDefinition } from './define.ts';

/**
 * What a call of each function costs, so that no chart can make a render long or large by what functions do.
 *
 * Principle: all accounting of functions is here, by the size of what goes in and comes out, and a step stands for
 * about half a microsecond and for at most some 120 bytes. A function that is not named below is taken for one that
 * reads and writes all that hangs below its arguments, so a new one is never free by oversight. What cannot be told
 * from the arguments (matches of a regular expression, lengths of what is repeated) is charged where it happens.
 */
interface Cost {
  /** Steps whatever the arguments, on top of the call itself. */
  readonly fixed: number;
  /** For arguments: their texts alone, their own items too, or all that hangs below them. */
  readonly reads: 'texts' | 'items' | 'all';
  readonly rate: Rate;
  /** What comes out: something that was there before, a list of items that were, new items, or a whole new tree. */
  readonly makes: 'nothing' | 'list' | 'items' | 'tree';
  /** The function itself ends on a value that holds itself, as Go's JSON does. */
  readonly knowsCycles: boolean;
}

const cost = (part: Partial<Cost> = {}): Cost => ({
  fixed: 0,
  reads: 'all',
  rate: ordinary,
  makes: 'items',
  knowsCycles: false,
  ...part,
});

/** Steps for a node and for 1,024 characters. */
const ordinary: Rate = { node: 2, text: 64 };
/** Compares or copies memory. */
const fast: Rate = { node: 0, text: 2 };
/** Copies maps and lists, and keeps texts. */
const copying: Rate = { node: 3, text: 0 };
/** What a reader of documents makes. */
const made: Rate = { node: 2, text: 32 };
/** Searches. */
const searching: Rate = { node: 0, text: 8 };
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
  'unset get hasKey dig first mustFirst last mustLast hasPrefix hasSuffix lt le gt ge plural ' +
  'trimPrefix trimSuffix add add1 sub div mod mul max min biggest float64 int int64 atoi seq hello ' +
  'eq ne';

/** Functions that walk no further than the first difference, and charge what they walk. */
const walkers = 'deepEqual has mustHas uniq mustUniq without mustWithout merge mustMerge mergeOverwrite mustMergeOverwrite';

/** Functions that go over a list or map, but not into its items. */
const lists =
  'append mustAppend push mustPush prepend mustPrepend concat rest mustRest initial mustInitial reverse mustReverse slice mustSlice ' +
  'list tuple compact mustCompact';

const charactersOneByOne =
  'abbrev abbrevboth buildCustomCert initials swapcase title untitle trimAll trimall urlquery html js b32dec b32enc b64dec b64enc ' +
  'nospace clean osClean dir osDir quote squote';

/** Durations, versions and the like: small, but with a grammar. */
const grammars =
  'durationRound durationDays durationHours durationMicroseconds durationMilliseconds durationMinutes durationNanoseconds ' +
  'durationRoundTo durationSeconds durationTruncateTo durationWeeks duration mustToDuration ago unixEpoch urlParse urlJoin';

const dates =
  'toDate mustToDate date dateInZone date_in_zone htmlDate htmlDateInZone dateModify date_modify mustDateModify must_date_modify ' +
  'semver semverCompare sha1sum sha256sum sha512sum adler32sum addf add1f subf mulf divf round';

const documents = 'fromJson fromJsonArray mustFromJson fromToml';

/** Kinds of keys that take no search for primes. */
const quickKeys = new Set<Value>(['ecdsa', 'ed25519']);

const jsonWriters = 'toJson mustToJson toPrettyJson mustToPrettyJson toRawJson mustToRawJson toYaml mustToYaml';

const named = (names: string, value: Cost): [string, Cost][] => names.split(' ').map((name) => [name, value]);

const makeCosts = (): ReadonlyMap<string, Cost> =>
  new Map([
    ...named(glances, cost({ reads: 'texts', rate: fast, makes: 'nothing' })),
    ...named('contains', cost({ reads: 'texts', rate: searching, makes: 'nothing' })),
    ...named('set dict', cost({ fixed: 2, reads: 'texts', rate: fast, makes: 'nothing' })),
    ...named('until untilStep', cost({ reads: 'texts' })),
    ...named(lists, cost({ reads: 'items', rate: fast, makes: 'list' })),
    ...named(walkers, cost({ reads: 'items', rate: fast, makes: 'nothing' })),
    ...named('chunk mustChunk keys values pick omit pluck', cost({ reads: 'items' })),
    ...named('deepCopy mustDeepCopy', cost({ rate: copying, makes: 'nothing' })),
    ...named('len index', cost({ reads: 'texts', rate: bytes, makes: 'nothing' })),
    ...named('substr trunc upper lower', cost({ fixed: 3, reads: 'texts', rate: { node: 0, text: 512 } })),
    ...named(charactersOneByOne, cost({ fixed: 3, rate: slow })),
    ...named(grammars, cost({ fixed: 6, rate: slow })),
    ...named('printf', cost({ fixed: 10, rate: slow })),
    ...named(dates, cost({ fixed: 20, rate: slow })),
    ...named('randInt randAlpha randAlphaNum randAscii randBytes randNumeric uuidv4 now', cost({ fixed: 12, reads: 'texts' })),
    ...named('camelcase kebabcase snakecase wrap wrapWith shuffle', cost({ fixed: 12, rate: slowest })),
    ...named('decryptAES encryptAES', cost({ fixed: 60, rate: slow })),
    ...named('split splitList splitn toToml mustToToml toYamlPretty', cost({ rate: writing })),
    ...named('toDecimal', cost({ rate: reading })),
    ...named(documents, cost({ rate: reading, makes: 'tree' })),
    ...named('fromYaml fromYamlArray', cost({ fixed: 20, rate: everyday, makes: 'tree' })),
    ...named(jsonWriters, cost({ rate: writing, knowsCycles: true })),
    // Cryptography that is expensive by intent; milliseconds of two cores of 2026 in brackets.
    ...named('bcrypt htpasswd', cost({ fixed: 220_000 })), // 110
    ...named('derivePassword', cost({ fixed: 340_000 })), // 170
    ...named('genPrivateKey', cost({ fixed: 500_000 })), // 1 to 950; a public chart makes three
    // As much as two threads take; how many there may be is a limit of its own.
    ...named('genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey', cost({ fixed: 20_000 })), // 10 to 60
  ]);

/** Made when the first function is called. */
let costs: ReadonlyMap<string, Cost> | undefined;

/** The same function, which charges what a call costs before it and what came of it after. */
export function metered(name: string, definition: FunctionDefinition): FunctionDefinition {
  costs ??= makeCosts();
  const price = costs.get(name) ?? cost();
  const { params, variadic, call } = definition;
  return {
    params,
    variadic,
    call(context, args) {
      const { budget } = context;
      const fixed = name === 'genPrivateKey' && quickKeys.has(args[0]) ? 4000 : price.fixed;
      budget.step(1 + fixed + (args.length >> 1));
      for (let i = 0; i < args.length; i++) chargeArgument(budget, args[i], price);
      const result = call(context, args);
      chargeResult(budget, result, price.makes);
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
function chargeResult(budget: Budget, value: Value, makes: Cost['makes']): void {
  if (typeof value === 'string') {
    if (value.length > 64) budget.step(value.length >> 6);
  } else if (makes === 'nothing' || typeof value !== 'object' || value === null) return;
  else if (makes === 'tree') weigh(budget, value, made);
  else if (value instanceof Map) budget.step(2 + 2 * value.size);
  else budget.step((listItems(value)?.length ?? 0) >> (makes === 'list' ? 4 : 0));
}
