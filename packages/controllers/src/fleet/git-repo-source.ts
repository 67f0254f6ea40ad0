import { z } from 'zod';

const labelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.object({ key: z.string(), operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']), values: z.array(z.string()).optional() }),
    )
    .optional(),
});

/** A URL that we fetch from: no other protocol, and no credentials, which would end up in statuses and logs. */
const repositoryUrl = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((text) => {
    const url = URL.parse(text);
    return url?.username === '' && url.password === '';
  }, 'holds credentials; put them into the secret that clientSecretName names');

/**
 * `spec` of a GitRepo, as far as it says what to read. Source: reference of Fleet, §3. Fields of Fleet that we would have to act
 * upon and do not are refused, never ignored.
 */
export const GitRepoSource = z.object({
  repo: repositoryUrl,
  branch: z.string().max(255).optional(),
  /** A commit, tag or branch; wins over `branch`. */
  revision: z.string().max(255).optional(),
  paths: z.array(z.string().max(1024)).max(100).optional(),
  targets: z
    .array(
      z.object({
        name: z.string().optional(),
        clusterName: z.string().optional(),
        clusterGroup: z.string().optional(),
        clusterGroupSelector: labelSelector.optional(),
        clusterSelector: labelSelector.optional(),
      }),
    )
    .max(1000)
    .optional(),
  targetNamespace: z.string().optional(),
  serviceAccount: z.string().optional(),
  clientSecretName: z.string().optional(),
  /** Base64 of PEM. */
  caBundle: z.base64().max(1_000_000).optional(),
  insecureSkipTLSVerify: z.literal(false, { error: 'is not supported: give caBundle instead' }).optional(),
  paused: z.boolean().optional(),
  keepResources: z.boolean().optional(),
  deleteNamespace: z.boolean().optional(),
  correctDrift: z
    .object({ enabled: z.boolean().optional(), force: z.boolean().optional(), keepFailHistory: z.boolean().optional() })
    .optional(),
  forceSyncGeneration: z.number().int().optional(),
  pollingInterval: z
    .string()
    .regex(/^(\d+(h|m|s|ms))+$/)
    .optional(),
  disablePolling: z.boolean().optional(),
  bundles: z.undefined({ error: 'is not supported: name folders in paths' }).optional(),
  ociRegistrySecret: z.undefined({ error: 'is not supported' }).optional(),
});
export type GitRepoSource = z.infer<typeof GitRepoSource>;

const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const defaultPollMs = 15_000;

/** Milliseconds between looks at a branch; undefined: none. A revision that is a commit never moves. */
export function pollMsOf(source: GitRepoSource): number | undefined {
  if (source.disablePolling || isCommit(source.revision)) return undefined;
  const parts = [...(source.pollingInterval ?? '').matchAll(/(\d+)(ms|h|m|s)/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit as keyof typeof unitMs], 0);
  return ms > 0 ? Math.max(1000, ms) : defaultPollMs;
}

export const isCommit = (revision: string | undefined): revision is string => revision !== undefined && /^[0-9a-f]{40}$/.test(revision);
