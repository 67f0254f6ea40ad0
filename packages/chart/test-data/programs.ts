/** Random template programs for comparing with real Helm: mostly well formed, often failing while they run. */

export interface Program {
  readonly template: string;
  /** values.yaml. */
  readonly values: string;
}

/** A small seeded generator (mulberry32): the same seed makes the same choices. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const values = `
n: 3
f: 2.5
big: 1000000
neg: -7
s: Some text
e: ""
t: true
z: null
list: [3, one, null, {k: v}, [1, 2]]
strs: [b, a, c]
map: {a: 1, b: {c: deep, d: [x]}, z: null}
yes: "yes"
num: "42"
multi: "line 1\\nline 2\\n"
`;

/** What an expression is expected to yield; the generator breaks its own rule now and then. */
export type Kind = 'any' | 'text' | 'int' | 'float' | 'bool' | 'list' | 'map';

const date = '(toDate "2006-01-02" "2020-02-03")';
const month = `${date}.Month`;

const literals: Readonly<Record<Kind, readonly string[]>> = {
  any: ['nil', '.', '$', '.Values.z', '.Values.none', '(list)', '(dict)', "'x'", '1+2i', date, month, '(semver "1.2.3-rc.1")'],
  text: [
    '"a b"',
    '""',
    '"Häß-1_x"',
    '`r\\n`',
    '.Values.s',
    '.Values.e',
    '.Values.yes',
    '.Values.num',
    '.Values.multi',
    '"12"',
    '"1.50"',
    '"{\\"a\\":[1,null]}"',
    '"a: [1, yes]\\nb: ~"',
    '"2024-02-29"',
    '"v1.2.3-rc.1"',
    '"a/b/../c.tgz"',
  ],
  int: ['0', '1', '-3', '7', '0x10', '60', '2+0i', month, '(int .Values.n)', '(len .Values.strs)'],
  float: ['1.5', '-0.25', '1e6', '1e-5', '.Values.n', '.Values.f', '.Values.big', '.Values.neg'],
  bool: ['true', 'false', '.Values.t', '(eq 1 1)'],
  list: [
    '.Values.list',
    '.Values.strs',
    '(list 1 "a" nil)',
    '(list "x" "y" "x")',
    '(splitList "," "q,r,,s")',
    '(until 4)',
    '.Values.map.b.d',
  ],
  map: ['.Values.map', '.Values.map.b', '(dict "k" 1 "j" "v")', '(dict "a" (dict "b" 2))', '.Values'],
};

type Signature = readonly [Kind, string, ...Kind[]];

