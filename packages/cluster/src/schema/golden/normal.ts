import { isObject, type Json, type JsonObject, ownObject, without } from '../json.ts';

/** What a server adds from its own state, which this room does not know. */
const volatile = ['uid', 'creationTimestamp', 'resourceVersion', 'generation', 'namespace', 'selfLink'] as const;
const addresses = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const;

/** An answer with its managers by name (the real ones' order hangs on the second in which they came), without what differs from run to run: an object without times and addresses, or a Status' code, message and causes. */
export function normalAnswer(answer: JsonObject): JsonObject {
  if (answer['kind'] === 'Status') {
    const causes = ownObject(answer, 'details')?.['causes'];
    return {
      code: answer['code'] ?? 0,
      message: String(answer['message']).replaceAll(/golden-\d+/g, 'NS'),
      ...(causes === undefined ? {} : { causes }),
    };
  }
  const metadata = without(ownObject(answer, 'metadata') ?? {}, ...volatile);
  const spec = ownObject(answer, 'spec');
  const entries = metadata['managedFields'];
  const name = (entry: Json): string => (isObject(entry) ? `${String(entry['operation'])} ${String(entry['manager'])}` : '');
  return {
    ...without(answer, 'status'),
    metadata: {
      ...metadata,
      ...(Array.isArray(entries)
        ? {
            managedFields: entries
              .map((entry) => (isObject(entry) ? without(entry, 'time') : (entry as Json)))
              .sort((a, b) => (name(a) < name(b) ? -1 : 1)),
          }
        : {}),
    },
    ...(spec ? { spec: without(spec, ...addresses) } : {}),
  };
}
