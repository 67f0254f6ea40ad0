import type { CustomResourceDefinition } from '@desp/kube';
import { type ExternalSecretsProfile, group, profiles } from './profile.ts';

/**
 * The definitions of SecretStore and ExternalSecret. A field that the real part has and ours refuses is in the schema
 * all the same, so that the controller sees it and says so; what is not in it the API server refuses or prunes.
 */

type Schema = Record<string, unknown>;
type Version = 'v1alpha1' | 'v1beta1' | 'v1';

const text = (more: Schema = {}): Schema => ({ type: 'string', ...more });
const choice = (values: readonly string[], fallback?: string): Schema =>
  text({ enum: values, ...(fallback === undefined ? {} : { default: fallback }) });
const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const list = (items: Schema): Schema => ({ type: 'array', items });
const strings: Schema = { type: 'object', additionalProperties: { type: 'string' } };
/** Taken as it is; the controller refuses it with a reason. */
const anything: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;
const column = (name: string, jsonPath: string, type = 'string') => ({ name, jsonPath, type });

/** What may be installed on a cluster before the controller starts. */
export function externalSecretsCrds(profile: ExternalSecretsProfile): CustomResourceDefinition[] {
  const versions: readonly Version[] = profile === '0.9' ? ['v1alpha1', 'v1beta1'] : ['v1'];
  const { storage } = profiles[profile];
  return [
    definition('externalsecrets', 'ExternalSecret', 'es', versions, storage, {
      schema: (version) => externalSecretSpec(version, profile),
      status: externalSecretStatus,
      columns: (version) => [
        ...(version === 'v1' ? [column('StoreType', '.spec.secretStoreRef.kind')] : []),
        column('Store', '.spec.secretStoreRef.name'),
        column('Refresh Interval', '.spec.refreshInterval'),
        column('Status', ready('reason')),
        ...(version === 'v1alpha1' ? [] : [column('Ready', ready('status'))]),
        ...(version === 'v1' ? [column('Last Sync', '.status.refreshTime', 'date')] : []),
      ],
    }),
    definition('secretstores', 'SecretStore', 'ss', versions, storage, {
      schema: storeSpec,
      status: storeStatus,
      columns: (version) => [
        column('AGE', '.metadata.creationTimestamp', 'date'),
        column('Status', ready('reason')),
        ...(version === 'v1alpha1' ? [] : [column('Capabilities', '.status.capabilities'), column('Ready', ready('status'))]),
      ],
    }),
  ];
}

interface Parts {
  readonly schema: (version: Version) => Schema;
  readonly status: Schema;
  readonly columns: (version: Version) => unknown[];
}

function definition(
  plural: string,
  kind: string,
  shortName: string,
  versions: readonly Version[],
  storage: string,
  parts: Parts,
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, shortNames: [shortName] },
      versions: versions.map((name) => ({
        name,
        served: true,
        storage: name === storage,
        subresources: { status: {} },
        additionalPrinterColumns: parts.columns(name),
        schema: {
          openAPIV3Schema: object({
            apiVersion: text(),
            kind: text(),
            metadata: { type: 'object' },
            spec: parts.schema(name),
            status: parts.status,
          }),
        },
      })),
    },
  };
}

const conditions = list(
  object({ type: text(), status: text(), reason: text(), message: text(), lastTransitionTime: text({ format: 'date-time' }) }),
);
const externalSecretStatus = object({
  binding: object({ name: text() }),
  conditions,
  refreshTime: text({ format: 'date-time', nullable: true }),
  syncedResourceVersion: text(),
});
const storeStatus = object({ capabilities: text(), conditions });

function externalSecretSpec(version: Version, profile: ExternalSecretsProfile): Schema {
  const first = version === 'v1alpha1';
  const storeRef = object({ name: text(), kind: text(version === 'v1' ? { default: 'SecretStore' } : {}) }, ['name']);
  const remote = {
    key: text(),
    property: text(),
    version: text(),
    conversionStrategy: choice(['Default', 'Unicode', ...(version === 'v1' ? ['None'] : [])], 'Default'),
    ...(first
      ? {}
      : {
          decodingStrategy: choice(['Auto', 'Base64', 'Base64URL', 'None'], 'None'),
          metadataPolicy: choice(['None', 'Fetch'], 'None'),
        }),
  };
  const template = {
    type: text(),
    engineVersion: choice(version === 'v1' ? ['v2'] : ['v1', 'v2'], first ? 'v1' : 'v2'),
    metadata: object({ labels: strings, annotations: strings }),
    data: strings,
    templateFrom: list(anything),
    ...(first ? {} : { mergePolicy: choice(['Replace', 'Merge'], 'Replace') }),
  };
  const target = {
    name: text(),
    creationPolicy: choice(['Owner', 'Orphan', 'Merge', 'None'], 'Owner'),
    immutable: { type: 'boolean' },
    template: object(template),
    ...(first ? {} : { deletionPolicy: choice(['Delete', 'Merge', 'Retain'], 'Retain') }),
  };
  const sourceRef = { sourceRef: object({ storeRef: storeRef, generatorRef: anything }) };
  return object({
    secretStoreRef: storeRef,
    refreshInterval: text({ default: profiles[profile].defaultRefreshInterval }),
    ...(version === 'v1' ? { refreshPolicy: choice(['OnChange', 'Periodic', 'CreatedOnce']) } : {}),
    target: { ...object(target), default: { creationPolicy: 'Owner', ...(first ? {} : { deletionPolicy: 'Retain' }) } },
    data: list(object({ secretKey: text(), remoteRef: object(remote, ['key']), ...(first ? {} : sourceRef) }, ['secretKey', 'remoteRef'])),
    dataFrom: list(
      first ? object(remote, ['key']) : object({ extract: object(remote, ['key']), find: anything, rewrite: list(anything), ...sourceRef }),
    ),
  });
}

function storeSpec(): Schema {
  const reference = { ...object({ name: text(), namespace: text(), key: text() }), required: ['name'] };
  return object(
    {
      controller: text(),
      refreshInterval: { type: 'integer' },
      provider: object(
        {
          vault: object(
            {
              server: text(),
              path: text(),
              version: choice(['v1', 'v2'], 'v2'),
              namespace: text(),
              readYourWrites: { type: 'boolean' },
              forwardInconsistent: { type: 'boolean' },
              caBundle: text(),
              caProvider: anything,
              auth: object({
                kubernetes: object(
                  {
                    mountPath: text({ default: 'kubernetes' }),
                    role: text(),
                    secretRef: reference,
                    serviceAccountRef: object({ name: text(), namespace: text(), audiences: list(text()) }, ['name']),
                  },
                  ['mountPath', 'role'],
                ),
                tokenSecretRef: reference,
                ...Object.fromEntries(['appRole', 'ldap', 'jwt', 'cert', 'iam', 'userPass', 'gcp'].map((name) => [name, anything])),
                namespace: text(),
              }),
            },
            ['auth', 'server'],
          ),
        },
        [],
      ),
    },
    ['provider'],
  );
}
