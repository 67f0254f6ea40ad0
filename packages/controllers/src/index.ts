export { certificatesCrds } from './certificates/crds.ts';
export { type CertificatesOptions, type RunningCertificates, startCertificates } from './certificates/start-certificates.ts';
export { ControllerError, type ControllerErrorCode } from './controller-error.ts';
export { externalSecretsCrds } from './external-secrets/crds.ts';
export type { ExternalSecretsProfile } from './external-secrets/profile.ts';
export { type ExternalSecretsOptions, startExternalSecrets } from './external-secrets/start-external-secrets.ts';
export type { ResolveService } from './external-secrets/vault-provider.ts';
export { type Capabilities, readCapabilities } from './fleet/agent/downstream.ts';
export { listRevisions, nextRevision, type ReleaseRevision } from './fleet/agent/release.ts';
export { type FleetAgentOptions, startFleetAgent } from './fleet/agent/start-agent.ts';
export { type ClusterRegistration, fleetNamespace, installFleet, registerCluster } from './fleet/install.ts';
export {
  type RenderedDeployment,
  type RenderedDeploymentHook,
  type Renderer,
  type RenderInput,
  renderDeployment,
} from './fleet/render-deployment.ts';
export { type FleetOptions, startFleet } from './fleet/start-fleet.ts';
export type { AnswerChallenge } from './ingress/proxy.ts';
export { type IngressOptions, type RunningIngress, startIngress } from './ingress/start-ingress.ts';
export type { StorageClassDefinition } from './storage/classes.ts';
export { type StorageOptions, startStorage } from './storage/start-storage.ts';
