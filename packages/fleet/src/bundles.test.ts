import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeResource, FleetError, type RepositoryFile, readBundles } from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tree = (files: Record<string, string>): RepositoryFile[] =>
  Object.entries(files).map(([path, text]) => ({ path, data: bytes(text) }));
const options = { repoName: 'sample-app', commit: 'c'.repeat(40), paths: ['deployment'] };

/** The shape of section 3.6.1 of the procedure. */
export const sample = {
  'README.md': '# Sample',
  'deployment/Chart.yaml': 'apiVersion: v2\nname: sample-app\nversion: 1.0.0\n',
  'deployment/README.md': '# Chart',
  'deployment/values.yaml': 'replicas: 1\n',
  'deployment/values.e2e.yaml': 'replicas: 2\nimage: {tag: "1"}\n',
  'deployment/values.prod.yaml': 'replicas: 3\n',
  'deployment/templates/a.yaml': 'kind: ConfigMap\n',
  'deployment/fleet.yaml': `defaultNamespace: sample-app
helm:
  releaseName: sample-app
  timeoutSeconds: 0
targetCustomizations:
  - name: e2e
    clusterSelector: {matchLabels: {customer: e2e}}
    helm: {chart: ., values: {image: {name: x, tag: "0"}}, valuesFiles: [./values.e2e.yaml]}
  - name: prod
    clusterSelector: {matchLabels: {customer: prod}}
    helm: {chart: ., valuesFiles: [./values.prod.yaml]}
`,
};

describe('a bundle, as recorded from fleet apply', () => {
  const { bundles, warnings } = readBundles(tree(sample), options);
  const [{ bundle, valuesFiles } = expect.fail('no bundle')] = bundles;

  test('name, labels, options', () => {
    expect(bundle.metadata).toMatchObject({ name: 'sample-app-deployment', labels: { 'fleet.cattle.io/commit': options.commit } });
    expect(bundle.spec).toMatchObject({ defaultNamespace: 'sample-app', helm: { releaseName: 'sample-app' } });
    expect(bundle.spec.helm).not.toHaveProperty('timeoutSeconds');
    expect(warnings).toEqual([]);
  });

  test('fleet.yaml and the values files of targets are no resources; the order is by name', () => {
    expect(bundle.spec.resources.map(({ name }) => name)).toEqual(['Chart.yaml', 'README.md', 'templates/a.yaml', 'values.yaml']);
  });

  test('values files are merged over the values of their target and still named', () => {
    expect(bundle.spec.targets[0]?.helm).toEqual({
      chart: '.',
      values: { replicas: 2, image: { name: 'x', tag: '1' } },
      valuesFiles: ['./values.e2e.yaml'],
    });
    expect(valuesFiles.get('prod')).toEqual(['deployment/values.prod.yaml']);
  });

  test('without targets of the GitRepo the plain target is the cluster group default', () => {
    expect(bundle.spec.targets.at(-1)).toEqual({ name: 'default', clusterGroup: 'default' });
    expect(bundle.spec.targetRestrictions).toHaveLength(1);
  });
});