/** Result, name, arguments. */
const calls: readonly Signature[] = [
  ['text', 'upper', 'text'],
  ['text', 'lower', 'text'],
  ['text', 'title', 'text'],
  ['text', 'untitle', 'text'],
  ['text', 'trim', 'text'],
  ['text', 'trunc', 'int', 'text'],
  ['text', 'substr', 'int', 'int', 'text'],
  ['text', 'repeat', 'int', 'text'],
  ['text', 'quote', 'any', 'any'],
  ['text', 'squote', 'any'],
  ['text', 'cat', 'any', 'any', 'any'],
  ['text', 'indent', 'int', 'text'],
  ['text', 'nindent', 'int', 'text'],
  ['text', 'replace', 'text', 'text', 'text'],
  ['text', 'snakecase', 'text'],
  ['text', 'camelcase', 'text'],
  ['text', 'kebabcase', 'text'],
  ['text', 'swapcase', 'text'],
  ['text', 'initials', 'text'],
  ['text', 'nospace', 'text'],
  ['text', 'abbrev', 'int', 'text'],
  ['text', 'wrap', 'int', 'text'],
  ['text', 'wrapWith', 'int', 'text', 'text'],
  ['text', 'trimAll', 'text', 'text'],
  ['text', 'trimPrefix', 'text', 'text'],
  ['text', 'trimSuffix', 'text', 'text'],
  ['text', 'join', 'text', 'list'],
  ['text', 'toString', 'any'],
  ['text', 'toJson', 'any'],
  ['text', 'toPrettyJson', 'any'],
  ['text', 'toRawJson', 'any'],
  ['text', 'toYaml', 'any'],
  ['text', 'toYamlPretty', 'any'],
  ['text', 'toToml', 'map'],
  ['text', 'b64enc', 'text'],
  ['text', 'b64dec', 'text'],
  ['text', 'b32enc', 'text'],
  ['text', 'base', 'text'],
  ['text', 'dir', 'text'],
  ['text', 'clean', 'text'],
  ['text', 'ext', 'text'],
  ['text', 'print', 'any', 'any', 'any'],
  ['text', 'println', 'any'],
  ['text', 'html', 'any'],
  ['text', 'js', 'any'],
  ['text', 'urlquery', 'any'],
  ['text', 'typeOf', 'any'],
  ['text', 'kindOf', 'any'],
  ['text', 'plural', 'text', 'text', 'int'],
  ['text', 'adler32sum', 'text'],
  ['text', 'regexQuoteMeta', 'text'],
  ['text', 'regexReplaceAll "[a-m]+"', 'text', 'text'],
  ['text', 'regexFind "[a-z]+ ?"', 'text'],
  ['text', 'dateInZone "2006-01-02 15:04:05"', 'int', 'text'],
  ['text', 'duration', 'any'],
  ['text', 'required "it is needed"', 'any'],
  ['text', 'printf "%v|%d|%s"', 'any', 'any', 'any'],
  ['text', 'printf "%5.1f|%q|%x"', 'float', 'text', 'any'],
  ['text', 'printf "%+v %#v %T"', 'any', 'any', 'any'],
  ['int', 'len', 'any'],
  ['int', 'int', 'any'],
  ['any', 'int64', 'any'],
  ['any', 'add', 'any', 'any'],
  ['any', 'sub', 'any', 'any'],
  ['any', 'mul', 'any', 'any'],
  ['any', 'div', 'any', 'int'],
  ['any', 'mod', 'int', 'int'],
  ['any', 'max', 'any', 'any'],
  ['any', 'min', 'any', 'any'],
  ['float', 'float64', 'any'],
  ['float', 'addf', 'any', 'any'],
  ['float', 'subf', 'any', 'any'],
  ['float', 'mulf', 'any', 'any'],
  ['float', 'divf', 'any', 'float'],
  ['float', 'floor', 'any'],
  ['float', 'ceil', 'any'],
  ['float', 'round', 'any', 'int'],
  ['float', 'maxf', 'any', 'any'],
  ['bool', 'eq', 'any', 'any'],
  ['bool', 'ne', 'any', 'any'],
  ['bool', 'lt', 'any', 'any'],
  ['bool', 'ge', 'float', 'float'],
  ['bool', 'gt', 'int', 'int'],
  ['bool', 'not', 'any'],
  ['bool', 'empty', 'any'],
  ['bool', 'all', 'any', 'any'],
  ['bool', 'any', 'any', 'any'],
  ['bool', 'contains', 'text', 'text'],
  ['bool', 'hasPrefix', 'text', 'text'],
  ['bool', 'hasKey', 'map', 'text'],
  ['bool', 'has', 'any', 'list'],
  ['bool', 'deepEqual', 'any', 'any'],
  ['bool', 'kindIs "string"', 'any'],
  ['bool', 'regexMatch "^[a-z]"', 'text'],
  ['bool', 'semverCompare ">=1.0-0"', 'text'],
  ['any', 'and', 'any', 'any'],
  ['any', 'or', 'any', 'any'],
  ['any', 'default', 'any', 'any'],
  ['any', 'coalesce', 'any', 'any'],
  ['any', 'ternary', 'any', 'any', 'bool'],
  ['any', 'first', 'list'],
  ['any', 'last', 'list'],
  ['any', 'index', 'list', 'int'],
  ['any', 'index', 'map', 'text'],
  ['any', 'get', 'map', 'text'],
  ['any', 'dig "a" "b" "none"', 'map'],
  ['any', 'fromJson', 'text'],
  ['map', 'fromYaml', 'text'],
  ['any', 'tpl "{{ . }}-{{ .k }}"', 'any'],
  ['any', 'include "inner"', 'any'],
  ['list', 'list', 'any', 'any'],
  ['list', 'append', 'list', 'any'],
  ['list', 'prepend', 'list', 'any'],
  ['list', 'concat', 'list', 'list'],
  ['list', 'rest', 'list'],
  ['list', 'initial', 'list'],
  ['list', 'reverse', 'list'],
  ['list', 'uniq', 'list'],
  ['list', 'compact', 'list'],
  ['list', 'without', 'list', 'any'],
  ['list', 'slice', 'list', 'int'],
  ['list', 'chunk 2', 'list'],
  ['list', 'sortAlpha', 'any'],
  ['list', 'until', 'int'],
  ['list', 'untilStep', 'int', 'int', 'int'],
  ['list', 'splitList', 'text', 'text'],
  ['list', 'regexSplit "[ ,]"', 'text', 'int'],
  ['list', 'regexFindAll "[a-z]"', 'text', 'int'],
  ['list', 'toStrings', 'any'],
  ['list', 'pluck', 'text', 'map', 'map'],
  ['map', 'dict', 'text', 'any', 'text', 'any'],
  ['map', 'set', 'map', 'text', 'any'],
  ['map', 'unset', 'map', 'text'],
  ['map', 'pick', 'map', 'text'],
  ['map', 'omit', 'map', 'text'],
  ['map', 'merge', 'map', 'map'],
  ['map', 'mergeOverwrite', 'map', 'map'],
  ['map', 'deepCopy', 'map'],
  ['map', 'split', 'text', 'text'],
  ['map', 'urlParse', 'text'],
];

