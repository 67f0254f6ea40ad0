import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listRevisions, readCapabilities } from '@desp/controllers';
import { configMapType, deploymentType, type Job, jobType, namespaceType, secretType } from '@desp/kube';
import { Digest } from '@desp/model';
import { run } from '@desp/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderRelease } from '../../apps/platform/src/releases/render-release.ts';
import { type AnyObject, type FleetRehearsal, hasGit, project, startFleetRehearsal, until } from './fleet-rehearsal.ts';

const author = { name: 'Alice', email: 'alice@example.org', at: new Date() };
const fleetType = (plural: string, kind: string) => ({ group: 'fleet.cattle.io', version: 'v1alpha1', plural, kind, namespaced: true });
const gitRepoType = fleetType('gitrepos', 'GitRepo');
const bundleType = fleetType('bundles', 'Bundle');
const bundleDeploymentType = fleetType('bundledeployments', 'BundleDeployment');
const repoName = 'sample-app-e2e';

const fleetYaml = `defaultNamespace: sample-app
helm:
  releaseName: sample-app
  timeoutSeconds: 0
targetCustomizations:
- name: e2e
  clusterSelector:
    matchLabels:
      customer: e2e
  helm:
    chart: .
    valuesFiles:
      - ./values.e2e.yaml
`;
const hook = (events: string, extra = '') => `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: ${events}
    helm.sh/hook-weight: "-5"
${extra}spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: job
          image: registry.example/sample-app/image-a:1.0.0
`;
const upgradeHook = hook('post-install,post-upgrade', '    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded\n');
/** The whole tree of a commit. */
const chart = (version: string, more: Record<string, string> = {}) => ({
  'deployment/templates/hook.yaml': upgradeHook,
  'deployment/fleet.yaml': fleetYaml,
  'deployment/Chart.yaml': `apiVersion: v2\nname: sample-app\nversion: ${version}\nappVersion: "1.0"\n`,
  'deployment/values.yaml': 'colour: blue\n',
  'deployment/values.e2e.yaml': 'colour: green\n',
  'deployment/templates/config.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  colour: {{ .Values.colour }}\n  version: {{ .Chart.Version | quote }}\n  revision: {{ .Release.Revision | quote }}\n  clock: "12:30"\n  answer: "yes"\n`,
  'deployment/templates/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: image-a
spec:
  replicas: 1
  selector: {matchLabels: {app: image-a}}
  template:
    metadata: {labels: {app: image-a}}
    spec:
      containers:
        - name: a
          image: registry.example/sample-app/image-a:1.0.0
          resources: {requests: {cpu: 0.1, memory: 1000Ki}}
`,
  ...more,
});
const digest = `sha256:${'a'.repeat(64)}`;

describe.skipIf(!hasGit)('Fleet: GitRepo to applied objects (skipped where git is missing)', () => {
  let fleet: FleetRehearsal;
  beforeAll(async () => {
    fleet = await startFleetRehearsal();
  });
  afterAll(() => fleet?.stop());

  const get = (type: typeof gitRepoType, name: string, namespace: string) =>
    fleet.management.get(type, name, namespace) as Promise<AnyObject | undefined>;
  const repo = () => get(gitRepoType, repoName, 'fleet-default');
  const deployment = () => get(bundleDeploymentType, `${repoName}-deployment`, fleet.clusterNamespace);
  const everything = async () => [(await repo())?.status, (await deployment())?.spec?.['deploymentID'], (await deployment())?.status];

  async function deliver(
    files: Record<string, string>,
    pins: Record<string, string> = { 'registry.example/sample-app/image-a:1.0.0': digest },
  ): Promise<string> {
    const commit = await fleet.git.commitFiles(project, 'main', files, 'next', author);
    const object = {
      apiVersion: 'fleet.cattle.io/v1alpha1',
      kind: 'GitRepo',
      metadata: {
        name: repoName,
        namespace: 'fleet-default',
        labels: { 'desp.space/service': 'sample-app' },
        annotations: { 'desp.space/release': '1.0.0', 'desp.space/pins': JSON.stringify(pins) },
      },
      spec: {
        repo: fleet.gitUrl,
        revision: commit,
        paths: ['deployment'],
        clientSecretName: 'gitcredential',
        targets: [{ name: 'environment', clusterSelector: { matchLabels: { customer: 'e2e' } } }],
      },
    };
    await fleet.management.patch(gitRepoType, repoName, 'fleet-default', object, { kind: 'apply', fieldManager: 'test', force: true });
    return commit;
  }

  const condition = (object: AnyObject | undefined, type: string) =>
    (object?.status?.['conditions'] as { type: string; status: string; message?: string }[] | undefined)?.find(
      (each) => each.type === type,
    );
  const hookJob = () => fleet.downstream.get(jobType, 'sample-app-hook', 'sample-app');
  const finishJob = async (type: 'Complete' | 'Failed') => {
    const job = await until(
      'a hook Job that runs',
      async () => {
        const live = await hookJob();
        return live?.status?.conditions?.length ? undefined : live;
      },
      everything,
    );
    const status = { conditions: [{ type, status: 'True' }], ...(type === 'Failed' ? { failed: 1 } : { succeeded: 1 }) };
    await fleet.downstream.patch(jobType, job.metadata.name, 'sample-app', { status }, { kind: 'merge', subresource: 'status' });
    return job as Job;
  };
  const makeReady = async () => {
    const live = await until('the Deployment', () => fleet.downstream.get(deploymentType, 'image-a', 'sample-app'), everything);
    const status = {
      observedGeneration: live.metadata.generation,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      conditions: [{ type: 'Available', status: 'True' }],
    };
    await fleet.downstream.patch(deploymentType, 'image-a', 'sample-app', { status }, { kind: 'merge', subresource: 'status' });
  };

  test('installs: bundle, deployment, namespace, objects, hook, release', async () => {
    fleet.startControllers();
    const commit = await deliver(
      chart('1.0.0', {
        'deployment/templates/hook.yaml': hook('post-install,post-upgrade', '    helm.sh/hook-delete-policy: hook-succeeded\n'),
      }),
    );
    const job = await finishJob('Complete');
    expect(job.spec.template.spec.containers[0]?.image).toBe(`registry.example/sample-app/image-a:1.0.0@${digest}`);
    expect(job.metadata.labels?.['app.kubernetes.io/managed-by']).toBeUndefined();
    await makeReady();
    await until(
      'a ready repository',
      async () => condition(await repo(), 'Ready')?.status === 'True' && (await repo())?.status?.['commit'] === commit,
      everything,
    );
    const bundle = await get(bundleType, `${repoName}-deployment`, 'fleet-default');
    expect(bundle?.metadata.labels).toMatchObject({
      'fleet.cattle.io/commit': commit,
      'fleet.cattle.io/repo-name': repoName,
      'desp.space/service': 'sample-app',
    });
    const live = (await deployment())!;
    expect(live.metadata.labels).toMatchObject({
      'fleet.cattle.io/bundle-name': `${repoName}-deployment`,
      'fleet.cattle.io/cluster': 'e2e',
      'fleet.cattle.io/managed': 'true',
      'fleet.cattle.io/repo-name': repoName,
    });
    expect(live.status).toMatchObject({
      ready: true,
      nonModified: true,
      release: 'sample-app/sample-app:1',
      appliedDeploymentID: live.spec?.['deploymentID'],
    });
    const config = (await fleet.downstream.get(configMapType, 'sample-app', 'sample-app'))!;
    expect(config.data).toEqual({ colour: 'green', version: '1.0.0', revision: '1', clock: '12:30', answer: 'yes' });
    expect(config.metadata.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'Helm',
      'objectset.rio.cattle.io/hash': expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect(config.metadata.annotations).toEqual({
      'meta.helm.sh/release-name': 'sample-app',
      'meta.helm.sh/release-namespace': 'sample-app',
      'objectset.rio.cattle.io/id': expect.stringMatching(/^default-sample-app-e2e-deployment-cattle-fleet-sy/),
    });
    expect((await fleet.downstream.get(namespaceType, 'sample-app'))?.metadata.labels).toMatchObject({
      'kubernetes.io/metadata.name': 'sample-app',
      name: 'sample-app',
    });
    await until('the finished hook to be deleted', async () => (await hookJob()) === undefined);
    const secret = (await fleet.downstream.get(secretType, 'sh.helm.release.v1.sample-app.v1', 'sample-app'))!;
    expect(secret.type).toBe('helm.sh/release.v1');
    expect(secret.metadata.labels).toMatchObject({ name: 'sample-app', owner: 'helm', status: 'deployed', version: '1' });
    expect((await repo())?.status).toMatchObject({
      summary: { desiredReady: 1, ready: 1 },
      display: { readyBundleDeployments: '1/1' },
      readyClusters: 1,
    });
  });

  test('upgrades: revision, what disappeared is pruned, what is marked stays, the hook runs again', async () => {
    const keep = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kept\n  annotations: {helm.sh/resource-policy: keep}\n';
    const extra = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\n';
    await deliver(chart('1.1.0', { 'deployment/templates/keep.yaml': keep, 'deployment/templates/extra.yaml': extra }));
    await finishJob('Complete');
    await until('revision 2', async () => (await deployment())?.status?.['release'] === 'sample-app/sample-app:2', everything);
    const config = await fleet.downstream.get(configMapType, 'sample-app', 'sample-app');
    expect(config?.data).toMatchObject({ version: '1.1.0', revision: '2' });
    // The template shows the revision: only who renders with the agent's very inputs comes to the same hash.
    const files = Object.entries(chart('1.2.0')).map(([path, text]) => ({ path, data: new TextEncoder().encode(text) }));
    const [recorded] = await renderRelease({
      files,
      service: 'sample-app',
      commit: 'c'.repeat(40),
      environment: { name: 'e2e', clusterLabels: { customer: 'e2e' } },
      capabilities: await readCapabilities(fleet.downstream),
      revisions: await listRevisions(fleet.downstream, 'sample-app'),
      images: new Map([['registry.example/sample-app/image-a:1.0.0', Digest.parse(digest)]]),
    });
    expect(recorded?.inputs).toMatchObject({ operation: 'upgrade', revision: 3 });
    await deliver(chart('1.2.0'));
    await finishJob('Complete');
    await until('revision 3', async () => (await deployment())?.status?.['release'] === 'sample-app/sample-app:3', everything);
    const { release: _, ...inputs } = recorded!.inputs;
    expect((await deployment())?.status?.['rendered']).toEqual({ manifests: recorded?.digest, ...inputs });
    expect(await fleet.downstream.get(configMapType, 'extra', 'sample-app')).toBeUndefined();
    expect(await fleet.downstream.get(configMapType, 'kept', 'sample-app')).toBeDefined();
    const { items } = await fleet.downstream.list(secretType, { namespace: 'sample-app', labelSelector: 'owner=helm' });
    expect(items.map(({ metadata }) => [metadata.labels?.['version'], metadata.labels?.['status']]).sort()).toEqual([
      ['2', 'superseded'],
      ['3', 'deployed'],
    ]);
  });

  const helms = ['helm', 'helm3', 'helm4'].filter((name) => spawnSync(name, ['version'], { stdio: 'ignore' }).status === 0);
  test.skipIf(helms.length === 0)('helm lists and shows the release (skipped where no helm is in PATH)', async () => {
    const kubeconfig = join(fleet.folder, 'kubeconfig');
    writeFileSync(kubeconfig, fleet.kubeconfig, { mode: 0o600 });
    for (const helm of helms) {
      const ask = async (...args: string[]) => {
        const { code, stdout, stderr } = await run([helm, '--kubeconfig', kubeconfig, '-n', 'sample-app', ...args]);
        expect(code, stderr).toBe(0);
        return stdout.toString();
      };
      expect(JSON.parse(await ask('list', '-o', 'json'))).toMatchObject([
        { name: 'sample-app', revision: '3', status: 'deployed', chart: 'sample-app-1.2.0', app_version: '1.0' },
      ]);
      expect(JSON.parse(await ask('history', 'sample-app', '-o', 'json'))).toMatchObject([
        { revision: 2, status: 'superseded', description: 'Upgrade complete' },
        { revision: 3, status: 'deployed' },
      ]);
      expect(await ask('get', 'values', 'sample-app', '-o', 'json')).toContain('"colour":"green"');
      expect(await ask('get', 'manifest', 'sample-app')).toContain('clock: "12:30"');
      expect(await ask('get', 'hooks', 'sample-app')).toContain('helm.sh/hook-weight: "-5"');
    }
  });

  test('a change behind its back is Modified; a missing object too; putting it back is Ready', async () => {
    await makeReady();
    await until('Ready', async () => condition(await deployment(), 'Ready')?.status === 'True', everything);
    await fleet.downstream.patch(configMapType, 'sample-app', 'sample-app', { data: { colour: 'red' } }, { kind: 'merge' });
    const modified = await until(
      'Modified',
      async () => (await deployment())?.status?.['nonModified'] === false && deployment(),
      everything,
    );
    expect(modified?.status?.['modifiedStatus']).toMatchObject([
      { kind: 'ConfigMap', name: 'sample-app', patch: '{"data":{"colour":"green"}}' },
    ]);
    await fleet.downstream.patch(configMapType, 'sample-app', 'sample-app', { data: { colour: 'green' } }, { kind: 'merge' });
    await until('Ready again', async () => condition(await deployment(), 'Ready')?.status === 'True', everything);
    await fleet.downstream.delete(configMapType, 'sample-app', 'sample-app');
    await until(
      'missing',
      async () => ((await deployment())?.status?.['modifiedStatus'] as { missing?: boolean }[] | undefined)?.[0]?.missing,
      everything,
    );
  });

  test('killed while a hook runs, it goes on and runs nothing twice', async () => {
    await fleet.restart();
    await deliver(chart('1.3.0'));
    const running = await until(
      'the hook of revision 4',
      async () => {
        const job = await hookJob();
        return job?.metadata.annotations?.['desp.space/hook-run']?.includes('.v4/') && job;
      },
      everything,
    );
    await fleet.restart();
    await until('the agent to look again', async () => condition(await deployment(), 'Deployed')?.status === 'Unknown', everything);
    expect((await hookJob())?.metadata.uid).toBe(running.metadata.uid);
    await finishJob('Complete');
    await until(
      'revision 4',
      async () =>
        (await deployment())?.status?.['release'] === 'sample-app/sample-app:4' &&
        condition(await deployment(), 'Deployed')?.status === 'True',
      everything,
    );
    await fleet.restart();
    await makeReady();
    await until('Ready', async () => condition(await deployment(), 'Ready')?.status === 'True', everything);
    expect(await hookJob()).toBeUndefined();
  });

  test('a failed hook fails the release in Helm words, and what ran before goes on', async () => {
    await deliver(chart('1.4.0'));
    await finishJob('Failed');
    const failed = await until(
      'the failure',
      async () => condition(await deployment(), 'Deployed')?.status === 'False' && deployment(),
      everything,
    );
    expect(condition(failed, 'Deployed')?.message).toBe(
      'failed post-upgrade: resource Job/sample-app/sample-app-hook not ready. status: Failed, message: Job Failed. failed: 1/1',
    );
    expect((await fleet.downstream.get(secretType, 'sh.helm.release.v1.sample-app.v5', 'sample-app'))?.metadata.labels?.['status']).toBe(
      'failed',
    );
    const status = (await until(
      'the repository to say so',
      async () => String(condition(await repo(), 'Ready')?.message ?? '').includes('ErrApplied') && (await repo())?.status,
      everything,
    )) as { summary: object };
    expect(status.summary).toMatchObject({ desiredReady: 1, ready: 0, errApplied: 1 });
  });

  test('the same commit is tried again when forceSyncGeneration grows', async () => {
    await fleet.management.patch(
      gitRepoType,
      repoName,
      'fleet-default',
      { spec: { forceSyncGeneration: 1 } },
      { kind: 'merge', fieldManager: 'test' },
    );
    await finishJob('Complete');
    await until('revision 6', async () => (await deployment())?.status?.['release'] === 'sample-app/sample-app:6', everything);
  });

  test('a broken fleet.yaml stalls the repository with the reason', async () => {
    await deliver({ ...chart('1.5.0'), 'deployment/fleet.yaml': 'helm: [broken\n' });
    const stalled = await until('Stalled', async () => condition(await repo(), 'Stalled')?.status === 'True' && repo(), everything);
    expect(condition(stalled, 'Stalled')?.message).toMatch(/deployment\/fleet\.yaml/);
    await deliver(chart('1.6.0'));
    await finishJob('Complete');
    await until(
      'it to recover',
      async () =>
        condition(await repo(), 'Stalled')?.status === 'False' && (await deployment())?.status?.['release'] === 'sample-app/sample-app:7',
      everything,
    );
  });

  test.each([
    [
      'in another namespace',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: evil, namespace: kube-system}\n',
      /own namespace sample-app only/,
    ],
    [
      'of the whole cluster',
      'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: evil}\nrules: []\n',
      /own namespace sample-app only/,
    ],
    [
      'with an image that was not judged',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: evil}\nspec: {containers: [{name: a, image: docker.io/library/alpine}]}\n',
      /no verdict of this release covers/,
    ],
    [
      'of an unknown kind',
      'apiVersion: evil.example/v1\nkind: Thing\nmetadata: {name: evil}\n',
      /no matches for kind "Thing" in version "evil.example\/v1"/,
    ],
    [
      'of a template that runs away only in an upgrade',
      '{{ if .Release.IsUpgrade }}{{ range until 500 }}{{ genPrivateKey "rsa" | sha256sum }}{{ end }}{{ end }}',
      /^(?:Rendering the chart of sample-app-e2e-deployment for an upgrade was given up|The chart of sample-app-e2e-deployment does not render)/,
    ],
  ])('an object %s ends before anything changes', async (_what, manifest, why) => {
    const before = (await fleet.downstream.get(configMapType, 'sample-app', 'sample-app'))?.metadata.resourceVersion;
    await deliver(chart('1.7.0', { 'deployment/templates/evil.yaml': manifest }));
    await until(
      'the refusal',
      async () =>
        why.test(condition(await deployment(), 'Deployed')?.message ?? '') && condition(await deployment(), 'Deployed')?.status === 'False',
      everything,
    );
    expect((await deployment())?.status?.['display']).toMatchObject({ state: 'ErrApplied' });
    expect((await fleet.downstream.get(configMapType, 'sample-app', 'sample-app'))?.metadata.resourceVersion).toBe(before);
  });

  test('the GitRepo deleted takes everything down, after the pre-delete hook', async () => {
    await deliver(chart('1.8.0', { 'deployment/templates/bye.yaml': hook('pre-delete').replace('-hook', '-bye') }));
    await finishJob('Complete');
    await until('revision 7', async () => (await deployment())?.status?.['release'] === 'sample-app/sample-app:7', everything);
    await fleet.management.delete(gitRepoType, repoName, 'fleet-default');
    const bye = await until('the pre-delete hook', () => fleet.downstream.get(jobType, 'sample-app-bye', 'sample-app'), everything);
    expect(await fleet.downstream.get(deploymentType, 'image-a', 'sample-app')).toBeDefined();
    await fleet.downstream.patch(
      jobType,
      bye.metadata.name,
      'sample-app',
      { status: { conditions: [{ type: 'Complete', status: 'True' }] } },
      { kind: 'merge', subresource: 'status' },
    );
    await until('the deployment to go', async () => (await deployment()) === undefined, everything);
    expect(await fleet.downstream.get(deploymentType, 'image-a', 'sample-app')).toBeUndefined();
    expect((await fleet.downstream.list(secretType, { namespace: 'sample-app', labelSelector: 'owner=helm' })).items).toEqual([]);
    expect(await fleet.downstream.get(configMapType, 'kept', 'sample-app')).toBeDefined();
  });
});
