import { DespError } from '@desp/runtime/errors';
import { describe, expect, test } from 'vitest';
import { checkRepository, checks, profileNamed, type RenderChart, type RepositoryEntry, requirementStatus, requirements } from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tree = (files: Record<string, string>): RepositoryEntry[] =>
  Object.entries(files).map(([path, text]) => ({ path, data: bytes(text) }));

/**
 * Charts of these tests are plain YAML with `<a.b>` for values, so that the tests need no template language: enough to render,
 * and to fail where a block is missing.
 */
const render: RenderChart = ({ files, values }) =>
  files
    .filter(({ path }) => path.startsWith('templates/'))
    .map(({ path, data }) => {
      const content = new TextDecoder().decode(data).replace(/<([\w.]+)>/g, (_whole, name: string) => {
        let value: unknown = values;
        for (const part of name.split('.')) {
          if (typeof value !== 'object' || value === null)
            throw new DespError('TEST', `${path}: nil pointer at ${name}`, { kind: 'user', where: { file: path, line: 1 } });
          value = (value as Record<string, unknown>)[part];
        }
        return String(value ?? '');
      });
      return { source: path, kind: /^kind: (\w+)/m.exec(content)?.[1] ?? '', name: 'x', content };
    });

const target = (name: string) => `  - name: ${name}
    clusterSelector: {matchLabels: {customer: ${name}}}
    helm: {chart: ., valuesFiles: [./values.${name}.yaml]}
`;
const values = (environment: string) =>
  `image: registry-ct.${environment}.desp.space/s/a:1.0.0\ningress: {host: s.${environment}.desp.space}\n`;

/** A repository as the procedure wants it. */
const good: Record<string, string> = {
  'README.md': '# Service',
  '.gitlab-ci.yml': `include:
  - {project: $DEVSECOPS_TEMPLATES_REPOSITORY, ref: $DEVSECOPS_TEMPLATES_REF, file: sample-app-devsecops.yml}
build-a:
  extends: .build-e2e
  variables: {DOCKER_BUILDPATH: images/a/, TEST_IMAGE: "s/a:1.0.0"}
release-a:
  extends: .release-e2e
  needs: [build-a]
  variables: {TEST_IMAGE: "s/a:1.0.0"}
`,
  'images/a/Dockerfile': 'FROM scratch',
  'deployment/Chart.yaml': 'apiVersion: v2\nname: s\nversion: 1.0.0\n',
  'deployment/README.md': '# Chart',
  'deployment/fleet.yaml': `defaultNamespace: s\ntargetCustomizations:\n${target('e2e')}${target('prod')}`,
  'deployment/values.yaml': 'size: 1Gi\n',
  'deployment/values.e2e.yaml': values('e2e'),
  'deployment/values.prod.yaml': values('prod'),
  'deployment/templates/pod.yaml': 'kind: Pod\nspec: {containers: [{image: "<image>"}]}\n',
  'deployment/templates/ingress.yaml': 'kind: Ingress\nspec: {rules: [{host: "<ingress.host>"}], tls: [{hosts: ["<ingress.host>"]}]}\n',
  'deployment/templates/claim.yaml':
    'kind: PersistentVolumeClaim\nspec: {storageClassName: persistent-nfs-storage, accessModes: [ReadWriteMany]}\n',
};

