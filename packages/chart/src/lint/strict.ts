import type { Value } from '../value/kinds.ts';
import { quote, sortText } from '../value/text.ts';
import { readYaml } from '../yaml/reader.ts';

/** What Chart.yaml may hold, by Go's struct: Helm 4 warns of everything else. */
interface Shape {
  readonly keys: ReadonlySet<string>;
  readonly inner?: Readonly<Record<string, Shape>>;
}

const shape = (keys: string, inner?: Readonly<Record<string, Shape>>): Shape => ({
  keys: new Set(keys.split(' ')),
  ...(inner ? { inner } : {}),
});

const metadata = shape(
  'name home sources version description keywords maintainers icon apiversion condition tags appversion deprecated annotations kubeversion dependencies type',
  {
    maintainers: shape('name email url'),
    dependencies: shape('name version repository condition tags enabled import-values alias'),
  },
);

/** Why a strict reader refuses this Chart.yaml: keys that are there twice, or that nobody knows. */
export function strictProblem(text: string): string | undefined {
  const twice: string[] = [];
  const value = readYaml(text, { onDuplicate: (key, line) => twice.push(`  line ${line + 1}: key ${quote(key)} already set in map`) });
  if (twice.length > 0) return `error converting YAML to JSON: yaml: unmarshal errors:\n${twice.join('\n')}`;
  const unknown = unknownField(value, metadata);
  return unknown === undefined ? undefined : `error unmarshaling JSON: while decoding JSON: json: unknown field ${quote(unknown)}`;
}

/** The first in the order in which JSON is written: by name, from the outside in. */
function unknownField(value: Value, { keys, inner }: Shape): string | undefined {
  if (!(value instanceof Map)) return undefined;
  for (const key of sortText([...value.keys()])) {
    const name = key.toLowerCase();
    if (!keys.has(name)) return key;
    const within = inner?.[name];
    const items = value.get(key);
    if (!within || !Array.isArray(items)) continue;
    for (const item of items) {
      const found = unknownField(item, within);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
