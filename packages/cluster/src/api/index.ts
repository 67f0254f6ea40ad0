export { ApiError, ClusterApiError } from './errors.ts';
export { createApiServer } from './server.ts';
export type { ApiServer, ApiServerOptions, KubeconfigOptions, UserInfo } from './types.ts';
