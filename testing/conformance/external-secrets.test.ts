import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type ExternalSecretsProfile, externalSecretsCrds, startExternalSecrets } from '@desp/controllers';
import { secretType } from '@desp/kube';
import { silentLogger, systemClock } from '@desp/runtime';
import { createVaultClient, createVaultServer, reviewTokenOverKubernetes, type VaultClient } from '@desp/vault';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ClusterBench, startClusterBench } from './cluster-bench.ts';

/** Sections 3.6.2, 3.6.3 and 3.6.6.1 of the procedure, applied and listed with kubectl; judged by what the real part answered. */

const missing = spawnSync('kubectl', ['version', '--client']).status === 0 ? undefined : 'kubectl is not on this machine';
const because = missing === undefined ? '' : ` (skipped: ${missing})`;

const store = (version: string, role = 'my-role') => `
apiVersion: external-secrets.io/${version}
kind: SecretStore
metadata:
  name: vault-backend
spec:
  provider:
    vault:
      server: "http://vault.vault.svc:8200"
      path: "my-path"
      version: "v2"
      auth:
        kubernetes:
          mountPath: "kubernetes"
          role: "${role}"
          serviceAccountRef:
            name: "default"
`;
const pullSecret = (version: string) => `
apiVersion: external-secrets.io/${version}
kind: ExternalSecret
metadata:
  name: pull-secret
spec:
  dataFrom:
    - extract:
        conversionStrategy: Default
        decodingStrategy: Base64
        key: pull-secret
  refreshInterval: 1m
  secretStoreRef:
    kind: SecretStore
    name: vault-backend
  target:
    creationPolicy: Owner
    deletionPolicy: Retain
    name: harbor-image-pull
    template:
      engineVersion: v2
      mergePolicy: Replace
      type: kubernetes.io/dockerconfigjson
`;
const s3Secret = (version: string, interval = '1m') => `
apiVersion: external-secrets.io/${version}
kind: ExternalSecret
metadata:
  name: vault-s3-secret
  labels:
    app.kubernetes.io/managed-by: Helm
  annotations:
    meta.helm.sh/release-name: sample-app-test-deployment
spec:
  refreshInterval: ${interval}
  secretStoreRef:
    kind: SecretStore
    name: vault-backend
  target:
    creationPolicy: Owner
    deletionPolicy: Retain
    name: sample-app-s3-secret
  dataFrom:
    - extract:
        key: s3
`;
const external = (name: string, spec: string) => `
apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata:
  name: ${name}
spec:
  secretStoreRef: { kind: SecretStore, name: vault-backend }
${spec.replace(/^/gm, '  ')}
`;
const dockerConfig = JSON.stringify({ auths: { 'registry-ct.e2e.desp.space': { username: 'u', password: 'p', auth: 'dTpw' } } });

interface World {
  readonly bench: ClusterBench;
  readonly vault: VaultClient;
  stop(): Promise<void>;
}

async function startWorld(profile: ExternalSecretsProfile, number: number): Promise<World> {
  const bench = await startClusterBench(number);
  const server = await createVaultServer({
    dataFolder: join(bench.folder, 'vault'),
    rootToken: 'root-of-the-test',
    reviewToken: reviewTokenOverKubernetes,
  });
  const { host, port, url } = await server.listen({ port: 0 });
  await bench.platformService('vault', 'vault', 8200, { address: host, port });
  const vault = createVaultClient({ url, token: 'root-of-the-test' });
  await vault.kubernetes().configure({
    host: bench.client.server,
    caCertificate: bench.cluster.certificateAuthority,
    reviewerToken: await reviewerToken(bench),
  });
  for (const mount of ['my-path', 'openldap']) {
    await vault.ensureKv(mount);
    await vault.putPolicy(`read-${mount}`, `path "${mount}/data/*" { capabilities = ["read"] }`);
  }
  const role = { serviceAccounts: ['default'], namespaces: ['sample-app'], policies: ['read-my-path'], ttl: 600 };
  await vault.kubernetes().putRole('my-role', role);
  await vault.kubernetes().putRole('openldap-password-read', {
    serviceAccounts: ['external-secrets'],
    namespaces: ['external-secrets'],
    policies: ['read-openldap'],
    ttl: 600,
  });
  await vault.kv('my-path').write('pull-secret', { '.dockerconfigjson': Buffer.from(dockerConfig).toString('base64') });
  await vault.kv('my-path').write('s3', { access: 'accessForS3', secret: 'secretForS3' });
  await vault.kv('openldap').write('secrets', { admin_password: 'admin-pw', config_password: 'config-pw' });

  await bench.install(externalSecretsCrds(profile));
  await bench.namespace('sample-app');
  const stopping = new AbortController();
  const running = startExternalSecrets({
    client: bench.client,
    profile,
    resolveService: bench.cluster.resolveService,
    clock: systemClock,
    log: silentLogger,
    signal: stopping.signal,
  });
  return {
    bench,
    vault,
    async stop() {
      stopping.abort();
      await running;
      await server.close();
      await bench.stop();
    },
  };
}

