import { customSchema, type JsonObject, SchemaError } from '../../schema/index.ts';
import { type FieldError, invalid } from '../errors.ts';
import { type ApiObject, at, isRecord, listAt, property, textAt, textsAt, timestamp } from '../object.ts';
import { ageColumn, ageSince, nameColumn } from './cells.ts';
import { isCell } from './group-columns.ts';
import { parseJsonPath } from './json-path.ts';
import { allVerbs, type Column, type Resource, type ScalePaths, type WriteContext } from './resource.ts';
import { ownSpec } from './strategies.ts';

/** Custom resources: from a CustomResourceDefinition to what the registry serves. Conversion is `None`; webhooks are refused. */

export const definitionStorage = 'apiextensions.k8s.io/customresourcedefinitions';
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const dnsLabel = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What the definition serves, one entry a served version; nothing once it is not established. */
export function customResources(definition: ApiObject): Resource[] {
  const group = textAt(definition, 'spec', 'group') ?? '';
  const names = at(definition, 'status', 'acceptedNames');
  const plural = textAt(names, 'plural') ?? '';
  const kind = textAt(names, 'kind') ?? '';
  const listKind = textAt(names, 'listKind');
  const terminating = definition.metadata.deletionTimestamp !== undefined;
  return listAt(definition, 'spec', 'versions')
    .filter((version) => property(version, 'served') === true)
    .map((version): Resource => {
      const name = textAt(version, 'name') ?? '';
      const status = at(version, 'subresources', 'status') !== undefined;
      const schema = customSchema({ group, version: name, kind }, schemaOf(version));
      const scale = scalePaths(version);
      return {
        group,
        version: name,
        kind,
        plural,
        singular: textAt(names, 'singular') ?? kind.toLowerCase(),
        shortNames: textsAt(names, 'shortNames'),
        categories: textsAt(names, 'categories'),
        namespaced: textAt(definition, 'spec', 'scope') === 'Namespaced',
        storage: `${group}/${plural}`,
        verbs: terminating ? allVerbs.filter((verb) => verb !== 'create') : allVerbs,
        status,
        ...(scale === undefined ? {} : { scale }),
        ...(listKind ? { listKind } : {}),
        ...(property(version, 'deprecated') === true
          ? { deprecation: textAt(version, 'deprecationWarning') ?? `${group}/${name} ${kind} is deprecated` }
          : {}),
        subresources: [],
        columns: printerColumns(version),
        fields: selectableFields(version),
        schema: () => schema,
        custom: true,
        countsGeneration: true,
      };
    });
}

const schemaOf = (version: unknown): JsonObject | undefined => {
  const schema = at(version, 'schema', 'openAPIV3Schema');
  return isRecord(schema) ? (schema as JsonObject) : undefined;
};

const pathOf = (text: string | undefined): readonly string[] | undefined => text?.replace(/^\./, '').split('.');

function scalePaths(version: unknown): ScalePaths | undefined {
  const scale = at(version, 'subresources', 'scale');
  const spec = pathOf(textAt(scale, 'specReplicasPath'));
  const status = pathOf(textAt(scale, 'statusReplicasPath'));
  const selector = pathOf(textAt(scale, 'labelSelectorPath'));
  return spec && status ? { spec, status, ...(selector ? { selector } : {}) } : undefined;
}

function selectableFields(version: unknown): Record<string, readonly string[]> {
  const paths = listAt(version, 'selectableFields').map((item) => textAt(item, 'jsonPath') ?? '');
  return Object.fromEntries(paths.map((path) => [path.replace(/^\./, ''), pathOf(path) ?? []]));
}

function printerColumns(version: unknown): Column[] {
  const columns = listAt(version, 'additionalPrinterColumns');
  if (columns.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...columns.map(printerColumn)];
}

