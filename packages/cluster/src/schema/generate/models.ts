/**
 * Makes `generated/models.json`: the fields and types of the kinds that we serve, from the model classes of the npm package
 * `@kubernetes/client-node` (whose OpenAPI release it names). `node generate/models.ts` writes it; a test compares.
 *
 * A line of the result: `"core.v1.Service": {"spec":"core.v1.ServiceSpec", "status":…}`. A type is `string`, `int32`, `int64`,
 * `double`, `bool`, `int-or-string`, `any`, `time`, `micro-time`, a type's name, or one of those after `[]` or `{}`; `!` at its end
 * marks a required field.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import wire from '../generated/wire.json' with { type: 'json' };

/** The kinds we serve, and the bodies of requests and answers. */
const roots: readonly string[] = [
  ...'core.v1: Namespace Pod PodTemplate Service Endpoints ConfigMap Secret ServiceAccount PersistentVolume PersistentVolumeClaim CoreV1Event'
    .split(' ')
    .slice(1),
  ...'Node LimitRange ResourceQuota ReplicationController Binding'.split(' '),
  ...'Deployment ReplicaSet StatefulSet DaemonSet ControllerRevision Job CronJob Ingress IngressClass NetworkPolicy'.split(' '),
  ...'V2HorizontalPodAutoscaler HorizontalPodAutoscaler Scale Role RoleBinding ClusterRole ClusterRoleBinding StorageClass'.split(' '),
  ...'VolumeAttachment CSIDriver CSINode Lease EndpointSlice EventsV1Event PodDisruptionBudget Eviction PriorityClass RuntimeClass'.split(
    ' ',
  ),
  ...'AuthenticationV1TokenRequest TokenReview SelfSubjectReview SubjectAccessReview SelfSubjectAccessReview LocalSubjectAccessReview'.split(
    ' ',
  ),
  ...'SelfSubjectRulesReview CustomResourceDefinition DeleteOptions Status'.split(' '),
].map((name) => (/V\d/.test(name) ? name : `V1${name}`));

const messages: Record<string, unknown> = wire;

/** The message that a model class stands for: `CoreV1Event` → `core.v1.Event`. */
function typeName(model: string): string {
  const [, prefix, version, name] = /^([A-Z][a-z]+)?(V\d+)(\w+)$/.exec(model) ?? [];
  if (!name) throw new Error(`The model class ${model} has no name of the form [Group]V1Kind.`);
  const candidates = Object.keys(messages).filter((message) => {
    const [group, ...rest] = message.split('.');
    return rest.join('.') === `${version!.toLowerCase()}.${name}` && (!prefix || group === prefix.toLowerCase());
  });
  // A class without a group in its name that two packages know is the one of meta/v1, which the others left behind.
  const shared = candidates.find((message) => message.startsWith('meta.'));
  if (candidates.length > 1 && shared) return shared;
  if (candidates.length !== 1)
    throw new Error(`The model class ${model} fits ${candidates.join(', ') || 'no message'} of wire.json; exactly one was expected.`);
  return candidates[0]!;
}

interface Attribute {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/** The text of `generated/models.json`. */
export async function modelsJson(): Promise<string> {
  const folder = join(dirname(fileURLToPath(import.meta.resolve('@kubernetes/client-node'))), 'gen/models');
  const classes = (await import(pathToFileURL(join(folder, 'all.js')).href)) as Record<string, { attributeTypeMap?: Attribute[] }>;
  const types = new Map<string, Record<string, string>>();
  const queue = [...roots];
  let release = '';

  const convert = ({ type, format }: Attribute): string => {
    const [, element] = /^Array<(.+)>$/.exec(type) ?? [];
    if (element) return `[]${convert({ baseName: '', type: element, format })}`;
    const [, value] = /^\{ \[key: string\]: (.+); \}$/.exec(type) ?? [];
    if (value) return `{}${convert({ baseName: '', type: value, format })}`;
    if (type === 'V1MicroTime') return 'micro-time';
    if (type === 'IntOrString') return 'int-or-string';
    if (type === 'any' || type === 'object') return 'any';
    if (type === 'Date') return 'time';
    if (type === 'boolean') return 'bool';
    if (type === 'number') return format || 'double';
    if (type === 'string') return 'string';
    queue.push(type);
    return typeName(type);
  };

  for (const model of queue) {
    const name = typeName(model);
    if (types.has(name)) continue;
    const declaration = readFileSync(join(folder, `${model}.d.ts`), 'utf8');
    release ||= /OpenAPI spec version: (\S+)/.exec(declaration)?.[1] ?? '';
    const required = new Set([...declaration.matchAll(/^ {4}'([^']+)': /gm)].map(([, field]) => field));
    const fields: Record<string, string> = {};
    types.set(name, fields);
    for (const attribute of classes[model]?.attributeTypeMap ?? []) {
      const property = (attribute as Attribute & { name: string }).name;
      fields[attribute.baseName] = convert(attribute) + (required.has(property) ? '!' : '');
    }
  }
  const lines = [...types]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`);
  return `{\n"~release": ${JSON.stringify({ release })},\n${lines.join(',\n')}\n}\n`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../generated/models.json'), await modelsJson());
