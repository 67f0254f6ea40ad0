import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadChart } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { render } from '../render/render.ts';
import { applySet } from '../values/set.ts';

/** Names that JavaScript's objects have by birth are keys like any other, in every function that takes a map. */

const words = Object.getOwnPropertyNames(Object.prototype);
const data = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Uses a key in all of them; KEY stands for it. */
const template = `
{{- $d := dict "KEY" "v" "other" 1 }}
{{- $made := list $d (set (dict) "KEY" "v") (fromYaml "KEY: v") (fromJson "{\\"KEY\\":\\"v\\"}") (fromToml "KEY = 'v'") (pick $d "KEY")
  (omit $d "other") (merge (dict) $d) (mergeOverwrite (dict "KEY" 2) $d) (deepCopy $d) (mustMerge (dict "KEY" "v") (dict "KEY" 1)) .Values }}
{{- range $i, $m := $made }}
{{- if ne (get $m "KEY") "v" }}{{ fail (printf "get %d" $i) }}{{ end }}
{{- if not (hasKey $m "KEY") }}{{ fail (printf "hasKey %d" $i) }}{{ end }}
{{- if ne (index $m "KEY") "v" }}{{ fail (printf "index %d" $i) }}{{ end }}
{{- if not (has "KEY" (keys $m)) }}{{ fail (printf "keys %d" $i) }}{{ end }}
{{- if not (contains "KEY" (print (toJson $m) )) }}{{ fail (printf "toJson %d" $i) }}{{ end }}
{{- if not (contains "KEY: v" (toYaml $m)) }}{{ fail (printf "toYaml %d" $i) }}{{ end }}
{{- if ne (len (pluck "KEY" $m (dict))) 1 }}{{ fail (printf "pluck %d" $i) }}{{ end }}
{{- end }}
{{- if hasKey (unset $d "KEY") "KEY" }}{{ fail "unset" }}{{ end }}
{{- range $m := list (dict) (fromYaml "a: 1") (omit (dict "KEY" 1) "KEY") }}
{{- if or (hasKey $m "KEY") (get $m "KEY") (index $m "KEY") (has "KEY" (keys $m)) }}{{ fail "a key that nobody set" }}{{ end }}
{{- if ne (dig "KEY" "none" $m) "none" }}{{ fail "dig" }}{{ end }}
{{- end }}
ok: yes
`;

/** The same words everywhere else that names can stand: files, definitions, subcharts, schemas, arguments, variables. */
const elsewhere = (word: string): Record<string, string> => ({
  'Chart.yaml': `apiVersion: v2
name: h
version: 1.0.0
annotations: {${word}: v}
dependencies:
- {name: s, version: 1.0.0, alias: ${word}, condition: ${word}.${word}, tags: [${word}], import-values: [${word}, {child: ${word}, parent: ${word}}]}
- {name: unused, version: 1.0.0, condition: unused.${word}}
`,
  'values.yaml': `tags: {${word}: true}\n${word}: {${word}: true, given: 1}\nunused: {${word}: false}\n`,
  'values.schema.json': `{"properties":{"${word}":{"required":["${word}"],"properties":{"${word}":{"type":"boolean"}},"patternProperties":{"${word}":{"type":"boolean"}}}},
"definitions":{"${word}":{"type":"object"}},"dependencies":{"${word}":["${word}"]},"allOf":[{"properties":{"${word}":{"$ref":"#/definitions/${word}"}}}]}`,
  'charts/s/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
  'charts/s/values.yaml': `exports: {${word}: {${word}: {exported: 1}}}\n${word}: {own: 1}\n`,
  [`charts/s/templates/${word}/a.yaml`]: `a: {{ .Values.given }}{{ .Chart.Name }}`,
  'charts/unused/Chart.yaml': 'apiVersion: v2\nname: unused\nversion: 1.0.0\n',
  'charts/unused/templates/a.yaml': 'a: unused',
  [word]: 'text',
  [`templates/${word}/a.yaml`]: `{{ define "${word}" }}{{ . }}{{ end -}}
a:
- {{ include "${word}" "included" }}
- {{ template "${word}" "template" }}
- {{ tpl "{{ include \\"${word}\\" \\"tpl\\" }}" . }}
- {{ .Files.Get "${word}" }}{{ len (.Files.Glob "${word}") }}{{ index .Files "${word}" | toString }}
- {{ index .Chart.Annotations "${word}" }}
- {{ .Values.${word}.exported }}{{ .Values.${word}.set }}
- {{ range $${word}, $v := dict "${word}" 1 }}{{ $${word} }}{{ $v }}{{ end }}
- {{ (index .Subcharts "${word}").Chart.Name }}
- {{ .Capabilities.APIVersions.Has "${word}" }}{{ .Capabilities.APIVersions.Has "v1/${word}" }}
- {{ (lookup "v1" "Pod" "n" "${word}").${word} }}{{ .Template.Name }}
- x{{ toToml (dict "${word}" (dict "${word}" 1)) | quote }}{{ (fromToml "[${word}]\\n${word} = 1").${word}.${word} }}
- {{ range regexSplit "x" "${word}" -1 }}{{ . }}{{ end }}{{ (urlParse "http://${word}/").host }}{{ index (split "-" "${word}") "_0" }}
`,
});

test('words of the prototype are plain names of files, definitions, charts, schemas and variables', () => {
  for (const word of ['prototype', ...words]) {
    const chart = loadChart(Object.entries(elsewhere(word)).map(([name, text]) => ({ name, data: data(text) })));
    const values = applySet('set', `${word}.set=1,${word}.list[0].${word}=2`, new Map());
    applySet('set-json', `${word}.json={"${word}":{"${word}":1}}`, values);
    const { manifests } = render(chart, {
      release: { name: 'r', namespace: 'n' },
      values,
      crypto: nodeCrypto,
      apiVersions: [`v1/${word}`],
    });
    const texts = new Map(manifests.map(({ source, content }) => [source, content.trim()]));
    expect([...texts.keys()].sort(), word).toEqual([`h/charts/${word}/templates/${word}/a.yaml`, `h/templates/${word}/a.yaml`].sort());
    expect(texts.get(`h/charts/${word}/templates/${word}/a.yaml`), word).toBe(`a: 1${word}`);
    expect(texts.get(`h/templates/${word}/a.yaml`)?.split('\n').slice(1), word).toEqual([
      '- included',
      '- template',
      '- tpl',
      '- text1text',
      '- v',
      '- 11',
      `- ${word}1`,
      `- ${word}`,
      '- falsetrue',
      `- h/templates/${word}/a.yaml`,
      `- x"[${word}]\\n  ${word} = 1\\n"1`,
      `- ${word.replaceAll('x', '')}${word}${word}`,
    ]);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(words);
  expect(({} as Record<string, unknown>)['set']).toBeUndefined();
});

test('words of the prototype are plain keys', () => {
  fc.assert(
    fc.property(fc.constantFrom('prototype', ...words), (word) => {
      const files = {
        'Chart.yaml': 'apiVersion: v2\nname: h\nversion: 1.0.0',
        'values.yaml': `${word}: v`,
        'templates/a.yaml': template.replaceAll('KEY', word),
      };
      const chart = loadChart(Object.entries(files).map(([name, text]) => ({ name, data: data(text) })));
      const { manifests } = render(chart, { release: { name: 'r', namespace: 'n' }, crypto: nodeCrypto });
      expect(manifests[0]?.content.trim()).toBe('ok: yes');
    }),
    { numRuns: 60 },
  );
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(words);
  expect(({} as Record<string, unknown>)['other']).toBeUndefined();
});
