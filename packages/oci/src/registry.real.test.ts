import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runOk } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistryClient, digestOf, harborPrevented, openImageArchive, pushArchive } from './index.ts';
import { startTestRegistry } from './testing-registry.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const hasSkopeo = has('skopeo');
const hasPodman = has('podman') && process.getuid?.() === 0;

let folder: string;
let server: Awaited<ReturnType<typeof startTestRegistry>>;
const prevented = new Set<string>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oci-real-'));
  server = await startTestRegistry({
    beforePull: ({ digest }) => (prevented.has(digest) ? harborPrevented({ count: 2, severity: 'High' }) : { kind: 'allow' }),
  });
  await mkdir(join(folder, 'root'));
  await writeFile(join(folder, 'root/hello'), 'hello from a layer\n');
  await runOk(['tar', '-C', join(folder, 'root'), '-cf', join(folder, 'layer.tar'), 'hello']);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** An OCI layout as a builder writes it. */
async function writeLayout(path: string, mark: string): Promise<string> {
  const blobs = join(path, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Buffer) => {
    await writeFile(join(blobs, createHash('sha256').update(bytes).digest('hex')), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const tar = await readFile(join(folder, 'layer.tar'));
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', ...(await put(tar)) };
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    ...(await put(
      Buffer.from(
        JSON.stringify({
          architecture: 'amd64',
          os: 'linux',
          config: { Labels: { mark } },
          rootfs: { type: 'layers', diff_ids: [layer.digest] },
        }),
      ),
    )),
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = { mediaType, ...(await put(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })))) };
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(path, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return manifest.digest;
}

const host = () => new URL(server.url).host;

describe.skipIf(!hasSkopeo)(`skopeo${hasSkopeo ? '' : ' (skipped: it is not on this machine)'}`, () => {
  it('pushes, inspects, copies between projects and pulls; a prevented image prints the policy', async () => {
    const digest = await writeLayout(join(folder, 'a'), 'skopeo');
    const auth = join(folder, 'auth.json');
    const token = Buffer.from('alice:alice-password').toString('base64');
    await writeFile(auth, JSON.stringify({ auths: { [host()]: { auth: token } } }));
    const image = (name: string) => `docker://${host()}/${name}`;
    await runOk([
      'skopeo',
      'copy',
      '--preserve-digests',
      '--authfile',
      auth,
      '--dest-tls-verify=false',
      `oci:${join(folder, 'a')}`,
      image('sample-app/image-a:v1'),
    ]);
    const inspected = await runOk(['skopeo', 'inspect', '--authfile', auth, '--tls-verify=false', image('sample-app/image-a:v1')]);
    expect(JSON.parse(inspected.stdout.toString())).toMatchObject({ Digest: digest, Labels: { mark: 'skopeo' }, RepoTags: ['v1'] });
    const both = ['--authfile', auth, '--src-tls-verify=false', '--dest-tls-verify=false'];
    await runOk(['skopeo', 'copy', ...both, image('sample-app/image-a:v1'), image('second/image-b:v2')]);
    await runOk([
      'skopeo',
      'copy',
      '--authfile',
      auth,
      '--src-tls-verify=false',
      image(`second/image-b@${digest}`),
      `oci:${join(folder, 'back')}:x`,
    ]);
    prevented.add(digest);
    const refused = await run(['skopeo', 'inspect', '--authfile', auth, '--tls-verify=false', image('second/image-b:v2')]);
    prevented.clear();
    expect([refused.code === 0, refused.stderr.includes('current image with 2 vulnerabilities cannot be pulled')]).toEqual([false, true]);
    const stranger = await run(['skopeo', 'inspect', '--authfile', auth, '--tls-verify=false', image('other-app/x:v1')]);
    expect(stranger.code).not.toBe(0);
  });

  it('writes archives that we read and push, as OCI and as docker save', async () => {
    const digest = await writeLayout(join(folder, 'c'), 'archive');
    await runOk(['skopeo', 'copy', '--preserve-digests', `oci:${join(folder, 'c')}`, `oci-archive:${join(folder, 'oci.tar')}`]);
    await runOk(['skopeo', 'copy', `oci:${join(folder, 'c')}`, `docker-archive:${join(folder, 'docker.tar')}:x/y:z`]);
    const client = createRegistryClient({ url: server.url, credentials: { username: 'alice', password: 'alice-password' } });
    for (const [path, same] of [
      ['c', true],
      ['oci.tar', true],
      ['docker.tar', false],
    ] as const) {
      const archive = await openImageArchive(join(folder, path));
      const pushed = await pushArchive(archive, { client, repository: 'sample-app/archive' }, ['latest']);
      await archive.close();
      if (same) expect(pushed).toBe(digest);
      expect((await client.resolve('sample-app/archive', 'latest'))?.digest).toBe(pushed);
    }
    client.close();
  });
});

describe.skipIf(!hasPodman)(`podman${hasPodman ? '' : ' (skipped: it is not on this machine, or we are not root)'}`, () => {
  it('pulls by digest with credentials', async () => {
    const digest = await writeLayout(join(folder, 'b'), 'podman');
    const archive = await openImageArchive(join(folder, 'b'));
    const client = createRegistryClient({ url: server.url, credentials: { username: 'alice', password: 'alice-password' } });
    await pushArchive(archive, { client, repository: 'sample-app/image-p' });
    client.close();
    const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'] as const;
    const authfile = join(folder, 'podman-auth.json');
    await writeFile(authfile, JSON.stringify({ auths: { [host()]: { auth: Buffer.from('alice:alice-password').toString('base64') } } }));
    await runOk(
      ['podman', ...storage, 'pull', '-q', '--authfile', authfile, '--tls-verify=false', `${host()}/sample-app/image-p@${digest}`],
      { cwd: folder },
    );
    await runOk(['podman', ...storage, 'rmi', '-af'], { cwd: folder });
  });
});
