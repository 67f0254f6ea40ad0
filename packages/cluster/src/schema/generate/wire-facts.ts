/**
 * Reads Kubernetes' published protobuf descriptions (`generated.proto` of the Go modules k8s.io/api, k8s.io/apimachinery and
 * k8s.io/apiextensions-apiserver of one release) into `generated/wire.json`: per message and field its number, type, list type,
 * list keys, patch strategy and how Go holds it. Only facts of the interface are taken, no text.
 *
 *   node generate/wire-facts.ts API_FOLDER APIMACHINERY_FOLDER APIEXTENSIONS_FOLDER
 *
 * A line of the result: `"ports": "6 []core.v1.ContainerPort map:containerPort,protocol merge:containerPort"`; the key `~` holds
 * what is true of the whole message.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packages: readonly (readonly [name: string, source: 0 | 1 | 2, folder: string])[] = [
  ...['apps/v1', 'authentication/v1', 'authorization/v1', 'autoscaling/v1', 'autoscaling/v2', 'batch/v1', 'coordination/v1', 'core/v1'].map(
    (folder) => [folder.replace('/', '.'), 0, folder] as const,
  ),
  ...['discovery/v1', 'events/v1', 'networking/v1', 'node/v1', 'policy/v1', 'rbac/v1', 'scheduling/v1', 'storage/v1'].map(
    (folder) => [folder.replace('/', '.'), 0, folder] as const,
  ),
  ['meta.v1', 1, 'pkg/apis/meta/v1'],
  ['resource', 1, 'pkg/api/resource'],
  ['intstr', 1, 'pkg/util/intstr'],
  ['runtime', 1, 'pkg/runtime'],
  ['apiextensions.v1', 2, 'pkg/apis/apiextensions/v1'],
];

/** `.k8s.io.apimachinery.pkg.apis.meta.v1.Time` → `meta.v1.Time`. */
function shortType(type: string, home: string): string {
  if (/^(string|bytes|bool|int32|int64|uint32|uint64|double|float)$/.test(type)) return type;
  const [, qualified] =
    /^\.k8s\.io\.(?:api|apimachinery\.pkg\.apis|apimachinery\.pkg\.api|apimachinery\.pkg\.util|apimachinery\.pkg|apiextensions_apiserver\.pkg\.apis)\.(.+)$/.exec(
      type,
    ) ?? [];
  return qualified ?? `${home}.${type}`;
}

/** Two names that the descriptions derive from Go's field names where JSON has others. */
const jsonNames: Readonly<Record<string, string>> = { uID: 'uid', aPIGroup: 'apiGroup' };

/** The messages of one description file. */
export function readProto(text: string, home: string, held: Held): Record<string, Record<string, string>> {
  const messages: Record<string, Record<string, string>> = {};
  let current: Record<string, string> | undefined;
  let currentName = '';
  let marks = new Map<string, string[]>();
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const mark = /^\/\/ \+(\w+)(?:=(.*))?$/.exec(line);
    if (mark) marks.set(mark[1]!, [...(marks.get(mark[1]!) ?? []), mark[2] ?? '']);
    else if (!line.startsWith('//')) {
      const message = /^message (\w+) \{$/.exec(line);
      const field = /^(?:(optional|repeated) )?(map<(\w+), ([\w.]+)>|[\w.]+) (\w+) = (\d+);$/.exec(line);
      if (message) {
        currentName = message[1]!;
        current = messages[`${home}.${currentName}`] = {};
        if (marks.get('structType')?.[0] === 'atomic') current['~'] = 'atomic';
      } else if (field && current) {
        const [, label, whole, , mapValue, name, number] = field;
        const type = mapValue ? `{}${shortType(mapValue, home)}` : `${label === 'repeated' ? '[]' : ''}${shortType(whole!, home)}`;
        const list = marks.get('listType')?.[0];
        const strategy = (marks.get('patchStrategy')?.[0] ?? '').split(',');
        current[jsonNames[name!] ?? name!] = [
          `${number} ${type}`,
          list === 'map' ? `map:${(marks.get('listMapKey') ?? []).join(',')}` : list === 'set' ? 'set' : '',
          marks.get('mapType')?.[0] === 'atomic' || marks.get('structType')?.[0] === 'atomic' ? 'atomic' : '',
          strategy.includes('merge') ? `merge:${marks.get('patchMergeKey')?.[0] ?? ''}` : '',
          strategy.includes('retainKeys') ? 'retain' : '',
          held.pointers.has(`${currentName}.${name}`.toLowerCase()) ? 'pointer' : '',
          held.values.has(`${currentName}.${name}`.toLowerCase()) ? 'value' : '',
        ]
          .filter(Boolean)
          .join(' ');
      }
      if (line !== '') marks = new Map();
    }
  }
  return messages;
}

/** How Go holds fields, in lower case (`deploymentspec.replicas`). */
interface Held {
  /** Scalars held as pointers: their zero values are sent on purpose, those of others always. */
  readonly pointers: ReadonlySet<string>;
  /** Structures held as values: every object has them, empty ones too. */
  readonly values: ReadonlySet<string>;
}

/** Read off the printing functions of `generated.pb.go`. */
export function readHeld(text: string): Held {
  const pointers = new Set<string>();
  const values = new Set<string>();
  let message = '';
  for (const line of text.split('\n')) {
    message = /^func \(this \*(\w+)\) String\(\)/.exec(line)?.[1] ?? message;
    const pointer = /valueToStringGenerated\(this\.(\w+)\)/.exec(line)?.[1];
    if (pointer) pointers.add(`${message}.${pointer}`.toLowerCase());
    const value = /^\t+`\w+:` \+ .*this\.(\w+).*`&`, ``, 1\)/.exec(line)?.[1];
    if (value) values.add(`${message}.${value === 'ObjectMeta' ? 'metadata' : value}`.toLowerCase());
  }
  return { pointers, values };
}

if (import.meta.main) {
  const sources = process.argv.slice(2);
  if (sources.length !== 3) throw new Error('Usage: node generate/wire-facts.ts API_FOLDER APIMACHINERY_FOLDER APIEXTENSIONS_FOLDER');
  const facts = Object.assign(
    {},
    ...packages.map(([name, source, folder]) => {
      const read = (file: string): string => readFileSync(join(sources[source]!, folder, file), 'utf8');
      return readProto(read('generated.proto'), name, readHeld(read('generated.pb.go')));
    }),
  ) as Record<string, Record<string, string>>;
  const lines = Object.entries(facts)
    .filter(([name]) => !name.endsWith('List'))
    .map(([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
  writeFileSync(join(import.meta.dirname, '../generated/wire.json'), `{\n${lines.join(',\n')}\n}\n`);
}
