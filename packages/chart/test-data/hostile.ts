/** Charts from strangers who mean harm: each must end with an error of its own, soon and small. */

export interface HostileChart {
  readonly template: string;
  readonly values?: string;
  readonly schema?: string;
  /** Further files of the chart. */
  readonly files?: Readonly<Record<string, string>>;
  /** `--set` arguments. */
  readonly sets?: readonly string[];
}

const loop = (body: string): string => `{{ range until 9999 }}{{ range until 9999 }}${body}{{ end }}{{ end }}`;
const big = '{{ $b := repeat 1000000 "Aa- " }}';
const list = '{{ $l := splitList "" (repeat 100000 "xyzab") }}';
const dag = '{{ $d := dict "k" "v" }}{{ range until 60 }}{{ $d = dict "a" $d "b" $d }}{{ end }}';
const cycle = '{{ $d := dict "k" 1 }}{{ $_ := set $d "a" $d }}{{ $_ := set $d "b" $d }}';

export const hostileTemplates: Readonly<Record<string, HostileChart>> = {
  'a range of ten million': { template: '{{ range until 10000000 }}{{ . }}{{ end }}' },
  'a range over a huge integer': { template: '{{ range 9223372036854775807 }}{{ . }}{{ end }}' },
  'nested ranges': { template: loop('x') },
  'lines without end': { template: loop('key: value\n') },
  'a large text in a loop': { template: loop('x'.repeat(100_000)) },
  'variables in a loop': { template: loop('{{ $x := printf "%d" . }}{{ if eq $x "a" }}{{ $x | quote | trim }}{{ end }}') },
  'endless templates': { template: '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}' },
  'endless includes': { template: '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}' },
  'two includes each': { template: '{{ define "a" }}{{ include "a" . }}{{ include "a" . }}{{ end }}{{ include "a" . }}' },
  'a tree of includes': {
    template: `${Array.from({ length: 40 }, (_item, i) => `{{ define "t${i}" }}{{ include "t${i + 1}" . }}{{ include "t${i + 1}" . }}{{ end }}`).join('')}{{ define "t40" }}x{{ end }}{{ include "t0" . }}`,
  },
  'a tpl of itself': { template: '{{ $t := "{{ tpl .t . }}" }}{{ tpl $t (dict "t" $t) }}' },
  'a tpl that doubles': { template: '{{ $t := "{{ tpl (print .t .t) (dict \\"t\\" (print .t .t)) }}" }}{{ tpl $t (dict "t" $t) }}' },
  'new templates by tpl': { template: loop('{{ tpl (printf "{{ define \\"x%d\\" }}{{ . }}{{ end }}{{ . }}" .) . }}') },
  'a text of two gigabytes': { template: '{{ repeat 2000000000 "x" }}' },
  'a text that doubles': { template: '{{ $s := "xxxxxxxx" }}{{ range until 60 }}{{ $s = print $s $s }}{{ end }}{{ $s }}' },
  'a text that doubles by printf': {
    template: '{{ $s := "xxxxxxxx" }}{{ range until 60 }}{{ $s = printf "%s%s" $s $s }}{{ end }}{{ $s }}',
  },
  'a replace that squares': { template: '{{ $s := repeat 10000 "a" }}{{ range until 9 }}{{ $s = replace "a" $s $s }}{{ end }}' },
  'a regex replace that squares': {
    template: '{{ $s := repeat 10000 "a" }}{{ range until 9 }}{{ $s = regexReplaceAll "a" $s "$0$0" }}{{ end }}',
  },
  'a join that squares': { template: `${list}{{ join (repeat 100000 "x") $l | len }}` },
  'a deep indent': { template: '{{ indent 1000000000 "a\\nb" }}' },
  'many small indents': { template: '{{ $s := repeat 1000000 "\\n" }}{{ indent 900 $s | len }}' },
  'an expression that is too large, often': {
    template: `{{ $p := print "(?:" (repeat 60 "a") "){1000}" }}${loop('{{ regexMatch $p "x" }}')}`,
  },
  'a wide wrap': { template: '{{ wrapWith 1 (repeat 100000 "x") (repeat 100000 "y") | len }}' },
  'wide numbers': { template: `{{ printf "${'%999999d'.repeat(600)}" 1 | len }}` },
  'a wide list': { template: `${list}{{ printf "%999999v" $l | len }}` },
  'wide stars': { template: `{{ $n := 999999 }}{{ printf "${'%*d'.repeat(600)}" ${'$n 1 '.repeat(600)} | len }}` },
  'the same value often': { template: `${big}{{ printf "${'%[1]s'.repeat(600)}" $b | len }}` },
  'a large list in a loop': { template: `{{ $l := list }}${loop('{{ $l = append $l . }}')}` },
  'large texts kept': { template: `{{ $l := list }}${loop('{{ $l = append $l (repeat 100000 "x" | upper) }}')}` },
  'maps kept': { template: `{{ $d := dict }}${loop('{{ $_ := set $d (printf "%d-%v" . $d | sha256sum) (dict "a" (dict)) }}')}` },
  'copies kept': { template: `{{ $d := dict "v" .Values }}${loop('{{ $_ := set $d (print .) (deepCopy $d) }}')}` },
  'a list that doubles': { template: '{{ $l := list 1 2 3 4 }}{{ range until 60 }}{{ $l = concat $l $l }}{{ end }}' },
  'a list of lists': { template: '{{ $l := list 1 }}{{ range until 60 }}{{ $l = list $l $l }}{{ end }}{{ toJson $l | len }}' },
  'a shared map printed': { template: `${dag}{{ $d }}` },
  'a shared map as JSON': { template: `${dag}{{ toJson $d | len }}` },
  'a shared map as YAML': { template: `${dag}{{ toYaml $d | len }}` },
  'a shared map as pretty YAML': { template: `${dag}{{ toYamlPretty $d | len }}` },
  'a shared map as TOML': { template: `${dag}{{ toToml $d | len }}` },
  'a shared map copied': { template: `${dag}{{ deepCopy $d | len }}` },
  'a shared map merged': { template: `${dag}{{ merge (dict) $d (deepCopy $d) | len }}` },
  'a shared map compared': { template: `${dag}{{ eq $d "x" }}` },
  'a shared map as a key': { template: `${dag}{{ dict $d 1 | len }}` },
  'a cyclic map printed': { template: `${cycle}{{ $d }}` },
  'a cyclic map by printf': { template: `${cycle}{{ printf "%v" $d }}` },
  'a cyclic map as pretty YAML': { template: `${cycle}{{ toYamlPretty $d }}` },
  'a cyclic map as TOML': { template: `${cycle}{{ toToml $d }}` },
  'a cyclic map copied': { template: `${cycle}{{ deepCopy $d }}` },
  'a cyclic map merged': { template: `${cycle}{{ merge (dict) $d }}` },
  'a cyclic map, required': { template: `${cycle}{{ mustToJson $d }}` },
  'a cyclic list quoted': { template: `${cycle}{{ quote (list $d) }}` },
  'JSON in a loop': { template: `${list}${loop('{{ $j := toJson $l }}')}` },
  'YAML in a loop': { template: `${list}${loop('{{ $j := toYaml $l }}')}` },
  'hashes in a loop': { template: `${big}${loop('{{ $h := sha256sum $b }}')}` },
  'cases in a loop': { template: `${big}${loop('{{ $h := snakecase $b }}')}` },
  'splits in a loop': { template: `${big}${loop('{{ $h := splitList "-" $b }}')}` },
  'sorts in a loop': { template: `${list}${loop('{{ $h := sortAlpha $l }}')}` },
  'uniq of many': { template: `{{ uniq (untilStep 0 4000000 1) | len }}` },
  'without of many': { template: `{{ $l := until 100000 }}{{ range $l }}{{ $h := without $l . }}{{ end }}` },
  'has of many': { template: `{{ $l := until 100000 }}{{ range $l }}{{ $h := has "x" $l }}{{ end }}` },
  'keys in a loop': {
    template: loop('{{ range rsaLess }}{{ end }}').replace('{{ range rsaLess }}{{ end }}', '{{ $k := genPrivateKey "rsa" }}'),
  },
  'certificates in a loop': { template: loop('{{ $c := genCA "x" 1 }}') },
  'bcrypt in a loop': { template: loop('{{ $c := htpasswd "u" "p" }}') },
  'derived passwords in a loop': { template: loop('{{ $c := derivePassword 1 "long" "p" "u" "s" }}') },
  'random text': { template: '{{ randAlphaNum 1000000000 | len }}' },
  'random texts in a loop': { template: loop('{{ $r := randAscii 10000 }}') },
  'random bytes': { template: '{{ randBytes 1000000000 | len }}' },
  'a sequence': { template: '{{ seq 1 1000000000 | len }}' },
  'a step of one': { template: '{{ untilStep 0 9223372036854775807 1 | len }}' },
  'an expression on a large text': { template: `${big}${loop('{{ $r := regexMatch "(a|aa)*b" $b }}')}` },
  'an expression that looks ahead often': { template: '{{ regexFindAll "a.*b|a" (repeat 200000 "a") -1 | len }}' },
  'a large expression': { template: '{{ mustRegexMatch "((a{0,10}){0,25}){0,4}x" (repeat 100000 "a") }}' },
  'counted repetition': { template: '{{ mustRegexMatch "((x{1000}){1000}){1000}" "x" }}' },
  'many groups': { template: `{{ regexFindAll "${'(a?)'.repeat(2000)}" (repeat 10000 "a") -1 | len }}` },
  'a large class': { template: '{{ mustRegexMatch (print "[" (repeat 300000 "ab") "]*$") (repeat 10000 "c") }}' },
  'an alias bomb': {
    template: `{{ $y := "a: &a [x,x,x,x,x,x,x,x,x]\\n" }}${'bcdefghi'
      .split('')
      .map((name, i) => `{{ $y = print $y "${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]\\n" }}`)
      .join('')}{{ range until 999 }}{{ $m := mustToJson (fromYaml $y) }}{{ if not (contains "x" $m) }}{{ fail $m }}{{ end }}{{ end }}`,
  },
  'YAML of empty maps': { template: `{{ $m := fromYaml (print "a: [" (repeat 1600000 "{},") "1]") }}{{ $m | len }}` },
  'JSON of empty maps': {
    template: `{{ $l := list }}{{ range until 99 }}{{ $l = append $l (fromJsonArray (print "[" (repeat 300000 "{},") "1]")) }}{{ end }}`,
  },
  'a document that is nested': { template: loop('{{ $m := fromYaml (repeat 900 "- ") }}') },
  'TOML in a loop': { template: loop('{{ $m := fromToml (repeat 5000 "[[a]]\\n") }}') },
  'a duration in a loop': { template: loop(`{{ $m := duration (repeat 100000 "7") }}`) },
  'a version range': { template: loop('{{ $m := semverCompare (print (repeat 10000 ">1.2.3 || ") "1") "1.2.3" }}') },
  'globs in a loop': {
    template: loop('{{ $g := $.Files.Glob "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*" }}'),
    files: { 'a.txt': 'x' },
  },
  'files as a config in a loop': { template: loop('{{ $g := $.Files.AsSecrets }}'), files: { 'a.txt': 'x'.repeat(1_000_000) } },
  'files printed': { template: loop('{{ $g := print $.Files }}'), files: { 'a.txt': 'x'.repeat(1_000_000) } },
  'lines in a loop': { template: loop('{{ $g := $.Files.Lines "a.txt" }}'), files: { 'a.txt': 'x\n'.repeat(500_000) } },
  'values as YAML in a loop': { template: loop('{{ $g := $.Values.YAML }}'), values: `a: [${'x,'.repeat(50_000)}]` },
  'a template of actions': { template: '{{.}}'.repeat(900_000) },
  'values of empty maps': { template: 'x', values: `a: [${'{},'.repeat(1_600_000)}]` },
  'values of aliases': {
    template: 'x',
    values: `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
      .split('')
      .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]\n`)
      .join('')}`,
  },
  'a printed document of empty maps': { template: `a: [{{ repeat 1600000 "{}," }}]` },
  'many printed documents': { template: `{{ repeat 3000000 "---\\na: 1\\n" }}` },
  'an index far out': { template: '{{ .Values.a | toJson | len }}{{ fail "x" }}', sets: ['a[999999999]=x'] },
  'a schema of itself': { template: 'x', schema: '{"$ref":"#"}' },
  'a schema that branches': {
    template: 'x',
    schema: `{"$defs":{${Array.from({ length: 40 }, (_item, i) => `"d${i}":{"allOf":[{"$ref":"#/$defs/d${i + 1}"},{"$ref":"#/$defs/d${i + 1}"}]}`).join(',')},"d40":{}},"$ref":"#/$defs/d0"}`,
  },
  'a schema with an expression': {
    template: 'x',
    values: `a: ${'a'.repeat(500_000)}`,
    schema: `{"properties":{"a":{"allOf":[${Array(200).fill('{"pattern":"(a|aa)*b"}').join(',')}]}}}`,
  },
  'a schema of unique items': {
    template: 'x',
    values: `a: [${Array.from({ length: 60_000 }, (_item, i) => i).join(',')}]`,
    schema: '{"properties":{"a":{"uniqueItems":true}}}',
  },
  'a schema of large choices': {
    template: 'x',
    values: `a: [${Array.from({ length: 20_000 }, (_item, i) => i).join(',')}]`,
    schema: `{"properties":{"a":{"items":{"enum":[${Array.from({ length: 20_000 }, (_item, i) => -i - 1).join(',')}]}}}}`,
  },
  'a schema of branches over many keys': {
    template: 'x',
    values: Array.from({ length: 20_000 }, (_item, i) => `k${i}: 1`).join('\n'),
    schema: `{"allOf":[${Array(2000).fill('{"properties":{"z":{}}}').join(',')}]}`,
  },
  // Work that no statement shows
  'a range over a huge integer, of nothing': { template: '{{ range 9007199254740993 }}{{ end }}' },
  'a range over a huge integer, named': { template: '{{ range $i := 9007199254740993 }}{{ end }}' },
  'decimals without end': { template: loop('{{ $x := printf "%.999999f" 1.5 }}') },
  'exact sums of huge numbers': { template: loop('{{ $x := addf 1e308 1.5 }}{{ $x := mulf 1e308 1e308 }}') },
  'dates in a loop': {
    template: loop('{{ $x := date "Mon Jan 2 15:04:05 MST 2006" now }}{{ $x := dateInZone "2006" now "Europe/Paris" }}'),
  },
  'encryption in a loop': { template: `${big}${loop('{{ $x := encryptAES "k" $b }}')}` },
  'searches in a loop': { template: `{{ $b := repeat 3000000 "a" }}${loop('{{ $x := contains "aab" $b }}{{ $x := hasSuffix "b" $b }}')}` },
  'comparisons of long texts': {
    template: `{{ $b := repeat 3000000 "a" }}{{ $c := print (repeat 2999999 "a") "b" }}${loop('{{ $x := eq $b $c }}{{ $x := lt $b $c }}')}`,
  },
  'other letters in a loop': { template: `{{ $b := repeat 100000 "é" }}${loop('{{ $x := upper $b }}{{ $x := trunc 9 $b }}')}` },
  'pretty JSON of a deep value': {
    template: `{{ $d := fromJsonArray (print (repeat 900 "[") (repeat 900 "]")) }}${loop('{{ $x := toPrettyJson $d }}')}`,
  },
  'YAML of a deep value': {
    template: `{{ $d := fromJson (print (repeat 900 "{\\"a\\":") "1" (repeat 900 "}")) }}${loop('{{ $x := toYaml $d }}{{ $x := toToml $d }}')}`,
  },
  'the same tpl in a loop': { template: `{{ $t := repeat 200 "{{ 1 }}" }}${loop('{{ $x := tpl $t . }}')}` },
  'another tpl each time': { template: loop('{{ $x := tpl (print (repeat 1000 "{{ 1 }}") .) . }}') },
  'expressions in a loop': { template: loop('{{ $x := regexMatch (printf "(a{500})%d" .) "aaaa" }}') },
  'a value that holds itself in .Values': { template: '{{ $_ := set .Values "v" .Values }}{{ .Values.YAML }}' },
  'the whole context in a loop': { template: loop('{{ $x := print $ }}') },
  // What is kept, each kind as small as it goes
  ...Object.fromEntries(
    Object.entries({
      'small maps': '(dict) (dict) (dict) (dict) (dict) (dict) (dict)',
      'maps of one': '(dict "a" $d)',
      'small lists': '(list 1) (list 2) (list 3) (list 4) (list 5) (list 6)',
      'whole numbers': '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20',
      'lists of numbers': '(until 1000)',
      'parts of texts': '(splitList "-" $t)',
      'parts of texts by name': '(split "-" $t)',
      'texts of YAML': '(fromYaml $y)',
      'texts of JSON': '(fromJsonArray $j)',
      copies: '(deepCopy $v)',
      'parts of maps': '(pick $.Release "Name" "Namespace" "Service" "Revision")',
      'parts of lists': '(rest $l) (initial $l) (reverse $l)',
      'lists of lists': '(chunk 1 $l)',
      'joined lists': '(concat $l $l)',
      'all values': '$.Values.AsMap',
      texts: '(upper $t)',
      'small texts': '(printf "%063d" 1)',
    }).map(([kind, made]) => [
      `${kind} kept`,
      {
        template: `{{ $t := repeat 1000 "é-" }}{{ $y := print "a: [" (repeat 1000 "{},") "1]" }}{{ $j := print "[" (repeat 1000 "{},") "1]" }}{{ $v := fromJsonArray $j }}{{ $l := until 10000 }}{{ $d := list }}${loop(`{{ $d = list $d ${made} }}`)}`,
        values: Array.from({ length: 1000 }, (_item, i) => `k${i}: 1`).join('\n'),
      },
    ]),
  ),
};
