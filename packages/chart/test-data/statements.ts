/** Random charts whose statements lean on one another: variables, templates that files share, what one sets and another reads. */

/** A chart's files by their path, and values that it is rendered with in turn, as JSON. */
export interface StatementCase {
  readonly files: Readonly<Record<string, string>>;
  readonly turns: readonly string[];
}

export function makeStatementChart(seed: number): StatementCase {
  const generator = new StatementGenerator(seed);
  const files: Record<string, string> = {
    'Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
    'charts/s/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
    'values.yaml': generator.values(),
    'templates/_h.tpl': generator.definitions(),
  };
  for (const name of ['charts/s/templates/a.yaml', 'templates/a.yaml', 'templates/b.yaml', 'templates/c.yaml'])
    files[name] = generator.file();
  return { files, turns: Array.from({ length: 3 + generator.below(4) }, () => generator.values()) };
}

class StatementGenerator {
  #seed: number;
  /** How often statements set what others read, in a hundred: most charts never do. */
  readonly #setting: number;
  /** Templates that may be included: none includes itself. */
  #shared: string[] = [];

  constructor(seed: number) {
    this.#seed = (seed * 48271 + 11) % 2147483647 || 1;
    this.#setting = this.pick([0, 0, 2, 8, 30]);
  }

  below(bound: number): number {
    this.#seed = (this.#seed * 48271) % 2147483647;
    return this.#seed % bound;
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  /** Each key but a few as it mostly is, so that turns differ in little. */
  values(): string {
    const plain = (usual: unknown): unknown => (this.below(5) > 0 ? usual : this.pick([1, 2, 'x', '', true, false, null]));
    const values: Record<string, unknown> = { a: plain('a'), b: plain(1), on: plain(true), off: plain(false) };
    values['m'] = this.below(8) === 0 ? {} : { k: plain('k'), l: plain(2), n: this.below(6) === 0 ? {} : { o: plain('o') } };
    values['e'] = this.below(5) === 0 ? { k: 1 } : {};
    values['list'] = this.below(6) === 0 ? [] : [plain(1), { k: plain('i') }];
    values['s'] = { a: plain('s'), m: { k: plain('t') } };
    values['global'] = { g: plain('g') };
    return JSON.stringify(values);
  }

  definitions(): string {
    const bodies = [
      () => '{{ .Values.a }}-{{ default 1 .Values.m }}',
      () => `{{ template "h0" . }}{{ ${this.expression([], 2)} | toJson }}`,
      () => `{{ .Template.Name }}{{ ${this.expression([], 2)} | toJson }}`,
      () => `{{ $x := .Values.m }}${this.statements(['x'], 2)}`,
      () => '{{ range $k, $v := .Values.m }}{{ $k }}{{ end }}{{ first (default (list 0) .Values.list) | toJson }}',
    ];
    let text = '';
    for (const [at, body] of bodies.entries()) {
      text += `{{ define "h${at}" }}${body()}{{ end }}`;
      this.#shared.push(`h${at}`);
    }
    return text;
  }

  file(): string {
    return `x: |\n  ${this.statements([], 0)}\n`;
  }

  /** @param variables that are there; what is declared is known to what follows */
  statements(variables: readonly string[], depth: number): string {
    const known = [...variables];
    let text = '';
    for (let left = 1 + this.below(depth === 0 ? 9 : 4); left > 0; left--) text += `${this.#statement(known, depth)} `;
    return text;
  }

  #statement(known: string[], depth: number): string {
    if (this.below(100) < this.#setting) return this.#setter(known);
    const expression = this.expression(known, 0);
    const block = (): string => this.statements(known, depth + 1);
    switch (this.below(depth > 3 ? 6 : 12)) {
      case 0:
      case 1: {
        const name = this.pick(['x', 'y', 'z']);
        known.push(name);
        return `{{ $${name} := ${expression} }}`;
      }
      case 2:
        return known.length > 0 ? `{{ $${this.pick(known)} = ${expression} }}` : 'text';
      case 3:
        return `{{ template "${this.pick(this.#shared)}" . }}`;
      case 4:
      case 5:
        return `{{ ${expression} | toJson }}`;
      case 6:
        return `{{ with ${expression} }}${this.pick(['{{ . | toJson }}', '{{ $.Values.b }}', ''])}{{ else }}${block()}{{ end }}`;
      case 7:
        return `{{ range $i, $v := list ${expression} .Values.off }}${known.length > 0 ? `{{ $${this.pick(known)} = $i }}` : ''}{{ $v | toJson }}{{ end }}`;
      case 8:
        return `{{ if $z := ${expression} }}{{ $z | toJson }}${block()}{{ end }}`;
      default:
        return `{{ if ${this.pick([expression, '.Values.on', '.Values.off', '.Values.e', `eq (toString ${expression}) "k"`])} }}${block()}${this.below(2) === 0 ? `{{ else }}${block()}` : ''}{{ end }}`;
    }
  }

  /** Sets something in a map, whosever it is. */
  #setter(known: readonly string[]): string {
    const where = this.pick([
      '.Values',
      '.Values.m',
      '.',
      '.Values.global',
      '.Release',
      '(last (default (list 0) .Values.list))',
      ...known.map((name) => `$${name}`),
    ]);
    const change = this.pick([
      `set $t "${this.pick(['a', 'k', 'q'])}" (${this.expression(known, 2)})`,
      'unset $t "k"',
      'merge $t .Values.m',
    ]);
    return `{{ $t := ${where} }}{{ if kindIs "map" $t }}{{ $_ := ${change} }}{{ end }}`;
  }

