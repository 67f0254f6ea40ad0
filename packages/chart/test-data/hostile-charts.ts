import type { HostileChart } from './hostile.ts';

/**
 * Whole charts from strangers: what is wrong with them is their values, schemas, dependencies, or how much there is of
 * something. Each says how it must end: `CODE FILE:LINE`, or `renders`. They are large, and made when they are asked for.
 */
export interface HostileWhole extends HostileChart {
  readonly ends: string;
}

const many = (count: number, make: (index: number) => string, between = ''): string =>
  Array.from({ length: count }, (_item, i) => make(i)).join(between);
const loop = (body: string): string => `{{ range until 9999 }}{{ range until 9999 }}${body}{{ end }}{{ end }}`;
const chartYaml = (name: string, rest = ''): string => `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${rest}`;
const dependsOn = (...entries: readonly string[]): string =>
  `dependencies:\n${entries.map((entry) => `- {version: 1.0.0, ${entry}}\n`).join('')}`;
const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]\n`).join('')}`;
const keys = (count: number): string => many(count, (i) => `k${i}: {a: 1}`, '\n');

/** Every chart has one below it, to a depth; each is there twice, under two names. */
function nested(depth: number, names: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (let i = 0; i <= depth; i++) {
    const aliases = i < depth ? dependsOn(...names.map((name) => `name: s, alias: ${name}`)) : '';
    files[`${'charts/s/'.repeat(i)}Chart.yaml`] = chartYaml(i === 0 ? 'h' : 's', names.length > 0 ? aliases : '');
    files[`${'charts/s/'.repeat(i)}templates/t.yaml`] = 'a: 1';
  }
  return files;
}

function subcharts(count: number, below: boolean): Record<string, string> {
  const files: Record<string, string> = {
    'Chart.yaml': chartYaml('h', dependsOn(...Array.from({ length: count }, (_item, i) => `name: s${i}`))),
  };
  for (let i = 0; i < count; i++) {
    files[`charts/s${i}/Chart.yaml`] = chartYaml(`s${i}`, below ? dependsOn('name: c') : '');
    if (below) files[`charts/s${i}/charts/c/Chart.yaml`] = chartYaml('c');
  }
  return files;
}

const imports = (lines: string): Record<string, string> => ({
  'Chart.yaml': chartYaml('h', `dependencies:\n- name: s\n  version: 1.0.0\n  import-values:\n${lines}`),
  'charts/s/Chart.yaml': chartYaml('s'),
});

const branching = (word: string, last: string): string =>
  `{\n"$defs":{\n${many(40, (i) => `"d${i}":{"${word}":[{"$ref":"#/$defs/d${i + 1}"},{"$ref":"#/$defs/d${i + 1}"}]}`, ',\n')},\n"d40":${last}},\n"$ref":"#/$defs/d0"}`;

const printed = 'LIMIT_EXCEEDED h/templates/a.yaml:line';

