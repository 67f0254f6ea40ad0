export { type ArchiveLimits, type ImageArchive, openImageArchive, pushArchive } from './archive/image-archive.ts';
export { type CopyEnd, type CopyReport, type CopyRequest, copyImage } from './client/copy.ts';
export type { RegistryCredentials } from './client/credentials.ts';
export {
  createHarborClient,
  type DesiredProjectMember,
  type HarborClient,
  type HarborClientOptions,
  type HarborProjectRules,
} from './client/harbor-client.ts';
export {
  type BlobSource,
  createRegistryClient,
  type FetchedManifest,
  type RegistryClient,
  type RegistryClientOptions,
} from './client/registry-client.ts';
export { type ContentDigest, type DigestAlgorithm, digestOf, parseDigest } from './digest.ts';
export { OciError, type OciErrorCode, type RefusedCall } from './errors.ts';
export { Descriptor, isForeignLayer, type Manifest, maxManifestBytes, mediaTypes, parseManifest } from './manifest.ts';
export { allowPull, type HarborSeverity, harborNotScanned, harborPrevented, harborScanPending } from './server/policies.ts';
export { createRegistry } from './server/registry.ts';
export type {
  ManifestNotice,
  Member,
  MemberRole,
  Project,
  PullDecision,
  PullQuestion,
  PushDecision,
  PushQuestion,
  Registry,
  RegistryAction,
  RegistryLimits,
  RegistryOptions,
  RegistryPrincipal,
  Robot,
  VulnerabilityReports,
} from './server/types.ts';
export { type CollectReport, openRegistryStore, type RegistryStore } from './store/registry-store.ts';
