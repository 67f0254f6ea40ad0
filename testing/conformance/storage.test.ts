import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createApiServer } from '@desp/cluster';
import { startStorage } from '@desp/controllers';
import {
  createKubeClient,
  eventType,
  type KubeClient,
  namespaceType,
  type PersistentVolumeClaim,
  persistentVolumeClaimType,
  persistentVolumeType,
  podType,
  serviceAccountType,
  storageClassType,
} from '@desp/kube';
import { profileNamed } from '@desp/procedure';
import { silentLogger, systemClock } from '@desp/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from './fleet-rehearsal.ts';

/** The storage classes of the procedure's chapter 4 on an embedded API server; the pods are set by hand, as a node would. */
describe('storage classes', () => {
  let folder: string;
  let server: ApiServer;
  let client: KubeClient;
  let end: () => Promise<void>;
  const volumes = () => join(folder, 'volumes');

  function start(): void {
    const stopping = new AbortController();
    const { storageClasses } = profileNamed('procedure-2023');
    const { done } = startStorage({
      client,
      classes: storageClasses,
      volumesFolder: volumes(),
      clock: systemClock,
      log: silentLogger,
      signal: stopping.signal,
    });
    end = async () => {
      stopping.abort(new Error('ended by the test'));
      await done;
    };
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'storage-'));
    server = await createApiServer({
      name: 'e2e',
      dataFolder: join(folder, 'api'),
      clock: systemClock,
      log: silentLogger,
      adminToken: 'admin-token-of-the-tests',
    });
    const { url } = await server.listen(0, ['127.0.0.1']);
    client = createKubeClient({ server: url, ca: server.certificateAuthority, token: 'admin-token-of-the-tests' });
    mkdirSync(volumes());
    start();
  });
  afterEach(async () => {
    await end();
    client.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function claimOf(
    storageClassName: string | undefined,
    name = 'test-claim',
    { namespace = 'default', storage = '1Mi', path = '' } = {},
  ): PersistentVolumeClaim {
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, ...(path ? { annotations: { 'nfs.io/storage-path': path } } : {}) },
      spec: {
        ...(storageClassName === undefined ? {} : { storageClassName }),
        accessModes: ['ReadWriteMany'],
        resources: { requests: { storage } },
      },
    };
  }
  const get = (name = 'test-claim', namespace = 'default') => client.get(persistentVolumeClaimType, name, namespace);
  const bound = (name?: string, namespace?: string) =>
    until(
      `${name ?? 'test-claim'} to be bound`,
      async () => {
        const claim = await get(name, namespace);
        return claim?.status?.phase === 'Bound' && claim;
      },
      async () => [await get(name, namespace), await events()],
    );
  const events = async () =>
    (await client.list(eventType)).items.map(({ reason, message, type, involvedObject }) => ({
      reason,
      message,
      type,
      about: `${involvedObject.namespace}/${involvedObject.name}`,
    }));
  const event = (about: string, reason: string) =>
    until(`${reason} of ${about}`, async () => (await events()).find((each) => each.about === about && each.reason === reason), events);
  const gone = (name?: string, namespace?: string) =>
    until(
      'the claim to be gone',
      async () => (await get(name, namespace)) === undefined,
      () => get(name, namespace),
    );

  test('the five classes are there, and their claims bind as the procedure shows', async () => {
    await client.create(persistentVolumeClaimType, claimOf('csi-cinder-sc-delete'));
    const claim = await bound();
    expect(claim.spec.volumeName).toBe(`pvc-${claim.metadata.uid}`);
    expect(claim.status).toMatchObject({ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany'] });
    expect(await event('default/test-claim', 'AccessModeNotShared')).toMatchObject({ type: 'Warning' });
    const volume = await client.get(persistentVolumeType, claim.spec.volumeName!);
    expect(volume).toMatchObject({
      status: { phase: 'Bound' },
      spec: { persistentVolumeReclaimPolicy: 'Delete', csi: { driver: 'cinder.csi.openstack.org' }, claimRef: { uid: claim.metadata.uid } },
    });
    const { items } = await client.list(storageClassType);
    expect(items.map(({ metadata, reclaimPolicy }) => [metadata.name, reclaimPolicy])).toEqual([
      ['csi-cinder-sc-delete', 'Delete'],
      ['csi-cinder-sc-retain', 'Retain'],
      ['persistent-nfs-storage', 'Retain'],
      ['persistent-nfs-storage-with-path', 'Retain'],
      ['temporary-nfs-storage', 'Delete'],
    ]);
  });

  test('temporary data goes with its claim, persistent data stays', async () => {
    await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage'));
    await client.create(persistentVolumeClaimType, claimOf('persistent-nfs-storage', 'kept'));
    const [, kept] = [await bound(), await bound('kept')];
    const temporary = join(volumes(), 'temporary-nfs-storage', 'default-test-claim');
    const persistent = join(volumes(), 'persistent-nfs-storage', 'default-kept');
    expect(statSync(temporary).mode & 0o7777).toBe(0o777);
    writeFileSync(join(temporary, 'data'), 'x');
    writeFileSync(join(persistent, 'data'), 'x');
    for (const name of ['test-claim', 'kept']) await client.delete(persistentVolumeClaimType, name, 'default');
    await until('the folder to go', async () => !existsSync(temporary));
    await until(
      'the volume to be released',
      async () => (await client.get(persistentVolumeType, kept.spec.volumeName!))?.status?.phase === 'Released',
    );
    expect(readdirSync(persistent)).toEqual(['data']);
    await until('the volume to go', async () => (await client.list(persistentVolumeType)).items.length === 1);
    // The same claim made again finds its data; the old volume stays Released.
    await client.create(persistentVolumeClaimType, claimOf('persistent-nfs-storage', 'kept'));
    const again = await bound('kept');
    expect(again.spec.volumeName).not.toBe(kept.spec.volumeName);
    expect(readdirSync(persistent)).toEqual(['data']);
  });

  test('a claim and its data outlive every pod that uses it', async () => {
    await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage'));
    const claim = await bound();
    await client.create(serviceAccountType, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    await client.create(podType, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'user', namespace: 'default' },
      spec: {
        nodeName: 'rehearsal',
        containers: [{ name: 'a', image: 'x' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'test-claim' } }],
      },
    } as never);
    await client.delete(persistentVolumeClaimType, 'test-claim', 'default');
    await client.delete(persistentVolumeType, claim.spec.volumeName!);
    // Another claim that is made and bound afterwards shows that the controllers have seen both deletions.
    await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage', 'later'));
    await bound('later');
    expect((await get())?.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    expect((await client.get(persistentVolumeType, claim.spec.volumeName!))?.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    await client.patch(podType, 'user', 'default', { status: { phase: 'Succeeded' } }, { kind: 'merge', subresource: 'status' });
    await gone();
    await until('the volume to go', async () => (await client.get(persistentVolumeType, claim.spec.volumeName!)) === undefined);
  });

  test.each([
    ['../../etc', 'holds an empty part, "." or ".."'],
    ['/etc', 'is absolute'],
    ['a/./b', 'holds an empty part'],
    ['.owners/x', 'begins with a dot'],
    ['a\u0000b', 'control character'],
  ])('the storage path %j is refused', async (path, why) => {
    await client.create(persistentVolumeClaimType, claimOf('persistent-nfs-storage-with-path', 'test-claim', { path }));
    expect((await event('default/test-claim', 'ProvisioningFailed')).message).toContain(why);
    expect(existsSync(join(volumes(), 'persistent-nfs-storage-with-path'))).toBe(false);
  });

  test('no claim gets into the folder of another', async () => {
    for (const namespace of ['a-b', 'a', 'tenant'])
      await client.create(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } as never);
    await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage', 'c', { namespace: 'a-b' }));
    await bound('c', 'a-b');
    await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage', 'b-c', { namespace: 'a' }));
    expect((await event('a/b-c', 'ProvisioningFailed')).message).toContain(
      'The folder a-b-c of the class temporary-nfs-storage belongs to another claim.',
    );
    const withPath = 'persistent-nfs-storage-with-path';
    await client.create(persistentVolumeClaimType, claimOf(withPath, 'first', { path: 'custom/directory' }));
    await bound('first');
    expect(existsSync(join(volumes(), withPath, 'custom/directory'))).toBe(true);
    for (const [name, path] of [
      ['same', 'custom/directory'],
      ['inside', 'custom/directory/deep'],
      ['around', 'custom'],
    ] as const) {
      await client.create(persistentVolumeClaimType, claimOf(withPath, name, { path, namespace: 'tenant' }));
      expect((await event(`tenant/${name}`, 'ProvisioningFailed')).message).toMatch(/belongs to|overlaps with that of/);
    }
    // Data that was kept stays its namespace's.
    await client.delete(persistentVolumeClaimType, 'first', 'default');
    await gone('first');
    await client.create(persistentVolumeClaimType, claimOf(withPath, 'late', { path: 'custom/directory', namespace: 'tenant' }));
    await event('tenant/late', 'ProvisioningFailed');
    await client.create(persistentVolumeClaimType, claimOf(withPath, 'second', { path: 'custom/directory' }));
    await bound('second');
  });

  test('what cannot be provided says so', async () => {
    await client.create(persistentVolumeClaimType, claimOf('no-such-class'));
    expect(await event('default/test-claim', 'ProvisioningFailed')).toMatchObject({
      message: 'storageclass.storage.k8s.io "no-such-class" not found',
      type: 'Warning',
    });
    await client.create(persistentVolumeClaimType, claimOf(undefined, 'classless'));
    expect((await event('default/classless', 'FailedBinding')).message).toBe(
      'no persistent volumes available for this claim and no storage class is set',
    );
    expect((await get())?.status?.phase).toBe('Pending');
  });

  test('killed between any two steps, it goes on', async () => {
    await end();
    const claim = await client.create(persistentVolumeClaimType, claimOf('temporary-nfs-storage'));
    // As far as the volume, but not the claim.
    start();
    await until('the volume', async () => (await client.list(persistentVolumeType)).items[0]);
    await end();
    start();
    await bound();
    await end();
    await client.delete(persistentVolumeClaimType, 'test-claim', 'default');
    await client
      .patch(persistentVolumeClaimType, 'test-claim', 'default', { metadata: { finalizers: [] } }, { kind: 'merge' })
      .catch(() => {});
    rmSync(join(volumes(), 'temporary-nfs-storage'), { recursive: true });
    start();
    await until('the volume to go', async () => (await client.get(persistentVolumeType, `pvc-${claim.metadata.uid}`)) === undefined);
    expect(readdirSync(join(volumes(), '.owners'))).toEqual([]);
  });
});