  expression(known: readonly string[], depth: number): string {
    const inner = (): string => this.expression(known, depth + 1);
    const simple = ['.Values.a', '.Values.b', '.Values.m', '.Values.m.k', '.Values.m.n', '.Values.list', '.Values.global.g', '.Values.e'];
    if (known.length > 0) simple.push(...known.slice(-3).map((name) => `$${name}`));
    if (depth > 2 || this.below(3) === 0) return this.pick(simple);
    return `(${this.pick([
      () => `include "${this.pick(this.#shared)}" ${this.pick(['.', '$', '.'])}`,
      () => `include "h0" (dict "Values" ${this.pick(['.Values', '(dict "a" 1 "m" .Values.m)'])})`,
      () => `dict "k" ${inner()} "l" ${inner()}`,
      () => `list ${inner()} ${inner()}`,
      () => `index (list ${inner()} ${inner()}) ${this.below(2)}`,
      () => 'index (default (list 0) .Values.list) 0',
      () => `get (default dict .Values.m) "${this.pick(['k', 'n', 'q'])}"`,
      () => `hasKey .Values "${this.pick(['a', 'q'])}"`,
      () => `dig "m" "n" "o" ${inner()} .Values.AsMap`,
      () => `dig "${this.pick(['k', 'q'])}" "d" (default dict .Values.e)`,
      () => `default ${inner()} ${inner()}`,
      () => `ternary ${inner()} ${inner()} (empty ${inner()})`,
      () => `first (rest (list 0 ${inner()}))`,
      () => `last (append (list) ${inner()})`,
      () => `merge (dict "k" 9) (default dict .Values.m)`,
      () => `deepCopy (default 1 ${inner()})`,
      () => `toJson ${inner()}`,
      () => `printf "%v" ${inner()}`,
      () => `kindOf ${inner()}`,
      () => `tpl "{{ .Values.a }}{{ .Values.m.k }}" ${this.pick(['.', '$'])}`,
      () => 'tpl (toString .Values.a) .',
      () => 'keys (default dict .Values.m) | sortAlpha',
      () => '.Template.Name',
      () => '.Release.q',
      () => '(default dict .Values.m).q',
      () => '(default (dict "Values" .Values) .Subcharts.s).Values.a | toString',
      () => `and ${inner()} ${inner()}`,
      () => `or ${inner()} ${inner()}`,
    ])()})`;
  }
}
