import { parseImageReference } from '@desp/model';
import { type ContentDigest, createRegistryClient, type RegistryClient } from '@desp/oci';
import type { Verifier } from '@desp/security';
import { PlatformError } from '../platform-error.ts';
import { attachedVerdict } from './attached-verdict.ts';

/**
 * What a cluster's node may pull: only from the release projects of its environment, with the pod's own pull secret, and only a
 * digest with a passing verdict for this environment that the platform's key signed. Everything is read over the registry's
 * protocol with the pod's credentials, so that the same rule can stand before any cluster.
 */
export interface AdmissionOptions {
  readonly environment: string;
  readonly registry: { readonly host: string; readonly url: string };
  readonly trusted: readonly Verifier[];
}

export interface AdmissionRequest {
  readonly image: string;
  /** Of the pod's own pull secrets. */
  readonly credentials: readonly { readonly registry: string; readonly username: string; readonly password: string }[];
}

export interface AdmittedImage {
  readonly pullReference: string;
  readonly auth: { readonly username: string; readonly password: string };
}

export async function admitImage(options: AdmissionOptions, request: AdmissionRequest): Promise<AdmittedImage> {
  const refuse = (why: string, cure: string) =>
    new PlatformError('NOT_ALLOWED', `The image ${request.image} is not run in ${options.environment}: ${why}`, { kind: 'user', cure });
  const reference = parseImageReference(request.image);
  if (!reference) throw refuse('this is no image name.', 'Mend the name.');
  if (reference.host !== options.registry.host)
    throw refuse(`images come from ${options.registry.host} only (DESP-DEV-033).`, `Release it, and name it ${options.registry.host}/…`);
  const auth = request.credentials.find(({ registry }) => registry.replace(/^https?:\/\//, '').split('/')[0] === options.registry.host);
  if (!auth)
    throw refuse(
      `the pod has no pull secret for ${options.registry.host}.`,
      'Name the secret in imagePullSecrets, and see that it is there: kubectl get secrets.',
    );
  const client = createRegistryClient({ url: options.registry.url, credentials: auth });
  try {
    const digest = reference.digest ?? (await client.resolve(reference.repository, reference.tag ?? 'latest'))?.digest;
    if (!digest) throw refuse('it was never released here.', 'desp release list shows what was.');
    await demandVerdict(client, reference.repository, digest, options, refuse);
    return {
      pullReference: `${new URL(options.registry.url).host}/${reference.repository}@${digest}`,
      auth: { username: auth.username, password: auth.password },
    };
  } finally {
    client.close();
  }
}

async function demandVerdict(
  client: RegistryClient,
  repository: string,
  digest: string,
  options: AdmissionOptions,
  refuse: (why: string, cure: string) => PlatformError,
): Promise<void> {
  const newest = await attachedVerdict(client, repository, digest as ContentDigest, options);
  if (newest?.outcome !== 'pass')
    throw refuse(
      newest ? `the gate says ${newest.outcome}.` : 'no verdict of the gate that this platform signed is attached to it.',
      `desp gate show ${repository}@${digest}`,
    );
}