describe('discovery', () => {
  const folders = (files: Record<string, string>, paths?: string[]) =>
    readBundles(tree(files), { ...options, paths: paths ?? [''] }).bundles.map(({ path }) => path);

  test.each<[string, Record<string, string>, string[]]>([
    ['one folder without fleet.yaml', { 'a.yaml': 'x: 1' }, ['']],
    ['nested fleet.yaml, nothing else', { 'a/fleet.yaml': '', 'a/x.yaml': 'x: 1', 'b/fleet.yaml': '', 'b/x.yaml': 'x: 1' }, ['a', 'b']],
    ['nested and loose', { 'x.yaml': 'x: 1', 'a/fleet.yaml': '', 'a/x.yaml': 'x: 1' }, ['', 'a']],
    ['two levels', { 'a/fleet.yaml': '', 'a/x.yaml': '', 'a/b/fleet.yaml': '', 'a/b/x.yaml': '' }, ['a', 'a/b']],
    ['.git counts for nothing', { '.git/x.yaml': '', 'a/x.yaml': '' }, ['']],
  ])('%s', (_name, files, expected) => {
    expect(folders(files)).toEqual(expected);
  });

  test('paths are globs of folders', () => {
    expect(folders({ 'apps/a/x.yaml': '', 'apps/b/x.yaml': '', 'other/x.yaml': '' }, ['apps/*'])).toEqual(['apps/a', 'apps/b']);
  });

  test('more bundles than anybody means are refused', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`a${index}/fleet.yaml`, '']));
    expect(() => folders(many)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(() => folders(Object.fromEntries(Object.keys(many).map((path) => [path.replace('fleet', 'x'), ''])), ['*'])).toThrow(
      '300 bundles',
    );
  });

  test('a folder with nothing but fleet.yaml is passed over; none at all is an error', () => {
    expect(() => folders({ 'fleet.yaml': '' })).toThrow('No bundle');
    expect(() => folders({ 'README.md': '' })).toThrow(expect.objectContaining({ code: 'NO_BUNDLES' }));
    expect(() => folders({ 'a.yaml': '' }, ['../..'])).toThrow(expect.objectContaining({ code: 'PATH_OUTSIDE' }));
  });

  test('a parent keeps the files of nested bundles', () => {
    const { bundles } = readBundles(tree({ 'x.yaml': '', 'a/fleet.yaml': '', 'a/y.yaml': '' }), { ...options, paths: [''] });
    expect(bundles[0]?.bundle.spec.resources.map(({ name }) => name)).toEqual(['a/fleet.yaml', 'a/y.yaml', 'x.yaml']);
  });

  test('.fleetignore holds for base names, downward', () => {
    const files = {
      '.fleetignore': '# no\n*.md\nsecret\n',
      'a.yaml': '',
      'b.md': '',
      'c/d.md': '',
      'c/e.yaml': '',
      'secret/f.yaml': '',
      'c/.hidden': '',
    };
    expect(readBundles(tree(files), { ...options, paths: [''] }).bundles[0]?.bundle.spec.resources.map(({ name }) => name)).toEqual([
      'a.yaml',
      'c/e.yaml',
    ]);
  });

  test('fleet.yml counts where fleet.yaml is absent, with a word of warning', () => {
    const { bundles, warnings } = readBundles(tree({ 'fleet.yml': 'name: odd', 'a.yaml': '' }), { ...options, paths: [''] });
    expect(bundles[0]?.bundle.metadata.name).toBe('odd');
    expect(warnings).toHaveLength(1);
    const both = readBundles(tree({ 'fleet.yml': 'name: odd', 'fleet.yaml': 'name: even', 'a.yaml': '' }), { ...options, paths: [''] });
    expect(both.bundles[0]?.bundle.metadata.name).toBe('even');
  });
});

