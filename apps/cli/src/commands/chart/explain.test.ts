import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verb } from './explain.ts';
import { type Output, runVerb } from './helm-command.ts';
import { verb as templateVerb } from './template.ts';
import { type CommandOutcome, folder } from './test-data/cases.ts';

/** `desp chart explain`, and what `template` says beside Helm's words. */

const start = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => process.chdir(start));

type Run = (io: Output) => Promise<number>;

async function collected(run: Run, errorTerminal = false, env: Record<string, string> = {}): Promise<CommandOutcome> {
  let stdout = '';
  let stderr = '';
  const out = (text: string): void => {
    stdout += text;
  };
  const err = (text: string): void => {
    stderr += text;
  };
  const code = await run({ out, err, errorTerminal, env });
  return { code, stdout, stderr };
}

const explain = (...args: string[]): Promise<CommandOutcome> =>
  collected((io) => runVerb(verb, 'helm4', ['demo', './charts/web', '--kube-version', '1.34.1', '-f', 'over.yaml', ...args], io));

const template = (chart: string, args: readonly string[], terminal = false, env: Record<string, string> = {}): Promise<CommandOutcome> =>
  collected((io) => runVerb(templateVerb, 'helm4', ['demo', `./charts/${chart}`, '--kube-version', '1.34.1', ...args], io), terminal, env);

describe('explain --line', () => {
  test('shows the place, the value and whom it overrides', async () => {
    const { code, stdout, stderr } = await explain('--set', 'replicas=3', '--line', '42');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') });
    expect(stdout).toBe(`Line 42: line 9 of Deployment/demo

    replicas: 3

replicas: 3   is printed by
  web/templates/deployment.yaml:7:16
    5 |   labels: {{- include "web.labels" . | nindent 4 }}
    6 | spec:
  > 7 |   replicas: {{ .Values.replicas }}
      |                ^^^^^^^^^^^^^^^^
    8 |   template:
    9 |     spec:
  value:  replicas, set by --set replicas=3, over over.yaml:1, web/values.yaml:1 (the chart's default)
`);
  });

  test('counts the lines that template prints with the same flags', async () => {
    const flags = ['-f', 'over.yaml', '-s', 'templates/deployment.yaml'];
    const lines = (await template('web', flags)).stdout.split('\n');
    const number = lines.findIndex((line) => line.includes('chart: web')) + 1;
    const { stdout } = await explain('-s', 'templates/deployment.yaml', '--line', String(number));
    expect(stdout).toContain(`Line ${number}: line 7 of Deployment/demo\n\n      chart: web-0.3.0\n`);
    expect(stdout).toContain('  called: "web.labels" from web/templates/deployment.yaml:5:15\n');
  });

  test('every line is a document, a separator, or nothing between documents', async () => {
    const lines = (await template('web', ['-f', 'over.yaml'])).stdout.split('\n');
    for (const [index, line] of lines.slice(0, -1).entries()) {
      const { code, stdout, stderr } = await explain('--line', String(index + 1), '--json');
      if (code === 0) expect(JSON.parse(stdout)).toMatchObject({ outputLine: index + 1, text: line });
      else expect(stderr).toMatch(line === '---' || line.startsWith('# Source: ') ? /is a separator/ : /white space/);
    }
  });

  test('says why it cannot', async () => {
    expect((await explain('--line', '0')).stderr).toContain('--line takes the number of a line');
    expect((await explain('--line', '9999')).stderr).toMatch(/there is no line 9999: the chart prints \d+ lines/);
    expect((await explain()).stderr).toContain('say what to explain');
    expect((await explain('--object', 'Deployment/nope')).stderr).toContain('it prints Namespace/false,');
  });
});

