export type { KubernetesAuthConfig, TokenReviewer, TokenReviewResult, VaultServer, VaultServerOptions } from './types.ts';
