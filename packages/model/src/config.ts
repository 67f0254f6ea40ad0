import { z } from 'zod';
import { EnvironmentName } from './ids.ts';

/**
 * `desp.config.yaml`: where every part is. An embedded part and a real one differ only in the URL that stands here.
 * Environments are data: their order is the order of promotion.
 */

const url = z.url();

export const RegistryConfig = z.strictObject({
  /** Where the registry answers, with Harbor's API beside the registry's own. */
  url,
  /** The platform's account in a Harbor of one's own; absent where the embedded registry is started at `url`. */
  account: z
    .strictObject({ username: z.string(), /** A file of mode 0600 with the password or robot secret. */ passwordFile: z.string() })
    .optional(),
  /** The name in image references; clusters and builders map it to `url`. */
  host: z.string(),
});
export type RegistryConfig = z.infer<typeof RegistryConfig>;

/** An embedded Kubernetes API, and where its pods and Services live; absent for a real cluster. */
export const EmbeddedKubernetes = z.strictObject({
  port: z.number().int().min(1).max(65_535),
  podSubnet: z.string(),
  serviceSubnet: z.string(),
});
export type EmbeddedKubernetes = z.infer<typeof EmbeddedKubernetes>;

const kubernetes = z.strictObject({ kubeconfig: z.string(), embedded: EmbeddedKubernetes.optional() });

export const EnvironmentConfig = z.strictObject({
  name: EnvironmentName,
  title: z.string(),
  /** Public names of services end in this. */
  domain: z.string(),
  /** Labels of the environment's cluster, which Fleet selects by. */
  clusterLabels: z.record(z.string(), z.string()),
  /** `direct`: a release job delivers here. `promotion`: only a promotion does; release jobs stand blocked. */
  entry: z.enum(['direct', 'promotion']),
  registry: RegistryConfig,
  /** `tokenFile`: a file of mode 0600 with the token for a Vault of one's own; absent where the embedded one is started at `url`. */
  vault: z.strictObject({ url, tokenFile: z.string().optional() }),
  kubernetes,
  ingress: z.strictObject({ https: url, http: url }),
});
export type EnvironmentConfig = z.infer<typeof EnvironmentConfig>;

export const Config = z.strictObject({
  /** Holds everything that an embedded part keeps; absolute after loading. */
  data: z.string(),
  profile: z.string(),
  server: z.strictObject({ url }),
  /** `tokenFile`: a file of mode 0600 with an access token for a GitLab of one's own; absent where the embedded host is started at `url`. */
  git: z.strictObject({ url, tokenFile: z.string().optional() }),
  identity: z.strictObject({ issuer: url }),
  database: z.strictObject({ url: z.string() }),
  engine: z.strictObject({ socket: z.string() }).optional(),
  acme: z.strictObject({ directory: url }),
  /** The Kubernetes API that holds Fleet's own objects. */
  management: kubernetes,
  quarantine: RegistryConfig,
  environments: z.array(EnvironmentConfig).min(1),
});
export type Config = z.infer<typeof Config>;