export class Generator {
  readonly #next: () => number;
  #variables: string[] = [];

  constructor(seed: number) {
    this.#next = random(seed);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#next() * items.length)] as T;
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  number(): number {
    return this.#next();
  }

  /** A call of some function. */
  call(depth: number): string {
    return this.expression('any', depth);
  }

  expression(kind: Kind, depth: number): string {
    const wanted = this.chance(0.06) ? this.pick(Object.keys(literals) as Kind[]) : kind;
    if (this.#variables.length > 0 && this.chance(0.1)) return this.pick(this.#variables);
    if (depth <= 0 || this.chance(0.35)) return this.pick(literals[wanted === 'any' ? this.pick(Object.keys(literals) as Kind[]) : wanted]);
    const fitting = calls.filter(([result]) => wanted === 'any' || result === wanted);
    const [, name, ...args] = this.pick(fitting);
    const given = args.map((arg) => this.expression(arg, depth - 1));
    const last = given.at(-1);
    if (last !== undefined && this.chance(0.25)) return `(${last} | ${[name, ...given.slice(0, -1)].join(' ')})`;
    const call = `(${[name, ...given].join(' ')})`;
    return this.chance(0.05) ? `${call}.${this.pick(['k', 'a', 'nope'])}` : call;
  }

  statement(depth: number): string {
    const trim = (): string => (this.chance(0.2) ? '- ' : ' ');
    const open = (code: string): string => `{{${trim()}${code} ${this.chance(0.2) ? '-' : ''}}}`;
    const body = (): string => this.block(depth - 1);
    switch (depth > 0 ? this.pick(['print', 'print', 'print', 'if', 'range', 'with', 'set', 'assign', 'text']) : 'print') {
      case 'if':
        return `${open(`if ${this.expression('any', 2)}`)}${body()}${this.chance(0.5) ? `${open('else')}${body()}` : ''}${open('end')}`;
      case 'range': {
        const names = this.chance(0.5) ? '$i, $e := ' : '';
        const before = this.#variables;
        if (names !== '') this.#variables = [...before, '$i', '$e'];
        const inner = body() + (this.chance(0.1) ? '{{ break }}' : '');
        this.#variables = before;
        return `${open(`range ${names}${this.expression(this.pick(['list', 'map', 'int', 'any']), 1)}`)}${inner}${this.chance(0.3) ? `${open('else')}none` : ''}${open('end')}`;
      }
      case 'with':
        return `${open(`with ${this.expression('any', 2)}`)}{{ . }}${body()}${open('end')}`;
      case 'set': {
        const name = `$v${this.#variables.length}`;
        const code = open(`${name} := ${this.expression('any', 2)}`);
        this.#variables = [...this.#variables, name];
        return code;
      }
      case 'assign':
        return this.#variables.length > 0 ? open(`${this.pick(this.#variables)} = ${this.expression('any', 1)}`) : 'plain ';
      case 'text':
        return this.pick(['plain text\n', '  indented: yes\n', ' \n', 'ä€😀 ']);
      default:
        return open(this.expression('any', 3));
    }
  }

  block(depth: number): string {
    const before = this.#variables;
    let out = '';
    for (let i = this.chance(0.5) ? 1 : 2; i > 0; i--) out += this.statement(depth);
    this.#variables = before;
    return out;
  }
}

export function makeProgram(seed: number): Program {
  const generator = new Generator(seed);
  const head = '{{- define "inner" }}<{{ . }}|{{ .k }}>{{ end -}}\n';
  return { template: head + generator.block(2) + generator.statement(1), values };
}
