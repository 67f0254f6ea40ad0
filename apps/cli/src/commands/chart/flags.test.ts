import { describe, expect, test } from 'vitest';
import { readCsvRecord } from './csv.ts';
import * as values from './flag-values.ts';
import { FlagError, type FlagTable, parseFlags, refuseFlags } from './flags.ts';

/** pflag's ways; verbs.test.ts compares whole commands with Helm. */

const table: FlagTable = {
  debug: { kind: 'bool' },
  force: { kind: 'bool', short: 'f', only: 'helm3' },
  'dry-run': { kind: 'text', alone: 'unset' },
  namespace: { kind: 'text', short: 'n' },
  set: { kind: 'texts' },
  timeout: { kind: 'text', short: 't', reads: values.duration },
  values: { kind: 'list', short: 'v' },
};
const parse = (...argv: string[]) => parseFlags(argv, table, 'helm3');
const refusal = (...argv: string[]): string => {
  try {
    parse(...argv);
    return '';
  } catch (error) {
    if (error instanceof FlagError) return error.message;
    throw error;
  }
};

test('values stand behind an equals sign, or are the next argument; a flag that may stand alone takes none', () => {
  const flags = parse(
    'a',
    '--namespace=x',
    '-n',
    'y',
    '-nz',
    '-n=w',
    '--dry-run',
    'b',
    '--set',
    'k=v',
    '--set=l=m',
    '-v',
    'c,d',
    '--values=e',
  );
  expect(flags.args).toEqual(['a', 'b']);
  expect(flags.text('namespace')).toBe('w');
  expect(flags.text('dry-run')).toBe('unset');
  expect(flags.texts('set')).toEqual(['k=v', 'l=m']);
  expect(flags.list('values')).toEqual(['c', 'd', 'e']);
});

test('what follows two dashes is no flag; short flags may be joined', () => {
  const flags = parse('-fn', 'x', '--', '--debug', '-');
  expect([flags.isOn('force'), flags.text('namespace'), flags.has('debug'), flags.args]).toEqual([true, 'x', false, ['--debug', '-']]);
});