describe('leniency with a voice, refusal with a place', () => {
  const read = (yaml: string, more: Record<string, string> = {}) =>
    readBundles(tree({ 'fleet.yaml': yaml, 'a.yaml': '', ...more }), { ...options, paths: [''] });

  test('unknown keys and odd case are taken as Fleet takes them, and said', () => {
    const { bundles, warnings } = read('defaultnamespace: x\nhelm:\n  nope: 1\n');
    expect(bundles[0]?.bundle.spec.defaultNamespace).toBe('x');
    expect(warnings.map(({ where }) => `${where.line}:${where.column}`)).toEqual(['1:1', '3:3']);
  });

  test.each([
    ['duplicate keys', 'name: a\nname: b\n', 'FLEET_YAML_INVALID', 2],
    ['tabs', 'helm:\n\tchart: .\n', 'FLEET_YAML_INVALID', 2],
    ['wrong type', 'helm:\n  timeoutSeconds: soon\n', 'FLEET_YAML_INVALID', 2],
    ['not a map', '- a\n', 'FLEET_YAML_INVALID', 1],
    ['values file out of the bundle', 'helm:\n  chart: .\n  valuesFiles:\n    - ../../x.yaml\n', 'PATH_OUTSIDE', 4],
    ['absolute values file', 'helm: {chart: ., valuesFiles: [/etc/passwd]}\n', 'PATH_OUTSIDE', 1],
    ['chart out of the bundle', 'helm: {chart: ../other}\n', 'PATH_OUTSIDE', 1],
    ['missing values file', 'helm:\n  chart: .\n  valuesFiles: [values.E2E.yaml]\n', 'FILE_MISSING', 3],
    ['remote chart', 'helm: {repo: "https://example.org", chart: x}\n', 'UNSUPPORTED', 1],
    ['oci chart', 'helm: {chart: "oci://example.org/x"}\n', 'UNSUPPORTED', 1],
    ['kustomize', 'kustomize: {dir: a}\n', 'UNSUPPORTED', 1],
    ['dependency without name', 'dependsOn: [{}]\n', 'TARGET_INVALID', 1],
    ['unknown state', 'dependsOn: [{name: a, acceptedStates: [Fine]}]\n', 'TARGET_INVALID', 1],
    ['unknown operator', 'targets: [{clusterSelector: {matchExpressions: [{key: a, operator: Gt}]}}]\n', 'TARGET_INVALID', 1],
  ])('%s', (_name, yaml, code, line) => {
    expect(() => read(yaml)).toThrow(expect.objectContaining({ code, where: expect.objectContaining({ line }) }));
  });

  test('base values files count only beside helm.chart, which is said', () => {
    const files = { 'v.yaml': 'a: 1' };
    expect(read('helm: {valuesFiles: [v.yaml]}', files)).toMatchObject({ warnings: [{ message: expect.stringContaining('ignored') }] });
    expect(read('helm: {chart: ., valuesFiles: [v.yaml]}', files).bundles[0]?.bundle.spec.helm?.values).toEqual({ a: 1 });
  });

  test('an alias bomb ends', () => {
    const levels = Array.from(
      { length: 10 },
      (_, index) =>
        `l${index}: &l${index} [${Array(9)
          .fill(index === 0 ? 'x' : `*l${index - 1}`)
          .join(', ')}]`,
    );
    expect(() => read(levels.join('\n'))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    expect(() => read(`a: &a [*a]`)).toThrow(FleetError);
  });

  test('whatever the text, it is read or refused', () => {
    const word = fc.constantFrom(
      'helm',
      'values',
      'targets',
      'name',
      ':',
      '-',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '<<',
      '"',
      '1',
      '~',
      '\t',
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        try {
          read(words.join(' '));
        } catch (error) {
          expect(error).toBeInstanceOf(FleetError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('resources', () => {
  test('bytes that are no text are base64; a megabyte is compressed; both come back', () => {
    const binary = Uint8Array.from([0xff, 0xfe, 0, 1]);
    const small = readBundles([...tree({ 'a.yaml': '' }), { path: 'b.bin', data: binary }], { ...options, paths: [''] }).bundles[0]!.bundle
      .spec.resources;
    expect(small[1]).toEqual({ name: 'b.bin', content: '//4AAQ==', encoding: 'base64' });
    expect(decodeResource(small[1]!)).toEqual(binary);
    const large = readBundles(tree({ 'a.yaml': 'x'.repeat(1_000_001) }), { ...options, paths: [''] }).bundles[0]!.bundle.spec.resources;
    expect(large[0]?.encoding).toBe('base64+gz');
    expect(new TextDecoder().decode(decodeResource(large[0]!))).toHaveLength(1_000_001);
  });

  test('a resource that lies about its size or is no gzip is refused', () => {
    const lying = btoa(String.fromCharCode(...new Uint8Array(14), 0xff, 0xff, 0xff, 0xff));
    expect(() => decodeResource({ name: 'a', content: lying, encoding: 'base64+gz' })).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(() => decodeResource({ name: 'a', content: btoa('no gzip, no gzip at all'), encoding: 'base64+gz' })).toThrow(FleetError);
  });
});
