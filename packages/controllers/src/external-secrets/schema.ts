import type { KubeObject, KubeResource, ResourceType } from '@desp/kube';
import { z } from 'zod';
import { ControllerError } from '../controller-error.ts';
import { group, type ProfileFacts } from './profile.ts';

/**
 * ExternalSecret and SecretStore as they come, in the shapes of v1alpha1, v1beta1 and v1 alike: the API server does not
 * convert, so an object made in one version is read in another with the fields that it was made with.
 */

export const ConversionStrategy = z.enum(['Default', 'Unicode', 'None']);
export type ConversionStrategy = z.infer<typeof ConversionStrategy>;
export const DecodingStrategy = z.enum(['Auto', 'Base64', 'Base64URL', 'None']);
export type DecodingStrategy = z.infer<typeof DecodingStrategy>;

const Remote = z.object({
  key: z.string(),
  property: z.string().optional(),
  version: z.string().optional(),
  metadataPolicy: z.enum(['None', 'Fetch']).default('None'),
  conversionStrategy: ConversionStrategy.default('Default'),
  decodingStrategy: DecodingStrategy.default('None'),
});
export type RemoteReference = z.infer<typeof Remote>;

const StoreReference = z.object({ name: z.string(), kind: z.string().default('SecretStore') });

const Source = z.object({
  extract: Remote.optional(),
  find: z.unknown().optional(),
  rewrite: z.array(z.unknown()).default([]),
  sourceRef: z.object({ storeRef: StoreReference.optional(), generatorRef: z.unknown().optional() }).optional(),
});
/** v1alpha1's flat entry is an `extract`; its conversion drops the conversionStrategy. */
const FlatSource = Remote.transform(
  (remote): z.infer<typeof Source> => ({
    extract: { ...remote, conversionStrategy: 'Default' },
    rewrite: [],
  }),
);

const Strings = z.record(z.string(), z.string());
const Template = z.object({
  type: z.string().optional(),
  engineVersion: z.string().optional(),
  mergePolicy: z.enum(['Replace', 'Merge']).default('Replace'),
  metadata: z.object({ labels: Strings.default({}), annotations: Strings.default({}) }).optional(),
  data: Strings.default({}),
  templateFrom: z.array(z.unknown()).default([]),
});
export type SecretTemplate = z.infer<typeof Template>;

const Spec = z.object({
  secretStoreRef: StoreReference.optional(),
  refreshInterval: z.string().optional(),
  refreshPolicy: z.enum(['Periodic', 'OnChange', 'CreatedOnce']).default('Periodic'),
  target: z
    .object({
      name: z.string().optional(),
      creationPolicy: z.enum(['Owner', 'Orphan', 'Merge', 'None']).default('Owner'),
      deletionPolicy: z.enum(['Retain', 'Delete', 'Merge']).default('Retain'),
      immutable: z.boolean().default(false),
      template: Template.optional(),
    })
    .prefault({}),
  dataFrom: z.array(z.union([FlatSource, Source])).default([]),
  data: z
    .array(z.object({ secretKey: z.string(), remoteRef: Remote, sourceRef: z.object({ storeRef: StoreReference.optional() }).optional() }))
    .default([]),
});
export type ExternalSecretSpec = z.infer<typeof Spec>;
export type StoreReference = z.infer<typeof StoreReference>;

export interface SyncCondition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastTransitionTime: string;
}
export type ExternalSecret = KubeResource<
  unknown,
  {
    refreshTime?: string | null;
    syncedResourceVersion?: string;
    binding?: { name: string };
    conditions?: SyncCondition[];
  }
>;
export type SecretStore = KubeResource<unknown, { capabilities?: string; conditions?: SyncCondition[] }>;

/** @throws ControllerError INVALID naming the field */
export function readExternalSecret(object: ExternalSecret): ExternalSecretSpec {
  return parse(Spec, object);
}

const VaultStore = z.object({
  provider: z.object({
    vault: z.object({
      server: z.string(),
      path: z.string().optional(),
      version: z.enum(['v1', 'v2']).default('v2'),
      namespace: z.string().optional(),
      auth: z.looseObject({
        kubernetes: z
          .looseObject({
            mountPath: z.string().default('kubernetes'),
            role: z.string(),
            serviceAccountRef: z
              .object({ name: z.string(), namespace: z.string().optional(), audiences: z.array(z.string()).default([]) })
              .optional(),
          })
          .optional(),
        tokenSecretRef: z.object({ name: z.string(), key: z.string().optional() }).optional(),
      }),
    }),
  }),
});
export type VaultStoreSpec = z.infer<typeof VaultStore>['provider']['vault'];

/** @throws ControllerError INVALID naming the field, or that the store is no Vault */
export function readVaultStore(store: SecretStore): VaultStoreSpec {
  return parse(VaultStore, store).provider.vault;
}

function parse<T>(schema: z.ZodType<T>, object: KubeResource): T {
  const parsed = schema.safeParse(object.spec);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ControllerError('INVALID', `spec.${issue?.path.join('.') ?? ''} of ${object.kind} ${object.metadata.name}: ${issue?.message}`, {
    kind: 'user',
  });
}

type Kinds = { ExternalSecret: ExternalSecret; SecretStore: SecretStore };

/** Where the controller reads and writes. */
export function resourceTypes(facts: ProfileFacts): { [K in keyof Kinds]: ResourceType<Kinds[K]> } {
  const typeOf = <T extends KubeObject>(plural: string, kind: string): ResourceType<T> => ({
    group,
    version: facts.storage,
    plural,
    kind,
    namespaced: true,
  });
  return { ExternalSecret: typeOf('externalsecrets', 'ExternalSecret'), SecretStore: typeOf('secretstores', 'SecretStore') };
}