function printerColumn(column: unknown): Column {
  const path = parseJsonPath(textAt(column, 'jsonPath') ?? '');
  const type = (textAt(column, 'type') ?? 'string') as Column['type'];
  const priority = property(column, 'priority');
  const cell = (object: ApiObject, now: Date): unknown => {
    const value = path?.(object)[0];
    if (value === undefined || value === null) return type === 'date' ? '<unknown>' : type === 'string' ? '' : null;
    if (type === 'date') return typeof value === 'string' ? ageSince(value, now) : '<unknown>';
    if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null;
    if (type === 'number' || type === 'boolean') return typeof value === type ? value : null;
    return isCell(value) ? String(value) : JSON.stringify(value);
  };
  return {
    name: textAt(column, 'name') ?? '',
    type: type === 'date' ? 'string' : type,
    format: textAt(column, 'format') ?? '',
    description:
      textAt(column, 'description') ?? `Custom resource definition column (in JSONPath format): ${textAt(column, 'jsonPath') ?? ''}`,
    priority: typeof priority === 'number' ? priority : 0,
    cell,
  };
}

/** Names, one storage version, structural schemas, printable columns; all that we could not serve is refused here. */
function checkDefinition(definition: ApiObject): void {
  const errors: FieldError[] = [];
  const refuse = (field: string, message: string, reason = 'FieldValueInvalid') => errors.push({ field, reason, message });
  const group = textAt(definition, 'spec', 'group') ?? '';
  const plural = textAt(definition, 'spec', 'names', 'plural') ?? '';
  const kind = textAt(definition, 'spec', 'names', 'kind') ?? '';
  if (!group.includes('.') || group.split('.').some((label) => !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(label))) {
    refuse('spec.group', `Invalid value: "${group}": should be a domain with at least one dot`);
  }
  if (!dnsLabel.test(plural)) refuse('spec.names.plural', `Invalid value: "${plural}": a lowercase DNS-1035 label is required`);
  if (!/^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$/.test(kind))
    refuse('spec.names.kind', `Invalid value: "${kind}": a DNS-1035 label is required`);
  if (definition.metadata.name !== `${plural}.${group}`) {
    refuse('metadata.name', `Invalid value: "${definition.metadata.name}": must be spec.names.plural+"."+spec.group`);
  }
  if (!['Namespaced', 'Cluster'].includes(textAt(definition, 'spec', 'scope') ?? '')) {
    refuse(
      'spec.scope',
      `Unsupported value: "${textAt(definition, 'spec', 'scope') ?? ''}": supported values: "Cluster", "Namespaced"`,
      'FieldValueNotSupported',
    );
  }
  if (textAt(definition, 'spec', 'conversion', 'strategy') === 'Webhook') {
    refuse(
      'spec.conversion.strategy',
      'Unsupported value: "Webhook": this rehearsal cluster calls no webhooks: supported values: "None"',
      'FieldValueNotSupported',
    );
  }
  if (at(definition, 'spec', 'conversion', 'webhook') !== undefined) {
    refuse('spec.conversion.webhook', 'Forbidden: should not be set when strategy is not set to Webhook', 'FieldValueForbidden');
  }
  if (at(definition, 'spec', 'preserveUnknownFields') === true) {
    refuse('spec.preserveUnknownFields', 'Invalid value: true: must be false: every version has a structural schema');
  }
  const versions = listAt(definition, 'spec', 'versions');
  if (versions.filter((version) => property(version, 'storage') === true).length !== 1) {
    refuse('spec.versions', 'Invalid value: must have exactly one version marked as storage version');
  }
  if (new Set(versions.map((version) => textAt(version, 'name'))).size !== versions.length) {
    refuse('spec.versions', 'Invalid value: must contain unique version names');
  }
  for (const [index, version] of versions.entries()) checkVersion(version, `spec.versions[${index}]`, { group, kind }, refuse);
  if (errors.length > 0)
    throw invalid({ group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }, definition.metadata.name, errors);
}

