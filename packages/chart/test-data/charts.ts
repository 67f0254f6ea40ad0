/** Random charts for comparing with real Helm: subcharts, globals, aliases, conditions, imports, hooks, flags. */
import type { FunctionDefinition } from '../src/functions/define.ts';
import { functionsOf } from '../src/functions/registry.ts';
import { profileOf } from '../src/profile.ts';
import type { SetKind } from '../src/values/set.ts';
import { Generator, type Kind } from './programs.ts';
import { makeSchema } from './random-schemas.ts';

export interface ChartCase {
  /** Files of the chart by their path. */
  readonly files: Readonly<Record<string, string>>;
  /** A further values file, as `-f`. */
  readonly values: string | undefined;
  readonly sets: readonly (readonly [SetKind, string])[];
  readonly flags: {
    readonly namespace: string;
    readonly kubeVersion: string;
    readonly apiVersions: readonly string[];
    readonly includeCrds: boolean;
    readonly isUpgrade: boolean;
    readonly noHooks: boolean;
    readonly skipTests: boolean;
  };
}

/** Functions whose results are random, depend on the clock, the network or the machine, or print Go's own addresses. */
const unsteady =
  /^(rand|gen|shuffle|uuidv4|bcrypt|htpasswd|encryptAES|derivePassword|buildCustomCert|now|ago|keys|values|getHostByName|must[A-Z]|and$|or$|call|include|tpl|fail|lookup|date$|htmlDate$|durationRound$|semver$|toDate|urlJoin)/;

/** Every steady function with the types that it takes, so that none is left out by hand. */
const functions = functionsOf(profileOf('helm3'));
const steady = functions
  .names()
  .filter((name) => !unsteady.test(name))
  .map((name) => ({ name, ...(functions.get(name) as FunctionDefinition) }));

const kindOfParam: Readonly<Record<string, 'any' | 'text' | 'int' | 'float' | 'bool' | 'list' | 'map'>> = {
  string: 'text',
  int: 'int',
  int64: 'int',
  uint32: 'int',
  float64: 'float',
  bool: 'bool',
  '[]interface {}': 'list',
  '[]string': 'list',
  'map[string]interface {}': 'map',
};

class ChartGenerator extends Generator {
  readonly files: Record<string, string> = {};
  /** Whether some subchart was given a plain value for its values: of two, Helm reports whichever Go's map yields first. */
  #hasPlainChild = false;
  /** Most charts avoid what surely fails, so that all of them is rendered and compared. */
  readonly #isCareful = this.chance(0.6);

  /** A call of any function, its arguments mostly of the types that it takes. */
  override call(depth: number): string {
    const { name, params, variadic } = this.pick(steady);
    const kinds = params.map((type) => kindOfParam[type] ?? 'any');
    if (variadic) {
      const last = kinds.pop() ?? 'any';
      for (let i = Math.floor(this.number() * 3); i > 0; i--) kinds.push(last);
    }
    if (this.chance(0.03)) kinds.push('any');
    if (this.chance(0.02)) kinds.pop();
    const args = kinds.map((kind) => this.expression(kind, depth - 1));
    // A million items are more than a chart may have here, on purpose.
    if (name === 'seq' || name.startsWith('until')) return `(${[name, ...args.map((arg) => arg.replaceAll('1e6', '40'))].join(' ')})`;
    return `(${[name, ...args].join(' ')})`;
  }

  /** The whole of `.` holds pointers, whose addresses are random: hashed or counted they cannot be masked. */
  override expression(kind: Kind, depth: number): string {
    const made = super.expression(kind, depth);
    return made === '.' || made === '$' ? '.Release' : made;
  }

