import type { KubeObject } from '@desp/kube';

/** How one Ingress wants its paths served, from its annotations. Times in milliseconds, sizes in bytes. */
export interface ProxySettings {
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly useRegex: boolean;
  readonly rewriteTarget: string | undefined;
  readonly appRoot: string | undefined;
  /** 0: no limit. */
  readonly maxBodyBytes: number;
  readonly connectTimeoutMs: number;
  /** Between two pieces of the upstream's answer. */
  readonly readTimeoutMs: number;
  /** Between two pieces of the client's request. */
  readonly sendTimeoutMs: number;
  /** Name of the Secret with the passwords, in the Ingress's namespace. */
  readonly basicAuth: { readonly secret: string; readonly realm: string } | undefined;
  /** Why the paths are not served at all: a protection that was asked for and that we cannot give. */
  readonly refusal: string | undefined;
}

export interface RouteBackend {
  readonly namespace: string;
  readonly service: string;
  readonly port: { readonly name?: string; readonly number?: number };
}

export interface Route {
  readonly host: string;
  readonly path: string;
  readonly kind: 'exact' | 'prefix' | 'start' | 'regex';
  readonly backend: RouteBackend;
  readonly settings: ProxySettings;
  /** The host has a TLS block. */
  readonly tls: boolean;
  /** `namespace/name` of the Ingress. */
  readonly ingress: string;
}

/** What somebody should know about an Ingress, as an event of it. */
export interface Notice {
  readonly about: KubeObject;
  readonly reason: 'Rejected' | 'UnsupportedAnnotation' | 'BadConfig';
  readonly message: string;
}
