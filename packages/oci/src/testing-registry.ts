import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Descriptor, digestOf, mediaTypes, openRegistryStore, type RegistryOptions } from './index.ts';
import { createRegistry } from './server/registry.ts';
import type { RegistryPrincipal } from './server/types.ts';

/** A registry on loopback for this package's tests: people with passwords, each with one project; the platform with all. */
const people: Readonly<Record<string, { password: string; projects: readonly string[]; kind: RegistryPrincipal['kind'] }>> = {
  alice: { password: 'alice-password', projects: ['sample-app', 'second'], kind: 'person' },
  bob: { password: 'bob-password', projects: ['other-app'], kind: 'person' },
  platform: { password: 'platform-password', projects: ['sample-app', 'second', 'other-app', 'releases'], kind: 'platform' },
};

export const basic = (name: string) => `Basic ${Buffer.from(`${name}:${people[name]?.password ?? 'wrong'}`).toString('base64')}`;

export async function startTestRegistry(options: Partial<RegistryOptions> & { folder?: string; port?: number } = {}) {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'oci-test-')));
  const store = await openRegistryStore({ folder, ...(options.clock ? { clock: options.clock } : {}) });
  const registry = await createRegistry({
    name: 'quarantine',
    store,
    authenticate: (username, password) => {
      const person = people[username];
      return person?.password === password ? { kind: person.kind, name: username } : undefined;
    },
    authorize: (principal, project) => people[principal.name]?.projects.includes(project) ?? false,
    ...options,
  });
  for (const project of ['sample-app', 'second', 'other-app']) await registry.ensureProject(project, { tags: 'mutable' });
  await registry.ensureProject('releases', { tags: 'immutable' });
  const { url } = await registry.listen({ port: options.port ?? 0 });

  /** One request as `as`; paths and Location headers alike. */
  const call = (method: string, path: string, init: RequestInit & { as?: string } = {}) => {
    const { as = 'alice', headers, ...rest } = init;
    return fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: { ...(as === 'nobody' ? {} : { authorization: basic(as) }), ...(headers as Record<string, string>) },
      ...rest,
    });
  };

  const pushBlob = async (repository: string, bytes: Uint8Array, as = 'alice'): Promise<Descriptor> => {
    const digest = digestOf(bytes);
    const response = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: bytes as BodyInit, as });
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    return { mediaType: 'application/octet-stream', digest, size: bytes.length };
  };

  /** An image of one config and one layer, and its manifest's text. */
  const imageManifest = async (repository: string, content: string, extra: object = {}, as = 'alice') => {
    const config = { ...(await pushBlob(repository, Buffer.from('{}'), as)), mediaType: 'application/vnd.oci.image.config.v1+json' };
    const layer = { ...(await pushBlob(repository, Buffer.from(content), as)), mediaType: 'application/vnd.oci.image.layer.v1.tar' };
    const text = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer], ...extra });
    return { text, digest: digestOf(Buffer.from(text)), size: Buffer.byteLength(text), config, layer };
  };

  const putManifest = (repository: string, reference: string, text: string, as = 'alice', type: string = mediaTypes.ociManifest) =>
    call('PUT', `/v2/${repository}/manifests/${reference}`, { body: text, headers: { 'content-type': type }, as });

  return {
    folder,
    store,
    registry,
    url,
    call,
    pushBlob,
    imageManifest,
    putManifest,
    stop: async (keep = false) => {
      await registry.close();
      await store.close();
      if (!keep) await rm(folder, { recursive: true, force: true });
    },
  };
}

export const errorCode = async (response: Response): Promise<string> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]!.code;
