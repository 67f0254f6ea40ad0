import type { Digest, Verdict } from '@desp/model';
import type { ContentDigest, RegistryClient } from '@desp/oci';
import { envelopeMediaType, openVerdict, type Verifier } from '@desp/security';

/** Statements on one image that are looked at, newest first; whoever may push may attach more. */
const mostStatements = 100;
const largestStatement = 16 * 1024 * 1024;

/**
 * The newest verdict for an environment that is attached to an image and signed by a trusted key, read over the registry's
 * protocol: so the same rule can stand before any registry and any cluster.
 */
export async function attachedVerdict(
  client: RegistryClient,
  repository: string,
  digest: ContentDigest,
  { environment, trusted }: { environment: string; trusted: readonly Verifier[] },
): Promise<Verdict | undefined> {
  let newest: Verdict | undefined;
  const statements = await client.referrers(repository, digest, { artifactType: envelopeMediaType });
  for (const statement of statements.slice(-mostStatements)) {
    try {
      const manifest = JSON.parse((await client.getManifest(repository, statement.digest)).bytes.toString('utf8')) as {
        layers?: { digest: ContentDigest; size: number }[];
      };
      const layer = manifest.layers?.[0];
      if (!layer || layer.size > largestStatement) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await client.pullBlob(repository, layer)) chunks.push(chunk as Buffer);
      const verdict = await openVerdict(JSON.parse(Buffer.concat(chunks).toString('utf8')), trusted, digest as Digest);
      if (verdict.policy.environment === environment && (!newest || verdict.judgedAt > newest.judgedAt)) newest = verdict;
    } catch {
      // Somebody else's statement, or one that was tampered with: it counts for nothing.
    }
  }
  return newest;
}