function checkVersion(
  version: unknown,
  field: string,
  { group, kind }: { group: string; kind: string },
  refuse: (field: string, message: string, reason?: string) => void,
): void {
  const name = textAt(version, 'name') ?? '';
  if (!dnsLabel.test(name)) refuse(`${field}.name`, `Invalid value: "${name}": a lowercase DNS-1035 label is required`);
  const schema = schemaOf(version);
  if (schema === undefined) refuse(`${field}.schema.openAPIV3Schema`, 'Required value: schemas are required', 'FieldValueRequired');
  try {
    customSchema({ group, version: name, kind }, schema);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    if (error.causes.length === 0) refuse(`${field}.schema.openAPIV3Schema`, `Invalid value: ${error.message}`);
    for (const cause of error.causes)
      refuse(`${field}.schema.openAPIV3Schema${cause.field ? `.${cause.field}` : ''}`, cause.message, cause.reason);
  }
  for (const [index, column] of listAt(version, 'additionalPrinterColumns').entries()) {
    const path = textAt(column, 'jsonPath') ?? '';
    if (parseJsonPath(path) === undefined)
      refuse(`${field}.additionalPrinterColumns[${index}].jsonPath`, `Invalid value: "${path}": this JSONPath is not supported`);
  }
}

function complete(definition: ApiObject, old: ApiObject | undefined, context: WriteContext): void {
  const spec = ownSpec(definition);
  const kind = textAt(spec, 'names', 'kind') ?? '';
  const names = { singular: kind.toLowerCase(), listKind: `${kind}List`, ...(isRecord(spec['names']) ? spec['names'] : {}) };
  spec['names'] = names;
  spec['conversion'] ??= { strategy: 'None' };
  checkDefinition(definition);
  const group = textAt(spec, 'group');
  const taken = context
    .list(definitionStorage)
    .filter((other) => other.metadata.name !== definition.metadata.name && textAt(other, 'spec', 'group') === group)
    .some((other) => textAt(other, 'spec', 'names', 'kind') === kind);
  const storage = listAt(spec, 'versions').find((version) => property(version, 'storage') === true);
  const stored = new Set([...textsAt(old, 'status', 'storedVersions'), textAt(storage, 'name') ?? '']);
  const accepted = !taken;
  const condition = (type: string, met: boolean, reason: string, message: string) => {
    const earlier = listAt(old, 'status', 'conditions').find((item) => textAt(item, 'type') === type);
    const status = met ? 'True' : 'False';
    const since = textAt(earlier, 'status') === status ? textAt(earlier, 'lastTransitionTime') : undefined;
    return { type, status, reason, message, lastTransitionTime: since ?? timestamp(context.now) };
  };
  definition['status'] = {
    conditions: [
      condition(
        'NamesAccepted',
        accepted,
        accepted ? 'NoConflicts' : 'KindConflict',
        accepted ? 'no conflicts found' : `"${kind}" is already in use`,
      ),
      condition(
        'Established',
        accepted,
        accepted ? 'InitialNamesAccepted' : 'NotAccepted',
        accepted ? 'the initial names have been accepted' : 'not all names are accepted',
      ),
    ],
    acceptedNames: accepted ? names : { plural: '', kind: '' },
    storedVersions: [...stored],
  };
}

/** The strategy of definitions themselves. */
export const definitionStrategy: Partial<Resource> = {
  prepareCreate: (definition, context) => {
    definition.metadata.finalizers = [...new Set([...(definition.metadata.finalizers ?? []), cleanupFinalizer])];
    complete(definition, undefined, context);
  },
  prepareUpdate: (definition, old, context) => {
    for (const path of [
      ['spec', 'group'],
      ['spec', 'scope'],
      ['spec', 'names', 'plural'],
      ['spec', 'names', 'kind'],
    ]) {
      const [now, before] = [textAt(definition, ...path), textAt(old, ...path)];
      if (now === before) continue;
      throw invalid({ group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' }, definition.metadata.name, [
        { field: path.join('.'), reason: 'FieldValueInvalid', message: `Invalid value: "${now ?? ''}": field is immutable` },
      ]);
    }
    complete(definition, old, context);
  },
};

/** True once the definition's names were accepted. */
export const isEstablished = (definition: ApiObject): boolean =>
  listAt(definition, 'status', 'conditions').some((item) => textAt(item, 'type') === 'Established' && textAt(item, 'status') === 'True');