const check = (files: Record<string, string | undefined>, more: readonly RepositoryEntry[] = []) => {
  const merged = Object.fromEntries(
    Object.entries({ ...good, ...files }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return checkRepository({ files: [...tree(merged), ...more], profile: profileNamed('procedure-2023'), render, scanSecrets: () => [] });
};

test("a repository in the procedure's layout: nothing is found, and what was not judged is said", async () => {
  const report = await check({});
  expect(report.findings).toEqual([]);
  expect(report.ok).toBe(true);
  expect(report.pipeline?.jobs.map(({ name }) => name)).toEqual(['build-a', 'release-a']);
  expect(report.rendered).toEqual([
    { bundle: 'service-deployment', environment: 'e2e', objects: 3 },
    { bundle: 'service-deployment', environment: 'prod', objects: 3 },
  ]);
  expect(report.notJudged.map(({ requirement }) => requirement)).toContain('DESP-DEV-010');
  expect(report.notJudged.map(({ requirement }) => requirement)).not.toContain('SHALL-3.6.1');
});

test('a values file without a block: file and block are named, and the place that has it', async () => {
  const { findings } = await check({ 'deployment/values.prod.yaml': 'image: registry-ct.prod.desp.space/s/a:1.0.0\n' });
  expect(findings).toMatchObject([
    {
      check: 'environments-render',
      severity: 'error',
      file: 'deployment/values.prod.yaml',
      environments: ['prod'],
      message: expect.stringContaining('has no "ingress"'),
      cure: expect.stringContaining('deployment/values.e2e.yaml'),
    },
  ]);
});

test('a chart that fails everywhere points at the template and guesses no block', async () => {
  const { findings } = await check({ 'deployment/templates/pod.yaml': 'kind: Pod\nspec: {nodeName: "<nope.name>"}\n' });
  expect(findings).toMatchObject([
    { file: 'deployment/templates/pod.yaml', line: 1, environments: ['e2e'] },
    { file: 'deployment/templates/pod.yaml', line: 1, environments: ['prod'] },
  ]);
  expect(findings[0]?.message).not.toContain('has no');
});

describe('each check finds its fault', () => {
  test.each<[string, string, Record<string, string | undefined>, string]>([
    ['no CI file', 'repository-layout', { '.gitlab-ci.yml': undefined }, 'no .gitlab-ci.yml'],
    ['no readme', 'repository-layout', { 'README.md': undefined }, 'no README.md'],
    ['no readme of the chart', 'repository-layout', { 'deployment/README.md': undefined }, 'no readme of its own'],
    ['no fleet.yaml', 'repository-layout', { 'deployment/fleet.yaml': undefined }, 'no fleet.yaml'],
    ['unknown keyword', 'ci-file-plans', { '.gitlab-ci.yml': 'a: {script: x, cache: {}}' }, '"cache"'],
    ['unknown template', 'ci-file-plans', { '.gitlab-ci.yml': 'include: {project: x/y, file: a.yml}' }, 'Cannot include'],
    ['no Dockerfile there', 'ci-file-plans', { 'images/a/Dockerfile': undefined, 'images/b/Dockerfile': 'FROM scratch' }, 'no Dockerfile'],
    ['moving image', 'ci-file-plans', { '.gitlab-ci.yml': 'a: {script: x, variables: {TEST_IMAGE: "s/a:latest"}}' }, 's/a:latest'],
    [
      'environment without target',
      'fleet-targets',
      { 'deployment/fleet.yaml': `defaultNamespace: s\ntargetCustomizations:\n${target('e2e')}` },
      'no target for prod',
    ],
    ['misspelt field', 'fleet-targets', { 'deployment/fleet.yaml': `${good['deployment/fleet.yaml']}\nnope: 1\n` }, 'nope'],
    ['broken fleet.yaml', 'fleet-targets', { 'deployment/fleet.yaml': 'a: 1\na: 2\n' }, 'stands twice'],
    [
      'foreign host',
      'ingress-hosts',
      { 'deployment/values.prod.yaml': values('prod').replace('s.prod.desp.space', 'app.example.com') },
      'app.example.com',
    ],
    [
      'look-alike host',
      'ingress-hosts',
      { 'deployment/values.prod.yaml': values('prod').replace('s.prod.desp.space', 'evildesp.space') },
      'evildesp.space',
    ],
    [
      'Docker Hub',
      'image-sources',
      { 'deployment/values.prod.yaml': values('prod').replace('registry-ct.prod.desp.space/s/a:1.0.0', 'busybox') },
      'Docker Hub',
    ],
    [
      'registry of another environment',
      'image-sources',
      { 'deployment/values.prod.yaml': values('prod').replace('registry-ct.prod', 'registry-ct.e2e') },
      'registry-ct.e2e',
    ],
    ['latest', 'image-sources', { 'deployment/values.prod.yaml': values('prod').replace(':1.0.0', ':latest') }, 'no fixed version'],
    [
      'RWX on Cinder',
      'storage-classes',
      {
        'deployment/templates/claim.yaml': good['deployment/templates/claim.yaml']!.replace(
          'persistent-nfs-storage',
          'csi-cinder-sc-delete',
        ),
      },
      'ReadWriteMany',
    ],
    [
      'unknown class',
      'storage-classes',
      { 'deployment/templates/claim.yaml': 'kind: PersistentVolumeClaim\nspec: {storageClassName: fast}\n' },
      'fast',
    ],
  ])('%s', async (_name, id, files, text) => {
    const { findings } = await check(files);
    const own = findings.filter((finding) => finding.check === id);
    expect(own.map(({ message }) => message).join('\n')).toContain(text);
    expect(own.every(({ cure }) => cure.length > 0)).toBe(true);
  });

  test('a secret in the source, by the given scanner; without one it is not judged', async () => {
    const scanSecrets = (path: string) => (path === 'images/a/Dockerfile' ? [{ line: 3, rule: 'key', description: 'a key' }] : []);
    const profile = profileNamed('procedure-2023');
    const found = await checkRepository({ files: tree(good), profile, render, scanSecrets });
    expect(found.findings).toMatchObject([{ check: 'secrets-in-source', file: 'images/a/Dockerfile', line: 3, severity: 'error' }]);
    const silent = await checkRepository({ files: tree(good), profile, render });
    expect(silent.notJudged).toContainEqual(
      expect.objectContaining({ requirement: 'DESP-DEV-003', why: 'no scanner for secrets was given' }),
    );
    expect(silent.checked).not.toContain('secrets-in-source');
  });

  test.each([
    ['absolute link', 'images/link', '/etc/passwd'],
    ['link upwards', 'images/link', '../../secret'],
    ['link into .git', 'link', '.git/config'],
    ['circle', 'images/link', 'link'],
  ])('%s', async (_name, path, to) => {
    const { findings } = await check({}, [{ path, data: bytes(to), kind: 'symlink' }]);
    expect(findings).toMatchObject([{ check: 'confined-paths', file: path, severity: 'error' }]);
  });

  test('a path out of the repository, and a link that stays inside', async () => {
    expect((await check({}, [{ path: '../x', data: bytes('') }])).findings).toMatchObject([{ check: 'confined-paths' }]);
    const linked = await check({ 'deployment/README.md': undefined }, [
      { path: 'deployment/README.md', data: bytes('../README.md'), kind: 'symlink' },
    ]);
    expect(linked.findings).toEqual([]);
  });
});

test('one finding for all environments that it concerns', async () => {
  const { findings } = await check({ 'deployment/templates/extra.yaml': 'kind: Pod\nspec: {initContainers: [{image: busybox}]}\n' });
  expect(findings).toMatchObject([{ check: 'image-sources', environments: ['e2e', 'prod'], file: 'deployment/templates/extra.yaml' }]);
});

test("an image of Helm's test only warns: Fleet never runs it", async () => {
  const pod = 'kind: Pod\nmetadata: {annotations: {helm.sh/hook: test}}\nspec: {containers: [{image: busybox}]}\n';
  const { findings, ok } = await check({ 'deployment/templates/test.yaml': pod });
  expect(findings).toMatchObject([{ check: 'image-sources', severity: 'warning' }]);
  expect(ok).toBe(true);
});

test('a fault of our own is not put on the author', async () => {
  const broken: RenderChart = () => {
    throw new TypeError('ours');
  };
  await expect(checkRepository({ files: tree(good), profile: profileNamed('procedure-2023'), render: broken })).rejects.toThrow(TypeError);
});

describe('the house of checks', () => {
  test('every check names requirements that exist; ids are unique', () => {
    const known = new Set(requirements.map(({ id }) => id));
    expect(known.size).toBe(requirements.length);
    expect(checks.flatMap((each) => each.requirements.filter((id) => !known.has(id)))).toEqual([]);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  });

  test('all DESP-DEV entries of Annex 3 are there', () => {
    const numbers = requirements.flatMap(({ id }) => (id.startsWith('DESP-DEV-') ? [Number(id.slice(9))] : []));
    expect(numbers).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 33, 34, 35, 36, 37, 40, 42, 43, 45, 46, 49, 50, 51,
    ]);
  });

  test('a requirement is checked exactly when a check decides it', () => {
    const status = new Map(requirementStatus().map((requirement) => [requirement.id, requirement.status]));
    expect(status.get('SHALL-3.6.1')).toBe('checked');
    expect(status.get('DESP-DEV-013')).toBe('not judged yet');
  });

  test('an unknown profile is refused with the names of those that exist', () => {
    expect(() => profileNamed('x')).toThrow(
      expect.objectContaining({ code: 'PROFILE_UNKNOWN', cure: expect.stringContaining('observed-2025') }),
    );
  });
});
