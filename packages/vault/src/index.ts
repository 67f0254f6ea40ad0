export { reviewTokenOverKubernetes } from './client/token-review.ts';
export {
  createVaultClient,
  type IssuedToken,
  type KubernetesRole,
  type SecretVersion,
  type VaultClient,
  type VaultClientOptions,
} from './client/vault-client.ts';
export { VaultError, type VaultErrorCode } from './errors.ts';
export type { Json, JsonObject } from './exact-json.ts';
export { Acl } from './policy/acl.ts';
export { type Capability, diagnosePolicy, type PolicyRule, parsePolicy } from './policy/policy.ts';
export { createVaultServer } from './server/vault-server.ts';
export type { KubernetesAuthConfig, TokenReviewer, TokenReviewResult, VaultServer, VaultServerOptions } from './types.ts';