  scalar(): string {
    return this.pick([
      '1',
      '0',
      '-7',
      '1.5',
      '1e3',
      '1000000',
      '12345678901',
      '0x1F',
      '010',
      'true',
      'no',
      'On',
      '~',
      'null',
      '""',
      'text',
      '"quoted: yes"',
      "'it''s'",
      '2024-01-02',
      '1:30',
      '1_000',
      '.5',
      'v1.2.3',
      '"1.10"',
      'ünï',
      '"a\\tb\\n"',
      '{{ .Values.s }}',
    ]).replace(/^\{\{.*$/, "'{{ .Values.s }}'");
  }

  /** A YAML value of some depth, written in flow style. */
  flow(depth: number): string {
    if (depth <= 0 || this.chance(0.5)) return this.scalar();
    const items = Array.from({ length: Math.floor(this.number() * 4) }, () => this.flow(depth - 1));
    if (this.chance(0.5)) return `[${items.join(', ')}]`;
    return `{${items.map((item) => `${this.pick(keys)}${Math.floor(this.number() * 3)}: ${item}`).join(', ')}}`;
  }

  /** YAML in block style: what people write by hand. */
  handwritten(mayBeWrong: boolean): string {
    return this.pick([
      'text: |\n  one\n    two\n\n  three',
      'text: >-\n  folded\n  text\n\n  and more\n    indented',
      'text: |+\n  kept\n\n',
      'text: "a \\\n  b\n  c"',
      'text:\n  - a: 1\n    b:\n    - x\n    -   y\n  -\n    c: 2 # a comment\n  - - 1\n    - 2',
      'text: &anchor\n  x: 1\n  y: [*none]'.replace('[*none]', '[1]\nderived:\n  <<: *anchor\n  y: 3'),
      'text: &t plain words\nderived: *t',
      "text: 'it''s\n  folded'",
      '? text\n: {a: 1,}',
      'text: !!str 12\nderived: !!float 3',
      '"text": 1e3\nderived: 0o17\nnumber: 0b11',
      'text: -x\nderived: ~x\nnumber: "\\x41\\u00e4"',
      ...(!mayBeWrong ? [] : ['text: 1\ntext: 2', 'text:\n\tbad: tab', '--- \ntext: second document', 'text: *none']),
    ]);
  }

  /** @param mayBeWrong of several files that are no YAML, Helm names whichever Go's map of subcharts yields first */
  valuesFile(names: readonly string[], mayBeWrong: boolean): string {
    const lines = [`s: ${this.pick(['text', 'Some text', "'{{ .Release.Name }}'"])}`];
    for (const key of keys) if (this.chance(0.6)) lines.push(`${key}: ${this.flow(3)}`);
    if (this.chance(0.5)) lines.push(this.handwritten(mayBeWrong && !this.#isCareful));
    if (this.chance(0.4)) lines.push(`global: {${this.pick(keys)}: ${this.flow(2)}, region: ${this.scalar()}}`);
    if (this.chance(0.3)) lines.push(`tags: {front: ${this.pick(['true', 'false', '"x"'])}}`);
    if (this.chance(0.3)) lines.push(`exports: {data: {${this.pick(keys)}: ${this.flow(1)}, added: 1}}`);
    for (const name of names) {
      if (!this.chance(0.7)) continue;
      const own = keys.filter(() => this.chance(0.3)).map((key) => `${key}: ${this.flow(2)}`);
      const isPlain = !this.#isCareful && !this.#hasPlainChild && this.chance(0.1);
      this.#hasPlainChild ||= isPlain;
      lines.push(
        `${name}: ${isPlain ? this.scalar() : `{enabled: ${this.pick(['true', 'false', 'null'])}${own.map((item) => `, ${item}`).join('')}}`}`,
      );
    }
    return `${lines.join('\n')}\n`;
  }

  /** A value as a template reads it. */
  read(): string {
    return this.pick([
      `.Values.${this.pick(keys)}`,
      !this.#isCareful && this.chance(0.4) ? `.Values.${this.pick(keys)}.${this.pick(keys)}0` : `.Values.${this.pick(keys)}`,
      '.Values.global',
      this.#isCareful ? '(.Values.global | default dict).region' : '.Values.global.region',
      '.Release.Name',
      '.Release',
      '.Chart.Name',
      '.Chart.Version',
      '.Chart.AppVersion',
      '.Values',
      '.Template.Name',
      '.Capabilities.KubeVersion.Minor',
      '(.Capabilities.APIVersions.Has "batch/v1")',
      '(.Files.Get "data.txt")',
      '(.Files.Glob "*.txt").AsConfig',
      '(.Files.Lines "data.txt")',
      '.Subcharts',
      '.Values.added',
      '.Values.text',
      '.Values.derived',
      '(index .Values "one" | default dict)',
      '.Release.IsUpgrade',
    ]);
  }

  /** Something that a range goes over. */
  many(): string {
    if (!this.#isCareful && this.chance(0.5)) return this.read();
    const value = `.Values.${this.pick(keys)}`;
    return this.pick([
      '.Values',
      '.Values.global',
      '.Release',
      '(.Files.Glob "*")',
      `(list 1 ${value} "x")`,
      `(dict "k" ${value} "a" 2)`,
      '.Values.none',
    ]);
  }

  /** A line of a manifest. */
  line(): string {
    const kind = this.pick([
      'quote',
      'quote',
      'json',
      'json',
      'yaml',
      'plain',
      'include',
      'tpl',
      'if',
      'range',
      'with',
      'set',
      'shared',
      'snippet',
      'snippet',
      'snippet',
      this.#isCareful ? 'snippet' : 'call',
    ]);
    switch (kind) {
      case 'quote':
        return `  q: {{ ${this.read()} | quote }}\n`;
      case 'json':
        return `  j: {{ ${this.read()} | toJson }}\n`;
      case 'yaml':
        return `  y:\n    {{- ${this.read()} | toYaml | nindent 4 }}\n`;
      case 'plain':
        return `  p: {{ ${this.read()} }}\n`;
      case 'include': {
        const names = ['help.name', 'help.name', 'top.label', ...(this.#isCareful ? [] : ['help.labels', 'none'])];
        return `  i: {{ include "${this.pick(names)}" ${this.pick(this.#isCareful ? ['.', '$'] : ['.', '.', '$', '.Values', 'nil'])} | ${this.pick(['quote', 'toJson', 'trim | quote'])} }}\n`;
      }
      case 'tpl': {
        const texts = [
          '(toString .Values.name)',
          '"{{ .Release.Name }}-{{ include \\"help.name\\" . }}"',
          '"{{ range list 1 2 }}{{ . }},{{ end }}"',
        ];
        const risky = ['.Values.s', '"{{ .none.x }}"'];
        return `  t: {{ tpl ${this.pick([...texts, ...(this.#isCareful ? [] : risky)])} ${this.pick(['.', '$'])} | quote }}\n`;
      }
      case 'call':
        return `  c: {{ ${this.call(2)} | toJson }}\n`;
      case 'if':
        return `  {{- if ${this.read()} }}\n  if: {{ ${this.read()} | toJson }}\n  {{- else if ${this.pick(['eq 1 1', this.read()])} }}\n  elif: 1\n  {{- else }}\n  else: 1\n  {{- end }}\n`;
      case 'range':
        return `  r:\n  {{- range $k, $v := ${this.many()} }}\n    - {{ $k | toJson }}\n${this.pick(['', '', '  {{- if eq (toString $k) "1" }}{{ break }}{{ end }}\n', '  {{- if $v }}{{ continue }}{{ end }}\n'])}    - {{ $v | toJson }}\n  {{- else }}\n    - none\n  {{- end }}\n`;
      case 'with':
        return `  {{- with ${this.read()} }}\n  w: {{ . | toJson }}\n  {{- else with ${this.read()} }}\n  v: {{ . | toJson }}\n  {{- else }}\n  u: 1\n  {{- end }}\n`;
      case 'set':
        return `  {{- $_ := set .Values "${this.pick(keys)}" (${this.pick(['dict "name0" 1', 'list 1 2', 'printf "%v" .Values.name', '.Values.global'])}) }}\n`;
      case 'shared':
        return `  {{- $_ := ${this.pick(['merge', 'mergeOverwrite'])} (${this.#isCareful ? 'dict "size1" (dict "y" 2)' : `${this.read()} | default dict`}) (dict "name0" "m" "size1" (dict "x" 1)) }}\n`;
      default:
        return this.snippet();
    }
  }

  /** A line of a kind that charts often have. */
  snippet(): string {
    const value = `.Values.${this.pick(keys)}`;
    // Subcharts hold pointers, whose addresses are random: cut or searched they cannot be masked.
    const text = `(toString ${this.read().replace('.Subcharts', '.Chart.Name')})`;
    const number = this.pick(['.Values.size', '1', '2.5', '1e6', '(int64 3)', '"4"', '0x10', value]);
    return this.pick([
      `  rt: {{ ${value} | toYaml | fromYaml | toJson }}\n`,
      `  ra: {{ ${value} | toYaml | fromYamlArray | toJson }}\n`,
      `  rj: {{ ${value} | toJson | fromJson | toJson }}\n`,
      `  rb: {{ ${this.read().replace('.Subcharts', '.Chart.Name')} | toJson | b64enc | b64dec | quote }}\n`,
      `  yp: |\n    {{- ${value} | toYamlPretty | nindent 4 }}\n`,
      `  tm: {{ dict "v" ${value} | toToml | quote }}\n`,
      `  n1: {{ int ${number} }} {{ float64 ${number} }} {{ int64 ${number} | toString | quote }} {{ ${number} | printf "%v %T" | quote }}\n`
        .replace('n1: {{ int', 'n1: {{ print (int')
        .replace(/ \}\} \{\{ float64/, ') }}-{{ float64'),
      `  cmp: {{ gt (int ${number}) 1 }}-{{ lt (float64 ${number}) 3.0 }}-{{ eq (toString ${number}) "1" }}-{{ max 1 ${number} }}-{{ add ${number} 1 }}-{{ mulf ${number} 1.5 }}\n`,
      `  dt: {{ toDate "2006-01-02" "2024-02-29" | date ${this.pick(['"Mon Jan 2 15:04:05 2006"', '"2006-01-02T15:04:05Z07:00"', '"Monday, 02-Jan-06 MST"', '"3:04PM .000"'])} | quote }}\n`,
      `  dm: {{ dateModify ${this.pick(['"-1.5h"', '"720h"', '"+1m1s"', '"bad"'])} (toDate "2006-01-02T15:04:05Z07:00" "2023-12-31T23:30:00+02:00") | unixEpoch | quote }}\n`,
      `  dz: {{ dateInZone "2006-01-02 15:04 MST" (toDate "2006-01-02" "2024-07-01") ${this.pick(['"UTC"', '"Europe/Berlin"', '"America/New_York"', '"Nowhere/X"'])} | quote }}\n`,
      `  sv: {{ semverCompare ${this.pick(['">=1.2.0"', '"^1.2 || ~2"', '">=1.0-0 <3"', '"!=1.3"', '"1.x"'])} ${this.pick(['"1.2.3"', '"v2.0.0-rc.1"', '"3"', '.Chart.Version', '.Capabilities.KubeVersion.Version'])} }}\n`,
      `  sm: {{ with semver ${this.pick(['"1.2.3-beta.1+b.7"', '"v10.0"', '.Chart.Version'])} }}{{ .Major }}.{{ .Minor }}.{{ .Patch }}-{{ .Prerelease }}+{{ .Metadata }} {{ .Original }}{{ end }}\n`,
      `  re: {{ regexReplaceAll ${this.pick(['"[^a-z0-9]+"', '"(\\\\w)(\\\\w*)"', '"^x?"', '"(?i)T"', '"\\\\s"'])} ${text} ${this.pick(['"-"', '"${2}_$1"', '""', '"$0$0"'])} | quote }}\n`,
      `  rf: {{ regexFindAll ${this.pick(['"[a-z]+"', '"\\\\d"', '"."', '"(a|b)*"'])} ${text} ${this.pick(['-1', '2', '0'])} | toJson }}\n`,
      `  tr: {{ ${text} | trunc ${this.pick(['5', '-3', '63'])} | trimSuffix "-" | quote }} # {{ ${text} | len }}\n`,
      `  st: {{ ${text} | ${this.pick(['title', 'snakecase', 'camelcase', 'kebabcase', 'upper', 'swapcase', 'initials', 'nospace', 'abbrev 8', 'wrap 10', 'sha256sum', 'squote', 'b32enc'])} | quote }}\n`,
      `  pf: {{ printf ${this.pick(['"%05d|%s"', '"%x|%q"', '"%v|%+v"', '"%8.3f|%-6s|"', '"%t|%T"', '"%[2]v %[1]v"', '"%d%%|%c"'])} ${number} ${value} | quote }}\n`,
      `  df: {{ ${value} | default ${this.pick(['"d"', '7', '(list 1)', '.Release.Name'])} | toJson }}\n`,
      `  dg: {{ dig "a" "b" "none" (dict "a" (dict ${this.pick(['"b"', '"c"'])} ${value})) | toJson }}\n`,
      `  pk: {{ pick (dict "a" 1 "b" ${value} "c" 3) "b" "z" | toJson }} # {{ omit (dict "a" 1 "b" 2) "a" | toJson }}\n`,
      `  li: {{ list 3 ${value} "x" | ${this.pick(['reverse', 'uniq', 'compact', 'rest', 'initial', 'sortAlpha', 'toStrings', 'chunk 2', 'has 3', 'join ","'])} | toJson }}\n`,
      `  fl: {{ range $p, $b := .Files.Glob "${this.pick(['*.txt', '**', 'crds/*', 'd?ta.txt', '{data,x}.txt'])}" }}{{ $p }}={{ $b | toString | quote }};{{ end }}\n`,
      `  fs:\n    {{- (.Files.Glob "*.txt").AsSecrets | nindent 4 }}\n`,
      `  fb: {{ .Files.GetBytes "data.txt" | toString | quote }}{{ range .Files.Lines "data.txt" }} # {{ . }}{{ end }}\n`,
      `  ca: {{ .Capabilities.APIVersions.Has "${this.pick(['apps/v1', 'batch/v9', 'apps/v1/Deployment', 'none'])}" }}-{{ .Capabilities.KubeVersion.Major }}-{{ .Capabilities.KubeVersion.GitVersion }}\n`,
      `  tb: {{ .Template.BasePath }} {{ .Template.Name | base | quote }}\n`,
      `  lk: {{ lookup "v1" "Secret" "ns" "${this.pick(['', 'x'])}" | toJson }}\n`,
      `  {{- $x := 1 }}{{ if ${value} }}{{ $x = 2 }}{{ $y := 3 }}{{ else }}{{ $x = "n" }}{{ end }}\n  vs: {{ $x }}\n`,
      `  {{- range $i, $e := list ${value} ${number} }}\n  r{{ $i }}: {{ typeOf $e }} {{ kindOf $e }}\n  {{- end }}\n`,
      `  {{- range $i := ${this.pick(['3', 'until 2', '(int .Values.none)'])} }}\n  i{{ $i }}: {{ mod $i 2 }}\n  {{- end }}\n`,
      `  {{/* a comment */}}\n  # {{ ${text} | replace "\\n" " " }}\n  cc: {{ coalesce ${value} .Release.Name | toJson }}\n`,
      `  bl: |\n    ---\n    # not a separator\n    {{ .Release.Name }}\n`,
      `  rq: {{ required "it is needed" ${this.#isCareful ? '.Release.Name' : value} | toJson }}\n`,
      `  ur: {{ urlParse "https://u:p@h:8443/a%2Fb?q=1#f" | toJson }} # {{ urlJoin (dict "scheme" "http" "host" "h" "path" "/x y") }}\n`,
      `  me: {{ merge (dict "a" 1) (dict "a" 2 "b" ${value}) | toJson }} # {{ mergeOverwrite (dict "a" (dict "x" 1)) (dict "a" (dict "y" 2)) | toJson }}\n`,
    ]);
  }

  manifest(): string {
    const kind = this.pick(['ConfigMap', 'Service', 'Deployment', 'Secret', 'Job', 'Namespace', 'Widget', 'ServiceAccount', 'APIService']);
    const notes = [
      '"helm.sh/hook": pre-install',
      '"helm.sh/hook": post-install,pre-upgrade',
      '"helm.sh/hook": test',
      '"helm.sh/hook": nonsense',
      '"helm.sh/hook-weight": "5"',
      '"helm.sh/hook-delete-policy": before-hook-creation,hook-succeeded',
      '"helm.sh/hook": "pre-delete, post-rollback"',
      '"helm.sh/resource-policy": keep',
      'plain: "1"',
    ];
    const annotations = this.chance(0.3)
      ? `  annotations:\n    ${this.pick(notes)}\n${this.chance(0.3) ? '    "helm.sh/hook-weight": "-3"\n' : ''}`
      : '';
    const lines = Array.from({ length: 1 + Math.floor(this.number() * 4) }, () => this.line()).join('');
    return `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: {{ .Release.Name }}-${this.pick(keys)}\n${annotations}data:\n${lines}`;
  }

  template(): string {
    const parts = Array.from({ length: this.chance(0.7) ? 1 : 2 }, () => this.manifest());
    const separator = this.pick([
      '---\n',
      '---\n',
      '--- # c\n',
      '\n---\n\n',
      '---\n# only a comment\n---\n',
      '---   \n',
      '---\n---\n',
      '# before\n---\n# after\n',
      '{{ "---" }}\n',
    ]);
    const text = (this.chance(0.2) ? '---\n' : '') + parts.join(separator);
    return this.chance(0.1) ? `{{- if ${this.read()} }}\n${text}{{- end }}\n` : text + this.pick(['', '', '\n', '\n\n', '---\n']);
  }

  helpers(name: string): string {
    return [
      `{{- define "help.name" -}}\n${this.pick([`${name}-{{ .Chart.Name }}`, '{{ .Release.Name | upper }}', '{{ .Values.s }}'])}\n{{- end }}\n`,
      this.chance(0.6) ? `{{ define "help.labels" }}\na: {{ .Values.name | toJson }}\nb: {{ template "help.name" . }}{{ end }}\n` : '',
      name === 'top' ? '{{ define "top.label" }}{{ .Values.global | toJson }}{{ end }}' : '',
    ].join('');
  }

  chart(folder: string, name: string, depth: number): void {
    const children: string[] = [];
    const dependencies: string[] = [];
    for (const child of ['one', 'two']) {
      if (depth <= 0 || !this.chance(0.4)) continue;
      const parts = [`name: ${child}`, `version: ${this.pick(['1.0.0', '">=1.0.0"', '~1.0', '"*"', '^1.0.0-0'])}`];
      const alias = this.chance(0.2) ? 'other' : undefined;
      if (alias) parts.push(`alias: ${alias}`);
      if (this.chance(0.4)) parts.push(`condition: ${this.pick([`${child}.enabled`, 'other.enabled', `none.x,${child}.enabled`, 'size'])}`);
      if (this.chance(0.2)) parts.push('tags: [front]');
      if (this.chance(0.3))
        parts.push(
          `import-values: ${this.pick(['[data]', '[{child: size, parent: copied}]', '[{child: exports.data, parent: .}]', '[none]'])}`,
        );
      dependencies.push(`- {${parts.join(', ')}}`);
      children.push(alias ?? child);
      this.chart(`${folder}charts/${child}/`, child, depth - 1);
    }
    const library = depth === 0 && this.chance(0.15);
    const meta = ['apiVersion: v2', `name: ${name}`, 'version: 1.0.0'];
    if (library) meta.push('type: library');
    if (this.chance(0.5)) meta.push('appVersion: "1.16"');
    if (this.chance(0.01)) meta.push('kubeVersion: ">=1.30.0-0"');
    if (this.chance(0.2)) meta.push('keywords: [a, b]', 'annotations: {x: y}');
    if (dependencies.length > 0) meta.push('dependencies:', ...dependencies);
    this.files[`${folder}Chart.yaml`] = `${meta.join('\n')}\n`;
    if (this.chance(0.9)) this.files[`${folder}values.yaml`] = this.valuesFile(children, folder === '');
    this.files[`${folder}templates/_helpers.tpl`] = this.helpers(name);
    for (const file of ['a.yaml', 'b.yaml', 'deep/c.yaml'])
      if (this.chance(0.5)) this.files[`${folder}templates/${file}`] = this.template();
    if (this.chance(0.3)) this.files[`${folder}templates/NOTES.txt`] = `Thanks {{ ${this.read()} }}\n${this.line()}`;
    if (this.chance(0.5)) this.files[`${folder}data.txt`] = this.pick(['one\ntwo\n', '', 'no end', 'ä\r\nb']);
    if (this.chance(0.2)) this.files[`${folder}crds/c.yaml`] = 'kind: CustomResourceDefinition\nmetadata: {name: c}\n';
    if (this.chance(0.08)) this.files[`${folder}values.schema.json`] = makeSchema(this);
  }

  set(): readonly [SetKind, string] {
    const path = this.pick([
      'name',
      'size',
      'one.name',
      'two.size.name0',
      'global.region',
      'ports[0]',
      'ports[1].name',
      'other.enabled',
      'one.enabled',
      'a\\.b',
      'tags.front',
      'map.name0.size0',
      'ports[0][1]',
      'ports[2]',
      ...(this.#isCareful ? [] : ['flag.a,size']),
      'name.name0=1,map.x[0]',
      ...(this.#isCareful ? [] : ['two']),
    ]);
    const value = this.pick([
      '1',
      'true',
      'null',
      'text',
      '{a,b}',
      '01',
      '1.5',
      '',
      'x\\,y',
      '{}',
      '{1,{}',
      '1e3',
      '0x1F',
      'a=b',
      '-5',
      ' x ',
      '"q"',
      '12345678901234',
    ]);
    const kind = this.pick<SetKind>(['set', 'set', 'set', 'set-string', 'set-json', 'set-literal']);
    return [
      kind,
      `${path}=${kind === 'set-json' ? this.pick(['{"a":[1,null]}', '[]', 'null', '"s"', '1.50', '{"b":{"c":1e3}}', ...(this.#isCareful ? [] : ['{bad'])]) : value}`,
    ];
  }

  make(): ChartCase {
    this.chart('', 'top', 2);
    return {
      files: this.files,
      values: this.chance(0.3) ? this.valuesFile(['one', 'two', 'other'], true) : undefined,
      sets: Array.from({ length: this.chance(0.4) ? 1 + Math.floor(this.number() * 2) : 0 }, () => this.set()),
      flags: {
        namespace: this.pick(['default', 'default', 'spaces']),
        kubeVersion: this.pick(['1.34.1', 'v1.29.3', '1.31.0-gke.5']),
        apiVersions: this.chance(0.1) ? ['batch/v9'] : [],
        includeCrds: this.chance(0.2),
        isUpgrade: this.chance(0.1),
        noHooks: this.chance(0.1),
        skipTests: this.chance(0.1),
      },
    };
  }
}

const keys = ['name', 'size', 'ports', 'map', 'flag'];

/** The chart of a seed: always the same. */
export function makeChart(seed: number): ChartCase {
  return new ChartGenerator(seed).make();
}
