export { ApiError, type ApiServer, ClusterApiError, createApiServer, type UserInfo } from './api/index.ts';
export { type ClusterTraces, removeClusterTraces } from './cluster-traces.ts';
export { type ClusterStatus, type EmbeddedCluster, type EmbeddedClusterOptions, startEmbeddedCluster } from './embedded-cluster.ts';
export { NetworkError } from './network/index.ts';
export {
  type ImageAdmission,
  type ImageRequest,
  NodeError,
  type NodeErrorCode,
  parseDockerConfig,
  type RegistryCredential,
} from './node/index.ts';
export * from './node-access.ts';
export { parseQuantity } from './quantity.ts';
export { type ClusterSupport, describeSupport, type SupportedKind, type SupportedStructure } from './support/index.ts';
