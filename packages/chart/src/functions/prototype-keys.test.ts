import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadChart } from '../loader/load.ts';
import { nodeCrypto } from '../node/crypto.ts';
import { render } from '../render/render.ts';

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
