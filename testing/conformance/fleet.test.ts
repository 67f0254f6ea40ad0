import { configMapType, deploymentType, type Job, jobType, namespaceType, secretType } from '@desp/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
const chart = (version: string, more: Record<string, string> = {}) => ({
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
    const job = await until('the hook Job', async () => hookJob(), everything);
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
});