test('explain --object names a place for each line', async () => {
  const { stdout } = await explain('--object', 'deployment/demo');
  expect(stdout.split('\n').slice(0, 8)).toEqual([
    'Deployment/demo',
    '',
    'apiVersion: apps/v1                      web/templates/deployment.yaml:1:1',
    'kind: Deployment                         web/templates/deployment.yaml:2:1',
    'metadata:                                web/templates/deployment.yaml:3:1',
    '  name: demo                             web/templates/deployment.yaml:4:12',
    '  labels:                                web/templates/deployment.yaml:5:1',
    '    app: demo                            web/templates/_helpers.tpl:2:9',
  ]);
  expect(stdout).toContain('            - {name: EXTRA, value: "x"}  web/templates/deployment.yaml:15:42  env.EXTRA <- over.yaml:2\n');
  const json = JSON.parse((await explain('--object', 'demo', '--json')).stdout) as { objects: { kind: string; lines: unknown[] }[] };
  expect(json.objects.map(({ kind }) => kind)).toEqual(['Service', 'Deployment']);
});

test('explain --unused lists values, where they stand and what was meant', async () => {
  const { stdout } = await explain('--set', 'image.tga=1', '--unused');
  expect(stdout).toBe(`No template reads these 2 values:

VALUE         SET BY
image.tga     --set image.tga=1  did you mean image.tag, which web/templates/deployment.yaml:12:53 reads?
service.type  web/values.yaml:3
`);
});

describe('template, beside Helm', () => {
  const failing = ['--set', 'mode=deep'];

  test('pipes get Helm alone; terminals and who asks get the hints below', async () => {
    const plain = await template('broken', failing);
    expect(plain.stderr).toMatch(/Use --debug flag to render out invalid YAML\n$/);
    for (const other of [
      await template('broken', [...failing, '--hints']),
      await template('broken', failing, false, { DESP_HINTS: '1' }),
      await template('broken', failing, true, { NO_COLOR: '1' }),
    ]) {
      expect(other.code).toBe(1);
      expect(other.stderr.startsWith(plain.stderr)).toBe(true);
      expect(other.stderr).toContain('  values: a.b is not set by broken/values.yaml\n');
      expect(other.stderr).toContain(
        '  called: "two" from broken/templates/a.yaml:20:23\n          "one" from broken/templates/a.yaml:11:4\n',
      );
    }
    expect((await template('broken', failing, true)).stderr).toContain('\u001b[31m^^^');
    expect((await template('broken', [...failing, '--hints=false'], true)).stderr).toBe(plain.stderr);
    expect((await template('broken', failing, true, { DESP_HINTS: '0' })).stderr).toBe(plain.stderr);
  });

  test('--keep-going prints the rest and lists all', async () => {
    const { code, stdout, stderr } = await template('web', ['--set', 'image=text', '--set', 'ingress.enabled=true', '--keep-going']);
    expect(code).toBe(1);
    expect(stdout).toContain('# Source: web/templates/service.yaml');
    expect(stdout).not.toContain('# Source: web/templates/deployment.yaml');
    expect(stderr.match(/^Error: /gm)).toHaveLength(2);
  });

  test('--json is one object of one shape', async () => {
    const good = JSON.parse((await template('web', ['--json'])).stdout) as Record<string, unknown[]>;
    const { code, stdout } = await template('broken', [...failing, '--json']);
    const bad = JSON.parse(stdout) as Record<string, unknown[]>;
    expect(code).toBe(1);
    for (const one of [good, bad]) expect(Object.keys(one)).toEqual(['manifests', 'hooks', 'crds', 'notes', 'warnings', 'failures']);
    expect(good['failures']).toEqual([]);
    expect(bad['failures']).toMatchObject([
      {
        code: 'TEMPLATE_EXECUTION',
        where: { file: 'broken/templates/a.yaml', line: 21 },
        excerpts: [{ of: 'template', caret: { line: 21 } }],
        stack: [{ kind: 'file' }, { kind: 'include', name: 'one' }, { kind: 'include', name: 'two' }],
        values: [{ name: 'a.b', type: 'missing', lackingIn: ['broken/values.yaml'] }],
        cures: ['Set a.b, for instance with --set a.b=….'],
      },
    ]);
  });
});