export const hostileCharts: Readonly<Record<string, () => HostileWhole>> = {
  // Dependencies
  'a chart that depends on itself': () => ({
    template: 'a: 1',
    files: {
      'Chart.yaml': chartYaml('h', dependsOn('name: h, repository: "file://."')),
      'charts/h/Chart.yaml': chartYaml('h', dependsOn('name: h, repository: "file://../.."')),
    },
    ends: 'renders',
  }),
  'two charts that depend on each other': () => ({
    template: 'a: 1',
    files: {
      'Chart.yaml': chartYaml('h', dependsOn('name: a, alias: b', 'name: b, alias: a')),
      'charts/a/Chart.yaml': chartYaml('a', dependsOn('name: b, repository: "file://../b", condition: h.b.on')),
      'charts/b/Chart.yaml': chartYaml('b', dependsOn('name: a, repository: "file://../a", condition: h.a.on')),
    },
    ends: 'renders',
  }),
  'aliases below aliases': () => ({ template: 'a: 1', files: nested(30, ['a', 'b']), ends: 'LIMIT_EXCEEDED .*/Chart.yaml:4' }),
  'charts in charts in charts': () => ({ template: 'a: 1', files: nested(40, []), ends: 'LIMIT_EXCEEDED charts/s/.*' }),
  'one chart under five thousand names': () => ({
    template: 'a: 1',
    files: {
      'Chart.yaml': chartYaml('h', dependsOn(...Array.from({ length: 5000 }, (_item, i) => `name: s, alias: s${i}`))),
      'charts/s/Chart.yaml': chartYaml('s'),
      'charts/s/values.yaml': keys(2000),
    },
    ends: 'LIMIT_EXCEEDED h/Chart.yaml:4',
  }),
  'large values for three thousand charts': () => ({
    template: 'a: 1',
    values: keys(60_000),
    files: subcharts(3000, true),
    ends: 'LIMIT_EXCEEDED h/.*Chart.yaml:4',
  }),
  'large globals for three thousand charts': () => ({
    template: 'a: 1',
    values: `x: 1\nglobal:\n${keys(60_000).replace(/^/gm, '  ')}`,
    files: subcharts(3000, false),
    ends: 'LIMIT_EXCEEDED h/Chart.yaml:4',
  }),
  'a condition of a million paths': () => ({
    template: 'a: 1',
    files: {
      'Chart.yaml': chartYaml('h', dependsOn(`name: s, condition: "${'a.b,'.repeat(1_000_000)}"`)),
      'charts/s/Chart.yaml': chartYaml('s'),
    },
    ends: 'renders',
  }),
  'twenty thousand import-values': () => ({
    template: 'a: 1',
    files: { ...imports('  - {child: a, parent: b}\n'.repeat(20_000)), 'charts/s/values.yaml': `a:\n${keys(20_000).replace(/^/gm, '  ')}` },
    ends: 'LIMIT_EXCEEDED h/Chart.yaml:4',
  }),
  'import-values to a deep place': () => ({
    template: 'a: 1',
    files: { ...imports(`  - {child: a, parent: ${'b.'.repeat(500_000)}b}\n`), 'charts/s/values.yaml': 'a: {b: 1}' },
    ends: 'LIMIT_EXCEEDED h/Chart.yaml:4',
  }),
  'import-values into themselves': () => ({
    template: 'a: {{ toYaml .Values | len }}',
    files: {
      ...imports(
        `  - {child: a, parent: s.a.x}\n  - {child: a, parent: s.a.x.z}\n${many(60, (i) => `  - {child: a${'.x'.repeat(i)}, parent: s.a.x${'.x'.repeat(i)}}\n`)}`,
      ),
      'charts/s/values.yaml': 'a: {b: 1, x: {c: 1}}',
    },
    ends: 'LIMIT_EXCEEDED h/Chart.yaml:4',
  }),
  // Aliases of YAML
  'values of aliases': () => ({ template: 'a: 1', values: bomb, ends: 'CHART_INVALID values.yaml:4' }),
  'values of aliases in a subchart': () => ({
    template: 'a: 1',
    files: { 'charts/s/Chart.yaml': chartYaml('s'), 'charts/s/values.yaml': `x: 1\n---\n${bomb}` },
    ends: 'CHART_INVALID charts/s/values.yaml:6',
  }),
  'a Chart.yaml of aliases': () => ({
    template: 'a: 1',
    files: { 'Chart.yaml': chartYaml('h', `annotations:\n${bomb.replace(/^/gm, '  ')}`) },
    ends: 'CHART_INVALID Chart.yaml:8',
  }),
  'a lock of aliases': () => ({ template: 'a: 1', files: { 'Chart.lock': bomb }, ends: 'CHART_INVALID Chart.lock:4' }),
  'a printed document of aliases': () => ({ template: bomb, ends: 'MANIFEST_INVALID h/templates/a.yaml:' }),
  'merge keys without end': () => ({
    template: `a: &a {${many(3000, (i) => `k${i}: 1`, ', ')}}\n${many(90, (i) => `b${i}: {<<: *a}`, '\n')}`,
    ends: `${printed} 51`,
  }),
  // Depth and size of documents
  'values that are nested': () => ({ template: 'a: 1', values: `a: 1\nb: ${'['.repeat(100_000)}`, ends: 'LIMIT_EXCEEDED values.yaml:2' }),
  'values of a million lists': () => ({
    template: 'a: 1',
    values: `a: 1\nb: [${'[],'.repeat(1_000_000)}]`,
    ends: 'LIMIT_EXCEEDED values.yaml:2',
  }),
  'values files of twenty subcharts': () => ({
    template: 'a: 1',
    files: Object.fromEntries(
      Array.from(
        { length: 19 },
        (_item, i) =>
          [
            [`charts/s${i}/Chart.yaml`, chartYaml(`s${i}`)],
            [`charts/s${i}/values.yaml`, many(200_000, (j) => `k${j}: 12345678901`, '\n')],
          ] as const,
      ).flat(),
    ),
    ends: 'LIMIT_EXCEEDED charts/s\\d+/values.yaml:1',
  }),
  'a printed document that is nested': () => ({ template: `a:\n  b: ${'['.repeat(100_000)}`, ends: `${printed} 3` }),
  'a printed block that is nested': () => ({ template: many(3000, (i) => `${' '.repeat(i)}a:\n`), ends: `${printed} 1001` }),
  'documents of many templates': () => ({
    template: 'a: 1',
    files: Object.fromEntries(Array.from({ length: 2000 }, (_item, i) => [`templates/t${i}.yaml`, '{{ repeat 1000 "---\\na: 1\\n" }}'])),
    ends: 'LIMIT_EXCEEDED h/templates/t\\d+.yaml:line \\d+',
  }),
  'large printed documents': () => ({
    template: 'a: 1',
    files: Object.fromEntries(
      Array.from({ length: 16 }, (_item, i) => [`templates/t${i}.yaml`, many(200_000, (j) => `k${j}: 12345678901`, '\n')]),
    ),
    ends: 'LIMIT_EXCEEDED h/templates/t\\d+.yaml:.*',
  }),
  'a printed text of odd YAML': () => ({ template: `x: &a 1\n${many(140_000, (i) => `b${i}: "\\x41"\n`)}`, ends: 'renders' }),
  'a document in JSON that is nested': () => ({
    template: '{{ $x := fromJsonArray (print (repeat 5000 "[") (repeat 5000 "]")) }}',
    ends: 'LIMIT_EXCEEDED h/templates/a.yaml:2',
  }),
  'a document in YAML that is nested': () => ({
    template: '{{ $x := fromYaml (print "a: " (repeat 5000 "[")) }}',
    ends: 'LIMIT_EXCEEDED h/templates/a.yaml:2',
  }),
  'a document in TOML that is nested': () => ({ template: 'a: {{ fromToml (print "a=" (repeat 100000 "[")) | len }}', ends: 'renders' }),
  'tables in TOML': () => ({
    template: 'a: {{ fromToml (repeat 1000 (print "[a" (repeat 500 ".a") "]\\n")) | toJson | len }}',
    ends: 'renders',
  }),
  // Schemas
  'a schema of references in a ring': () => ({
    template: 'a: 1',
    schema: '{\n"$defs":{\n"a":{"$ref":"#/$defs/b"},\n"b":{"$ref":"#/$defs/a"}},\n"$ref":"#/$defs/a"}',
    ends: 'SCHEMA_VIOLATION undefined:undefined',
  }),
  'a schema of any of two': () => ({
    template: 'a: 1',
    schema: branching('anyOf', 'false'),
    ends: 'LIMIT_EXCEEDED h/values.schema.json:4\\d',
  }),
  'a schema of one of two': () => ({
    template: 'a: 1',
    schema: branching('oneOf', 'false'),
    ends: 'LIMIT_EXCEEDED h/values.schema.json:4\\d',
  }),
  'a schema that is nested': () => ({
    template: 'a: 1',
    schema: `${'{"not":'.repeat(100_000)}true${'}'.repeat(100_000)}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema of a subchart': () => ({
    template: 'a: 1',
    files: { 'charts/s/Chart.yaml': chartYaml('s'), 'charts/s/values.schema.json': branching('allOf', 'true') },
    ends: 'LIMIT_EXCEEDED h/charts/s/values.schema.json:\\d+',
  }),
  'a schema of large constants': () => ({
    template: 'a: 1',
    values: `a: [${'1,'.repeat(20_000)}1]`,
    schema: `{"$defs":{"c":{"const":[${'1,'.repeat(20_000)}1]}},\n"properties":{"a":{"allOf":[${many(20_000, () => '{"$ref":"#/$defs/c"}', ',')}]}}}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema of long lists of choices': () => ({
    template: 'a: 1',
    values: `a: [${'1,'.repeat(20_000)}1]`,
    schema: `{"properties":{"a":{"enum":[${many(100, () => `[${'1,'.repeat(20_000)}2]`, ',')}]}}}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema of long texts': () => ({
    template: 'a: 1',
    values: `a: ${'a'.repeat(1_000_000)}`,
    schema: `{"properties":{"a":{"allOf":[${many(50_000, () => '{"minLength":1}', ',')}]}}}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema with much to say': () => ({
    template: 'a: 1',
    values: `a: ${'a'.repeat(1_000_000)}`,
    schema: `{\n"properties":{\n"a":{"allOf":[\n${many(50_000, () => '{"pattern":"b"}', ',\n')}]}}}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:\\d+',
  }),
  'a schema of much that is required': () => ({
    template: 'a: 1',
    schema: `{"$defs":{"c":{"required":[${many(100_000, (i) => `"k${i}"`, ',')}]}},"anyOf":[${many(50_000, () => '{"$ref":"#/$defs/c"}', ',')},true]}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema of patterns': () => ({
    template: 'a: 1',
    values: 'a: 1',
    schema: `{"patternProperties":{${many(50_000, (i) => `"(a{1,900})${i}":true`, ',')}}}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  'a schema with a pattern that looks back': () => ({
    template: 'a: 1',
    values: `a: ${'a'.repeat(100_000)}`,
    schema: '{"properties":{\n"a":{"pattern":"^(a+)+$|(.*a){20}b"}}}',
    ends: 'LIMIT_EXCEEDED h/values.schema.json:2',
  }),
  'a schema whose references are long': () => ({
    template: 'a: 1',
    schema: `{"allOf":[${many(3000, () => `{"$ref":"#${'/a'.repeat(700)}"}`, ',')}]}`,
    ends: 'SCHEMA_VIOLATION undefined:undefined',
  }),
  'a schema of its own parts': () => ({
    template: 'a: 1',
    values: many(5000, (i) => `k${i}: 1`, '\n'),
    schema: `{"$defs":{"c":{"unevaluatedProperties":true}},"allOf":[${many(5000, () => '{"$ref":"#/$defs/c"}', ',')}]}`,
    ends: 'LIMIT_EXCEEDED h/values.schema.json:1',
  }),
  // Templates
  'actions that are nested': () => ({
    template: `${'{{ if 1 }}'.repeat(100_000)}${'{{ end }}'.repeat(100_000)}`,
    ends: 'TEMPLATE_PARSE h/templates/a.yaml:2',
  }),
  'parentheses that are nested': () => ({
    template: `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`,
    ends: 'TEMPLATE_PARSE h/templates/a.yaml:2',
  }),
  'an else without end': () => ({
    template: `{{ if 0 }}${'{{ else if 0 }}'.repeat(100_000)}{{ end }}`,
    ends: 'TEMPLATE_PARSE h/templates/a.yaml:2',
  }),
  'a hundred thousand variables': () => ({
    template: many(100_000, (i) => `{{ $v${i} := 1 }}`) + '{{ $v0 }}'.repeat(20_000),
    ends: 'TEMPLATE_PARSE h/templates/a.yaml:2',
  }),
  'a hundred thousand definitions': () => ({ template: many(100_000, (i) => `{{ define "a${i}" }}{{ end }}`), ends: 'renders' }),
  'a long pipeline': () => ({ template: `a: {{ 1 ${'| print '.repeat(200_000)}}}`, ends: 'renders' }),
  'half a million arguments': () => ({
    template: `{{ print ${'1 '.repeat(500_000)}}}`,
    ends: '(LIMIT_EXCEEDED|MANIFEST_INVALID) h/templates/a.yaml:.*',
  }),
  'templates of words': () => ({
    template: 'a: 1',
    files: Object.fromEntries(
      Array.from({ length: 19 }, (_item, i) => [`templates/t${i}.yaml`, many(120_000, (j) => `\n{{ .Values.a${i}x${j} | quote }}`)]),
    ),
    ends: 'LIMIT_EXCEEDED h/templates/t\\d+.yaml:\\d+',
  }),
  'a comment without end': () => ({ template: `{{/* ${'x'.repeat(4_000_000)}`, ends: 'TEMPLATE_PARSE h/templates/a.yaml:\\d' }),
  'a tpl of nested actions': () => ({
    template: '{{ tpl (print (repeat 5000 "{{ if 1 }}") (repeat 5000 "{{ end }}")) . }}',
    ends: 'TEMPLATE_EXECUTION h/templates/a.yaml:2',
  }),
  'large texts of templates': () => ({
    template: 'a: 1',
    files: Object.fromEntries(Array.from({ length: 19 }, (_item, i) => [`templates/t${i}.yaml`, `a: |\n  ${'x'.repeat(5_000_000)}`])),
    ends: 'LIMIT_EXCEEDED h/templates/t\\d+.yaml:1',
  }),
  'ten thousand files in a glob': () => ({
    template: loop('{{ $x := $.Files.Glob "**" }}'),
    files: Object.fromEntries(Array.from({ length: 10_000 }, (_item, i) => [`f${i}`, 'x'])),
    ends: 'LIMIT_EXCEEDED h/templates/a.yaml:2',
  }),
  'files kept as bytes': () => ({
    template: `{{ $d := list }}${loop('{{ $d = list $d ($.Files.GetBytes "a.txt") ($.Files.Get "a.txt") }}')}`,
    files: { 'a.txt': 'é\n'.repeat(1_000_000) },
    ends: 'LIMIT_EXCEEDED h/templates/a.yaml:2',
  }),
  'more files than are allowed': () => ({
    template: 'a: 1',
    files: Object.fromEntries(Array.from({ length: 20_001 }, (_item, i) => [`f${i}`, ''])),
    ends: 'LIMIT_EXCEEDED f\\d+:',
  }),
};
