/**
 * Two editions of External Secrets, of which one is served: `0.9` is what the procedure's samples of July 2023 show,
 * `current` what its main branch did in August 2026. One reconciler serves both; all differences are in this table.
 */
export type ExternalSecretsProfile = '0.9' | 'current';

export interface ProfileFacts {
  /** The stored version: what owner references name and the controller reads. */
  readonly storage: 'v1beta1' | 'v1';
  readonly defaultRefreshInterval: string;
  readonly syncedMessage: string;
  /** Of a Secret's data and of an object's labels and annotations. */
  readonly hash: 'md5' | 'sha3-224';
  /** Writes `immutable: false` although nobody asked. */
  readonly writesImmutable: boolean;
  /** Marks its Secrets with created-by and managed labels, and ExternalSecrets with a finalizer. */
  readonly marks: boolean;
}

export const profiles: Readonly<Record<ExternalSecretsProfile, ProfileFacts>> = {
  '0.9': {
    storage: 'v1beta1',
    defaultRefreshInterval: '1h',
    syncedMessage: 'Secret was synced',
    hash: 'md5',
    writesImmutable: true,
    marks: false,
  },
  current: {
    storage: 'v1',
    defaultRefreshInterval: '1h0m0s',
    syncedMessage: 'secret synced',
    hash: 'sha3-224',
    writesImmutable: false,
    marks: true,
  },
};

export const group = 'external-secrets.io';
export const dataHashAnnotation = 'reconcile.external-secrets.io/data-hash';
export const createdByLabel = 'reconcile.external-secrets.io/created-by';
export const managedLabel = 'reconcile.external-secrets.io/managed';
export const cleanupFinalizer = 'externalsecrets.external-secrets.io/externalsecret-cleanup';