/** The ServiceAccount by which Vault asks the API server about tokens. */
async function reviewerToken(bench: ClusterBench): Promise<string> {
  await bench.ok(['create', '-n', 'vault', 'serviceaccount', 'vault']);
  const role = ['--verb=create', '--resource=tokenreviews.authentication.k8s.io'];
  await bench.ok(['create', 'clusterrole', 'token-reviewer', ...role]);
  await bench.ok(['create', 'clusterrolebinding', 'vault-reviews', '--clusterrole=token-reviewer', '--serviceaccount=vault:vault']);
  return (await bench.ok(['create', '-n', 'vault', 'token', 'vault'])).trim();
}

const until = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 100 });
const inNamespace = ['-n', 'sample-app'];

describe.skipIf(missing !== undefined)(`External Secrets as in the procedure, profile 0.9${because}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('0.9', 1);
  });
  afterAll(() => world?.stop());
  const apply = (manifest: string) => world.bench.ok(['apply', ...inNamespace, '-f', '-'], manifest);
  const get = (...args: string[]) => world.bench.ok(['get', ...inNamespace, ...args]);
  const secret = (name: string) => world.bench.client.get(secretType, name, 'sample-app');
  const value = async (name: string, key: string) => Buffer.from((await secret(name))?.data?.[key] ?? '', 'base64').toString('utf8');
  const status = (name: string) =>
    get('externalsecret', name, '-o', 'jsonpath={.status.conditions[0].reason} {.status.conditions[0].message}');
  const whyNot = async (name: string, reason: string) =>
    until(async () =>
      expect(await world.bench.ok(['describe', ...inNamespace, 'externalsecrets.external-secrets.io', name])).toContain(reason),
    );

  test('sections 3.6.2.1 and 3.6.2.2: the pull secret and its two tables', async () => {
    await apply(`${store('v1beta1')}---${pullSecret('v1beta1')}`);
    await until(async () => expect(await status('pull-secret')).toBe('SecretSynced Secret was synced'));
    const table = await get('externalsecrets.external-secrets.io');
    expect(table.replace(/ +\n/g, '\n').replace(/ {2,}/g, '\t')).toBe(
      'NAME\tSTORE\tREFRESH INTERVAL\tSTATUS\tREADY\npull-secret\tvault-backend\t1m\tSecretSynced\tTrue\n',
    );
    expect(await get('secrets', 'harbor-image-pull')).toMatch(
      /^NAME +TYPE +DATA +AGE\nharbor-image-pull +kubernetes.io\/dockerconfigjson +1 +\d+s\n$/,
    );
    expect(await value('harbor-image-pull', '.dockerconfigjson')).toBe(dockerConfig);
    expect((await secret('harbor-image-pull'))?.metadata.labels).toBeUndefined();
    expect(await get('secretstore')).toMatch(/^NAME +AGE +STATUS +CAPABILITIES +READY\nvault-backend +\d+s +Valid +ReadWrite +True\n$/);
  });

  test('section 3.6.3: the S3 Secret, to the letter of its sample', async () => {
    await apply(s3Secret('v1beta1'));
    await until(async () => expect(await status('vault-s3-secret')).toContain('SecretSynced'));
    const made = await secret('sample-app-s3-secret');
    expect(made).toMatchObject({
      data: { access: 'YWNjZXNzRm9yUzM=', secret: 'c2VjcmV0Rm9yUzM=' },
      immutable: false,
      type: 'Opaque',
      metadata: {
        annotations: {
          'meta.helm.sh/release-name': 'sample-app-test-deployment',
          'reconcile.external-secrets.io/data-hash': '5a1c1f22b3445c1634a94757f72bede1',
        },
        ownerReferences: [
          {
            apiVersion: 'external-secrets.io/v1beta1',
            blockOwnerDeletion: true,
            controller: true,
            kind: 'ExternalSecret',
            name: 'vault-s3-secret',
          },
        ],
      },
    });
    expect(made?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'Helm' });
  });

  test('section 3.6.6.1, second method: v1alpha1 without a ServiceAccount, with a namespace header', async () => {
    await apply(`
apiVersion: external-secrets.io/v1alpha1
kind: SecretStore
metadata: { name: openldap-secrets-store, namespace: sample-app }
spec:
  provider:
    vault:
      server: "http://vault.vault.svc:8200"
      path: "openldap"
      version: "v2"
      namespace: "vault"
      auth:
        kubernetes:
          mountPath: "kubernetes"
          role: "openldap-password-read"
---
apiVersion: external-secrets.io/v1alpha1
kind: ExternalSecret
metadata: { name: secrets, namespace: sample-app }
spec:
  secretStoreRef: { name: openldap-secrets-store, kind: SecretStore }
  target: { name: ldap-passwords }
  data:
    - secretKey: LDAP_ADMIN_PASSWORD
      remoteRef: { key: secrets, property: admin_password }
    - secretKey: LDAP_CONFIG_PASSWORD
      remoteRef: { key: secrets, property: config_password }
---
apiVersion: external-secrets.io/v1alpha1
kind: ExternalSecret
metadata: { name: flat, namespace: sample-app }
spec:
  secretStoreRef: { name: openldap-secrets-store, kind: SecretStore }
  target: { name: flat }
  dataFrom:
    - key: secrets
`);
    await until(async () => expect(await value('ldap-passwords', 'LDAP_ADMIN_PASSWORD')).toBe('admin-pw'));
    expect(await value('ldap-passwords', 'LDAP_CONFIG_PASSWORD')).toBe('config-pw');
    await until(async () => expect(await value('flat', 'config_password')).toBe('config-pw'));
    const tables = await world.bench.ok(['get', ...inNamespace, 'externalsecrets.v1alpha1.external-secrets.io', 'flat']);
    expect(tables).toMatch(/^NAME +STORE +REFRESH INTERVAL +STATUS\n/);
  });

  test('a Secret changed by hand is put right, one deleted comes back, and the ExternalSecret takes it along', async () => {
    await world.bench.ok([
      'patch',
      ...inNamespace,
      'secret',
      'sample-app-s3-secret',
      '-p',
      '{"stringData":{"access":"forged","extra":"x"}}',
    ]);
    await until(async () =>
      expect((await secret('sample-app-s3-secret'))?.data).toEqual({ access: 'YWNjZXNzRm9yUzM=', secret: 'c2VjcmV0Rm9yUzM=' }),
    );
    await world.bench.ok(['delete', ...inNamespace, 'secret', 'sample-app-s3-secret']);
    await until(async () => expect(await value('sample-app-s3-secret', 'access')).toBe('accessForS3'));
    await world.bench.ok(['delete', ...inNamespace, 'externalsecret', 'vault-s3-secret']);
    await until(async () => expect(await secret('sample-app-s3-secret')).toBeUndefined());
  });

  test('a new value is taken over at the refresh interval; when the source goes, the Secret stays', async () => {
    const { vault } = world;
    await vault.kv('my-path').write('changing', { v: 'one' });
    await apply(external('changing', 'refreshInterval: 1s\ndataFrom: [{ extract: { key: changing } }]'));
    await until(async () => expect(await value('changing', 'v')).toBe('one'));
    await vault.kv('my-path').write('changing', { v: 'two' });
    await until(async () => expect(await value('changing', 'v')).toBe('two'));
    await vault.kv('my-path').destroy('changing');
    await until(async () => expect(await status('changing')).toBe('SecretSyncedError could not get secret data from provider'));
    expect(await value('changing', 'v')).toBe('two');
    await whyNot('changing', 'error processing spec.dataFrom[0].extract, err: Secret does not exist');
  });

  test('describe says why, in the words of the real part', async () => {
    await apply(external('property', 'data: [{ secretKey: a, remoteRef: { key: s3, property: nope } }]'));
    await whyNot('property', 'error processing spec.data[0] (key: s3), err: cannot find secret data for key: "nope"');
    await apply(external('base64', 'dataFrom: [{ extract: { key: s3, decodingStrategy: Base64 } }]'));
    await whyNot(
      'base64',
      'error processing spec.dataFrom[0].extract, err: error applying decoding strategy Base64 to data: failure decoding key access: illegal base64 data at input byte 8',
    );
    await apply(external('missing', 'data: [{ secretKey: a, remoteRef: { key: s3 } }]').replace('vault-backend', 'missing'));
    await whyNot('missing', 'err: could not get SecretStore "missing", SecretStore.external-secrets.io "missing" not found');
    await apply(external('found', 'dataFrom: [{ find: { name: { regexp: ".*" } } }]'));
    await whyNot('found', 'find is not supported');
    await apply(
      external('wrong-type', 'dataFrom: [{ extract: { key: s3 } }]\ntarget: { template: { type: kubernetes.io/dockerconfigjson } }'),
    );
    await whyNot('wrong-type', 'data[.dockerconfigjson]: Required value');
    expect(await status('wrong-type')).toBe('SecretSyncedError could not update secret');
    await apply(external('climbing', 'dataFrom: [{ extract: { key: ../../sys/mounts } }]'));
    await whyNot('climbing', 'is no path of a secret');
  });

  test('a store that cannot log in says so, and heals', async () => {
    await apply(store('v1beta1', 'nope').replace('vault-backend', 'broken'));
    await until(async () => {
      const told = await world.bench.ok(['describe', ...inNamespace, 'secretstore', 'broken']);
      expect(told).toContain('unable to log in to auth method: unable to log in with Kubernetes auth: Error making API request.');
      expect(told).toContain('URL: PUT http://vault.vault.svc:8200/v1/auth/kubernetes/login');
      expect(told).toContain('* invalid role name "nope"');
      expect(told).toMatch(/Message: +unable to create client\n *Reason: +InvalidProviderConfig/);
    });
    await apply(external('waits', 'dataFrom: [{ extract: { key: s3 } }]').replace('vault-backend', 'broken'));
    await whyNot('waits', 'SecretStore "broken" is not ready');
    await apply(store('v1beta1').replace('vault-backend', 'broken'));
    await until(async () => expect(await value('waits', 'access')).toBe('accessForS3'));
  });

  test('a store reaches Services only, and the own token goes to the platform alone', async () => {
    const other = store('v1beta1').replace('vault-backend', 'elsewhere').replace('http://vault.vault.svc:8200', 'http://127.0.0.1:8200');
    await apply(other);
    await until(async () =>
      expect(await world.bench.ok(['describe', ...inNamespace, 'secretstore', 'elsewhere'])).toContain('no Service with a ready endpoint'),
    );
    await world.bench.ok(['create', ...inNamespace, 'service', 'externalname', 'trap', '--external-name=127.0.0.1', '--tcp=8200:8200']);
    await apply(store('v1beta1').replace('vault-backend', 'trapped').replace('vault.vault.svc', 'trap.sample-app.svc'));
    await until(async () =>
      expect(await world.bench.ok(['describe', ...inNamespace, 'secretstore', 'trapped'])).toContain('no Service with a ready endpoint'),
    );
    await world.bench.platformService('mine', 'sample-app', 8200, { address: '127.0.0.1', port: 1 });
    const withoutAccount = store('v1beta1')
      .replace(/ *serviceAccountRef:\n.*\n/, '')
      .replace('vault.vault.svc', 'mine.sample-app.svc');
    await apply(withoutAccount.replace('vault-backend', 'curious'));
    const refusal = 'a store without serviceAccountRef may name only a Service of vault';
    await until(async () => expect(await world.bench.ok(['describe', ...inNamespace, 'secretstore', 'curious'])).toContain(refusal));
  });

  test('creationPolicy Merge leaves the keys of others', async () => {
    await world.bench.ok(['create', ...inNamespace, 'secret', 'generic', 'shared', '--from-literal=mine=1']);
    await apply(external('merging', 'dataFrom: [{ extract: { key: s3 } }]\ntarget: { name: shared, creationPolicy: Merge }'));
    await until(async () => expect(await value('shared', 'access')).toBe('accessForS3'));
    expect(await value('shared', 'mine')).toBe('1');
    await apply(external('second', 'dataFrom: [{ extract: { key: s3 } }]\ntarget: { name: harbor-image-pull }'));
    await whyNot('second', 'target is owned by another ExternalSecret');
  });
});

describe.skipIf(missing !== undefined)(`External Secrets, current profile${because}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld('current', 2);
  });
  afterAll(() => world?.stop());

  test('marks, hash and table as recorded from the real part', async () => {
    const { bench } = world;
    await bench.ok(['apply', ...inNamespace, '-f', '-'], `${store('v1')}---${s3Secret('v1')}---${pullSecret('v1')}`);
    const get = (...args: string[]) => bench.ok(['get', ...inNamespace, ...args]);
    await until(async () =>
      expect(await get('externalsecret', 'vault-s3-secret', '-o', 'jsonpath={.status.conditions[0].message}')).toBe('secret synced'),
    );
    const secret = await bench.client.get(secretType, 'sample-app-s3-secret', 'sample-app');
    expect(secret?.metadata.labels).toEqual({
      'app.kubernetes.io/managed-by': 'Helm',
      'reconcile.external-secrets.io/created-by': '6a9c0a6f300928f69137dc3021f4036cf5db49391ee682013c7d03ce',
      'reconcile.external-secrets.io/managed': 'true',
    });
    expect(secret?.metadata.annotations?.['reconcile.external-secrets.io/data-hash']).toBe(
      '52197432b265e5065d2a8c10689dbf797450cd94da51322da602e0a4',
    );
    expect(secret).not.toHaveProperty('immutable');
    await until(async () =>
      expect(await get('externalsecrets')).toMatch(
        /^NAME +STORETYPE +STORE +REFRESH INTERVAL +STATUS +READY +LAST SYNC\npull-secret +SecretStore +vault-backend +1m +SecretSynced +True +\d+s\n/,
      ),
    );
    const { metadata, status } = JSON.parse(await get('externalsecret', 'vault-s3-secret', '-o', 'json'));
    expect(metadata.finalizers).toEqual(['externalsecrets.external-secrets.io/externalsecret-cleanup']);
    expect(status).toMatchObject({
      binding: { name: 'sample-app-s3-secret' },
      syncedResourceVersion: expect.stringMatching(/^1-[0-9a-f]{56}$/),
    });
    await bench.ok(['delete', ...inNamespace, 'externalsecret', 'vault-s3-secret', '--timeout=10s']);
    await until(async () => expect(await bench.client.get(secretType, 'sample-app-s3-secret', 'sample-app')).toBeUndefined());
  });

  test('the manifests of v1beta1 are refused, as by the real part', async () => {
    const { code, err } = await world.bench.kubectl(['apply', ...inNamespace, '-f', '-'], s3Secret('v1beta1'));
    expect(code).not.toBe(0);
    expect(err).toContain('no matches for kind "ExternalSecret" in version "external-secrets.io/v1beta1"');
  });
});