test.each([
  [['--nope'], 'unknown flag: --nope'],
  [['--__proto__'], 'unknown flag: --__proto__'],
  [['-x'], "unknown shorthand flag: 'x' in -x"],
  [['-fx'], "unknown shorthand flag: 'x' in -x"],
  [['-f='], "unknown shorthand flag: '=' in -="],
  [['-fn'], "flag needs an argument: 'n' in -n"],
  [['--=x'], 'bad flag syntax: --=x'],
  [['---x'], 'bad flag syntax: ---x'],
  [['-va"b'], 'invalid argument "a\\"b" for "-v, --values" flag: parse error on line 1, column 2: bare " in non-quoted-field'],
  [['--namespace'], 'flag needs an argument: --namespace'],
  [['-n'], "flag needs an argument: 'n' in -n"],
  [['--debug=maybe'], 'invalid argument "maybe" for "--debug" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
  [['-f=ma"ybe'], 'invalid argument "ma\\"ybe" for "-f, --force" flag: strconv.ParseBool: parsing "ma\\"ybe": invalid syntax'],
  [['-t5'], 'invalid argument "5" for "-t, --timeout" flag: time: missing unit in duration "5"'],
])('%j is refused', (argv, message) => {
  expect(refusal(...argv)).toBe(message);
});

test('what there is to say of flags is kept until all have been read', () => {
  const own: FlagTable = {
    old: { kind: 'bool', says: (value, helm) => `${value} ${helm}` },
    other: { kind: 'bool', says: () => undefined },
  };
  expect(parseFlags(['--old', '--old=false', '--other'], own, 'helm4').notices).toEqual(['true helm4', 'false helm4']);
});

test('a flag of one Helm is unknown to the other', () => {
  expect(parse('--force').isOn('force')).toBe(true);
  expect(() => parseFlags(['--force'], table, 'helm4')).toThrow('unknown flag: --force');
  expect(() => parseFlags(['-f'], table, 'helm4')).toThrow("unknown shorthand flag: 'f' in -f");
  expect(() => refuseFlags(parse('--debug', '--set=a=b', '--dry-run'), ['dry-run', 'set'])).toThrow('unknown flag: --set');
});

describe('values', () => {
  test.each([
    ['0', undefined],
    ['1h30m', undefined],
    ['-1.5s', undefined],
    ['.5h', undefined],
    ['1us2µs3ns', undefined],
    ['9223372036854775807ns', undefined],
    ['-9223372036854775808ns', undefined],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['2562047h47m16.9s', 'time: invalid duration "2562047h47m16.9s"'],
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['x', 'time: invalid duration "x"'],
    ['.s', 'time: invalid duration ".s"'],
    ['5', 'time: missing unit in duration "5"'],
    ['1h5', 'time: missing unit in duration "1h5"'],
    ['1h5x', 'time: unknown unit "x" in duration "1h5x"'],
  ])('duration %j', (value, problem) => {
    expect(values.duration(value, 'helm4')).toBe(problem);
  });

  test.each([
    [
      values.integer,
      ['0', '-5', '+7', '0x1F', '0b1', '017', '1_000', '0x_1', '-9223372036854775808'],
      ['', '1.0', '0x', 'x', '08', '_1', '1_', '1__0'],
      ['9223372036854775808'],
      'ParseInt',
    ],
    [values.unsigned, ['0', '80', '18446744073709551615'], ['-1', '+1', ''], ['18446744073709551616'], 'ParseUint'],
    [values.float, ['0', '1.5', '.5', '1.', '1e3', '1_0', '-inf', 'NaN', '0x1p-2'], ['', '.', '1x', '1e', '0x1'], ['1e39'], 'ParseFloat'],
  ])('numbers', (reads, good, bad, large, call) => {
    for (const value of good) expect([value, reads(value, 'helm4')]).toEqual([value, undefined]);
    for (const value of bad) expect(reads(value, 'helm4')).toBe(`strconv.${call}: parsing ${JSON.stringify(value)}: invalid syntax`);
    for (const value of large) expect(reads(value, 'helm4')).toBe(`strconv.${call}: parsing ${JSON.stringify(value)}: value out of range`);
  });

  test('whole numbers have a base', () => {
    expect(['017', '0x_1F', '-0b1', '1_0', '+0o7', '0'].map(values.wholeNumber)).toEqual([15n, 31n, -1n, 10n, 7n, 0n]);
  });

  test.each([
    ['', []],
    ['a,b', ['a', 'b']],
    [',', ['', '']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a ""b""",', ['a "b"', '']],
    ['"a\nb",c\nd', ['a\nb', 'c']],
    ['\n\r\na\r\nb', ['a']],
    ['a\r', ['a']],
    ['\n', 'EOF'],
    ['a"b', 'parse error on line 1, column 2: bare " in non-quoted-field'],
    ['é,ü"', 'parse error on line 1, column 6: bare " in non-quoted-field'],
    ['"a', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['"a"b', 'parse error on line 1, column 3: extraneous or missing " in quoted-field'],
    ['"a\n"b"', 'record on line 1; parse error on line 2, column 1: extraneous or missing " in quoted-field'],
  ])('list %j', (value, expected) => {
    const record = readCsvRecord(value);
    expect('fields' in record ? record.fields : record.problem).toEqual(expected);
  });

  test('pairs, and how to wait', () => {
    expect(['a=b', 'a=b,c', 'a=b,c=d', 'a='].map((value) => values.pairs(value, 'helm4'))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(['', 'a', 'a,b', 'a=b,c=d,e'].map((value) => values.pairs(value, 'helm4'))).toEqual([
      ' must be formatted as key=value',
      'a must be formatted as key=value',
      'a,b must be formatted as key=value',
      'e must be formatted as key=value',
    ]);
    expect(['watcher', 'hookOnly', 'legacy', 'true'].map((value) => values.wait(value, 'helm4'))).toEqual(Array(4).fill(undefined));
    expect(values.wait('legacy', 'helm3')).toContain('strconv.ParseBool');
    expect(values.wait('t', 'helm3')).toBeUndefined();
  });
});
