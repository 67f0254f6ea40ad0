import type { Clock, Logger } from '@desp/runtime';

/** What the Kubernetes API said about a ServiceAccount token (authentication.k8s.io/v1 TokenReview). */
export type TokenReviewResult =
  | { readonly authenticated: true; readonly namespace: string; readonly serviceAccount: string; readonly uid: string }
  | { readonly authenticated: false; readonly error: string };

/** Asks the Kubernetes API that `config` names about a token. A throw counts as "not authenticated". */
export type TokenReviewer = (question: {
  jwt: string;
  config: KubernetesAuthConfig;
  audience: string | undefined;
}) => Promise<TokenReviewResult>;

export interface KubernetesAuthConfig {
  readonly kubernetes_host: string;
  readonly kubernetes_ca_cert: string;
  readonly token_reviewer_jwt: string;
  readonly disable_local_ca_jwt: boolean;
}

export interface VaultServerOptions {
  /** Holds the master key (mode 0600) and the encrypted store; made if absent. */
  readonly dataFolder: string;
  /** The bootstrap root token; stored hashed, valid from the first start on. A new value replaces the old one. */
  readonly rootToken: string;
  readonly reviewToken: TokenReviewer;
  readonly clock?: Clock;
  readonly log?: Logger;
}

export interface VaultServer {
  /** Port 0 takes a free one. */
  listen(at: { host?: string; port: number }): Promise<{ host: string; port: number; url: string }>;
  close(): Promise<void>;
}
