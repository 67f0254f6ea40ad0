import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FetchInclude, type PipelineContext, type PlanResult, planPipeline, resolveIncludes, templateFiles } from './index.ts';

const commit = 'c'.repeat(40);
const context: PipelineContext = {
  project: { path: 'DESP/SAMPLE-APP/sample-app' },
  commit,
  branch: 'main',
  defaultBranch: 'main',
  source: 'push',
  variables: { DEVSECOPS_TEMPLATES_REPOSITORY: 'desp/devsecops-templates', DEVSECOPS_TEMPLATES_REF: 'v1' },
};
const environments = [{ name: 'e2e' }, { name: 'prod' }];
const templates = new Map(
  templateFiles({ templateFiles: ['sample-app-devsecops.yml'], environments }).map(({ path, text }) => [path, text]),
);
const fetch: FetchInclude = async ({ project, ref, file }) => {
  const text = project === 'desp/devsecops-templates' && ref === 'v1' ? templates.get(file) : undefined;
  return text === undefined ? undefined : { text, commit: 'd'.repeat(40) };
};

const plan = (text: string, over: Partial<PipelineContext> = {}): PlanResult =>
  planPipeline({ file: { path: '.gitlab-ci.yml', text }, includes: [], ...context, ...over });

function jobsOf(text: string, over: Partial<PipelineContext> = {}) {
  const result = plan(text, over);
  if (!result.ok) throw result.errors[0];
  return new Map(result.plan.jobs.map((job) => [job.name, job]));
}

/** `CODE line:column` of each error. */
function faultsOf(result: PlanResult): string[] {
  return result.ok ? [] : result.errors.map(({ code, where }) => `${code} ${where?.line}:${where?.column}`);
}

/** The file of section 3.5.2 of the procedure, as a service writes it. */
const procedureFile = `include:
  - project: $DEVSECOPS_TEMPLATES_REPOSITORY
    ref: $DEVSECOPS_TEMPLATES_REF
    file: "sample-app-devsecops.yml"
variables:
  BACKEND_APP_IMAGE: "sample-app/sample-app-backend:1.0.0"
build-sample-app-backend:
  variables:
    DOCKER_BUILDPATH: images/app-backend/
    TEST_IMAGE: "$BACKEND_APP_IMAGE"
    BUILD_ARGS: |
      --build-arg A=1
      --build-arg B=$UNSET_B
  extends: .build-e2e
release-e2e-sample-app-backend:
  needs:
    - job: "build-sample-app-backend"
  extends: .release-e2e
  variables:
    TEST_IMAGE: "$BACKEND_APP_IMAGE"
`;

describe("the procedure's file", () => {
  test('plans with the hosted templates and records their commit', async () => {
    const file = { path: '.gitlab-ci.yml', text: procedureFile };
    const resolved = await resolveIncludes(file, context, fetch);
    if (!resolved.ok) throw resolved.errors[0];
    const result = planPipeline({ file, includes: resolved.includes, ...context });
    if (!result.ok) throw result.errors[0];
    expect(result.plan.stages).toEqual(['build', 'release']);
    expect(result.plan.includes).toEqual([
      { project: 'desp/devsecops-templates', ref: 'v1', file: 'sample-app-devsecops.yml', commit: 'd'.repeat(40) },
    ]);
    const [build, release] = result.plan.jobs;
    expect(build).toMatchObject({ stage: 'build', script: ['desp job build --env e2e'], when: 'on_success', allowFailure: false });
    expect(build?.variables).toMatchObject({
      DOCKER_BUILDPATH: 'images/app-backend/',
      TEST_IMAGE: 'sample-app/sample-app-backend:1.0.0',
      BUILD_ARGS: '--build-arg A=1\n--build-arg B=\n',
      CI_COMMIT_BRANCH: 'main',
    });
    expect(release).toMatchObject({
      stage: 'release',
      environment: { name: 'e2e' },
      needs: [{ job: 'build-sample-app-backend', optional: false, artifacts: true }],
    });
    expect(release?.variables['CI_ENVIRONMENT_NAME']).toBe('e2e');
    expect(result.plan.warnings.map((warning) => warning.message)).toEqual(['$UNSET_B is not set; it expands to nothing.']);
  });
});

describe('include', () => {
  const resolve = (text: string, over: Partial<PipelineContext> = {}, from: FetchInclude = fetch) =>
    resolveIncludes({ path: '.gitlab-ci.yml', text }, { ...context, ...over }, from);

  test("never sees the file's own variables", async () => {
    const result = await resolve('variables: {T: desp/devsecops-templates}\ninclude: {project: $T, file: a.yml}\n');
    expect(result).toMatchObject({ ok: false, errors: [{ code: 'INCLUDE_FAILED', where: { line: 2, column: 20 } }] });
  });

  test('names a file that is not there', async () => {
    const result = await resolve('include: [{project: desp/devsecops-templates, ref: v1, file: nope.yml}]');
    expect(result).toMatchObject({ ok: false, errors: [{ code: 'INCLUDE_FAILED', message: expect.stringContaining('nope.yml') }] });
  });

  test.each([
    ['include: {remote: "https://example.org/a.yml"}', 'KEYWORD_UNSUPPORTED'],
    ['include: {template: Security.gitlab-ci.yml}', 'KEYWORD_UNSUPPORTED'],
    ['include: "https://example.org/a.yml"', 'INCLUDE_FAILED'],
    ['include: {local: ../../etc/passwd}', 'INCLUDE_FAILED'],
    ['include: {local: .git/config}', 'INCLUDE_FAILED'],
    ['include: {local: "*.yml"}', 'INCLUDE_FAILED'],
    ['include: {project: a/b}', 'INCLUDE_FAILED'],
    ['include: 3', 'INCLUDE_FAILED'],
  ])('refuses %s', async (text, code) => {
    expect(await resolve(text)).toMatchObject({ ok: false, errors: [{ code }] });
  });

  test('a file list keeps its order, nested ones come first, local ones belong to their project', async () => {
    const asked: string[] = [];
    const files: Record<string, string> = { 'a.yml': 'include: {local: /sub/c.yml}', 'b.yml': '', 'sub/c.yml': '' };
    const result = await resolve('include: {project: p/q, ref: v2, file: [a.yml, b.yml]}', {}, async ({ project, ref, file }) => {
      asked.push(`${project}@${ref}:${file}`);
      return { text: files[file]!, commit };
    });
    expect(asked).toEqual(['p/q@v2:a.yml', 'p/q@v2:sub/c.yml', 'p/q@v2:b.yml']);
    expect(result.ok && result.includes.map(({ file }) => file)).toEqual(['sub/c.yml', 'a.yml', 'b.yml']);
  });

  test('a circle and a flood end', async () => {
    const circle: FetchInclude = async () => ({ text: 'include: {local: a.yml}', commit });
    expect(await resolve('include: {local: a.yml}', {}, circle)).toMatchObject({ ok: false, errors: [{ code: 'INCLUDE_FAILED' }] });
    let count = 0;
    const flood: FetchInclude = async () => ({ text: `include: [{local: f${++count}.yml}, {local: g${count}.yml}]`, commit });
    expect(await resolve('include: {local: f.yml}', {}, flood)).toMatchObject({ ok: false, errors: [{ code: 'INCLUDE_FAILED' }] });
    expect(count).toBeLessThan(200);
  });
});

describe('bad YAML is a clear error at its place', () => {
  test.each([
    ['duplicate key', 'a:\n  script: x\na:\n  script: y\n', 'YAML_INVALID 3:1'],
    ['tab', 'a:\n\tscript: x\n', 'YAML_INVALID 2:1'],
    ['unknown tag', 'a:\n  script: !reference [b, script]\n', 'YAML_INVALID 2:22'],
    ['two documents', 'a: {script: x}\n---\nb: {script: x}\n', 'YAML_INVALID 2:1'],
    ['unknown alias', 'a: *nope\n', 'YAML_INVALID 1:4'],
    ['not a map', '- a\n', 'VALUE_INVALID 1:1'],
  ])('%s', (_name, text, fault) => {
    expect(faultsOf(plan(text))).toEqual([fault]);
  });

  test('an alias bomb ends at the budget', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) =>
        `.l${index}: &l${index} [${Array(9)
          .fill(index === 0 ? 'x' : `*l${index - 1}`)
          .join(', ')}]`,
    );
    const started = performance.now();
    expect(faultsOf(plan(levels.join('\n')))[0]).toMatch(/^YAML_LIMIT/);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('depth and size are limited', () => {
    expect(faultsOf(plan(`a: ${'['.repeat(5000)}`))[0]).toMatch(/^YAML_/);
    expect(faultsOf(plan(`a: ${'['.repeat(60)}${']'.repeat(60)}`))[0]).toMatch(/^YAML_LIMIT/);
    expect(faultsOf(plan('#'.repeat(600_000)))[0]).toMatch(/^YAML_LIMIT/);
  });

  test('many keys cost linear time', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `.k${index}: 1`).join('\n');
    const started = performance.now();
    plan(text);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('keywords outside the subset are errors with file, line and name', () => {
  test.each([
    'artifacts: {paths: [a]}',
    'cache: {}',
    'services: [redis]',
    'parallel: 3',
    'trigger: a/b',
    'only: [main]',
    'except: [main]',
    'secrets: {}',
    'id_tokens: {}',
    'resource_group: x',
    'dependencies: []',
    'inherit: {default: false}',
    'toString: 1',
    'scirpt: x',
  ])('%s', (line) => {
    const result = plan(`job:\n  script: x\n  ${line}\n`);
    expect(faultsOf(result)).toEqual(['KEYWORD_UNSUPPORTED 3:3']);
    expect(!result.ok && result.errors[0]?.message).toContain(`"${line.slice(0, line.indexOf(':'))}"`);
  });

  test('at the top, in default and in rules', () => {
    expect(faultsOf(plan('workflow: {}\njob: {script: x}\n'))).toEqual(['KEYWORD_UNSUPPORTED 1:1']);
    expect(faultsOf(plan('default: {cache: {}}\njob: {script: x}\n'))).toEqual(['KEYWORD_UNSUPPORTED 1:11']);
    expect(faultsOf(plan('typo: 3\njob: {script: x}\n'))).toEqual(['KEYWORD_UNSUPPORTED 1:1']);
    expect(faultsOf(plan('job:\n  script: x\n  rules: [{changes: [a]}]\n'))).toEqual(['KEYWORD_UNSUPPORTED 3:12']);
  });

  test('several faults are reported together; tags are noted', () => {
    expect(faultsOf(plan('a: {script: x, cache: {}}\nb: {script: x, stage: nope}\n'))).toEqual([
      'KEYWORD_UNSUPPORTED 1:16',
      'STAGE_UNKNOWN 2:23',
    ]);
    const noted = plan('a: {script: x, tags: [gpu]}');
    expect(noted.ok && noted.plan.warnings.map(({ where }) => where?.column)).toEqual([16]);
  });
});

describe('extends', () => {
  test('merges maps over several levels, replaces lists, the job wins', () => {
    const jobs = jobsOf(`
.base: {script: [base], variables: {A: base, B: base}, tags: [one]}
.mid: {extends: .base, variables: {B: mid}}
.other: {variables: {A: other}, tags: [two]}
job: {extends: [.mid, .other], variables: {C: own}}
`);
    expect(jobs.get('job')).toMatchObject({ script: ['base'], tags: ['two'], variables: { A: 'other', B: 'mid', C: 'own' } });
  });

  test.each([
    ['a: {extends: .nope}', 'EXTENDS_INVALID 1:14'],
    ['.a: {extends: .b}\n.b: {extends: .a}\nc: {extends: .a}', 'EXTENDS_INVALID 2:15'],
    ['a: {extends: a, script: x}', 'EXTENDS_INVALID 1:14'],
    ['.a: 3\nb: {extends: .a, script: x}', 'EXTENDS_INVALID 1:1'],
  ])('refuses %s', (text, fault) => {
    expect(faultsOf(plan(text))).toEqual([fault]);
  });

  test('eleven levels are refused', () => {
    const levels = Array.from({ length: 12 }, (_, index) => `.l${index}: {${index > 0 ? `extends: .l${index - 1}` : 'script: x'}}`);
    expect(faultsOf(plan(`${[...levels].reverse().join('\n')}\njob: {extends: .l11}`))[0]).toMatch(/^EXTENDS_INVALID/);
  });

  test('a misspelt template names those that exist', () => {
    const result = plan('.build-e2e: {script: x}\na: {extends: .build-ee}');
    expect(!result.ok && result.errors[0]?.cure).toContain('.build-e2e');
  });
});

describe('variables', () => {
  test('outside wins over job over file over predefined; nested ones expand; $$ is a dollar', () => {
    const jobs = jobsOf(
      'variables: {A: file, B: file, C: "$A-${B}", P: $$A, N: 1.5, T: true, Z: }\njob: {script: x, variables: {B: job, CI_JOB_STAGE: own}}',
      {
        variables: { A: 'outside', RAW: { value: '$A', raw: true } },
      },
    );
    expect(jobs.get('job')?.variables).toMatchObject({
      A: 'outside',
      B: 'job',
      C: 'outside-job',
      P: '$A',
      N: '1.5',
      T: 'true',
      Z: '',
      RAW: '$A',
      CI_JOB_STAGE: 'own',
    });
  });

  test('a branch name cannot smuggle in a reference', () => {
    expect(jobsOf('job: {script: x, variables: {B: $CI_COMMIT_BRANCH}}', { branch: '$SECRET' }).get('job')?.variables['B']).toBe('$SECRET');
  });

  test('circles and doubling end', () => {
    expect(faultsOf(plan('variables: {A: $B, B: $A}\njob: {script: x}'))[0]).toMatch(/^VARIABLES_INVALID/);
    const doubling = Array.from({ length: 40 }, (_, index) => `V${index + 1}: "$V${index}$V${index}"`).join(', ');
    expect(faultsOf(plan(`variables: {V0: xxxxxxxx, ${doubling}}\njob: {script: x}`))[0]).toMatch(/^VARIABLES_INVALID/);
  });

  test('a long chain ends, and so do many large values in many jobs', () => {
    const chain = Array.from({ length: 5000 }, (_, index) => `V${index}: $V${index + 1}`).join(', ');
    expect(faultsOf(plan(`variables: {${chain}}\njob: {script: x}`))[0]).toMatch(/^VARIABLES_INVALID/);
    const wide = Array.from({ length: 7 }, (_, index) => `W${index}: "${'$B'.repeat(60)}"`).join(', ');
    const jobs = Array.from({ length: 120 }, (_, index) => `j${index}: {script: x}`).join('\n');
    expect(faultsOf(plan(`variables: {B: "${'x'.repeat(1000)}", ${wide}}\n${jobs}`))[0]).toMatch(/^YAML_LIMIT/);
  });

  test('a value may be a map with description; expand: false keeps it', () => {
    const jobs = jobsOf('variables: {A: {value: "$CI", description: d, expand: false}}\njob: {script: x}');
    expect(jobs.get('job')?.variables['A']).toBe('$CI');
  });
});

describe('rules', () => {
  test.each([
    ['[{if: $CI_COMMIT_BRANCH == "main"}]', 'on_success'],
    ['[{if: $CI_COMMIT_BRANCH != "main"}]', undefined],
    ['[{if: $CI_COMMIT_TAG, when: never}, {when: manual}]', 'manual'],
    ['[{when: never}]', undefined],
    ['[]', undefined],
  ])('%s → %s', (rules, when) => {
    expect(jobsOf(`job:\n  script: x\n  rules: ${rules}\nother: {script: x}`).get('job')?.when).toBe(when);
  });

  test('manual: allowed to fail by itself, not by a rule', () => {
    expect(jobsOf('job: {script: x, when: manual}').get('job')?.allowFailure).toBe(true);
    expect(jobsOf('job: {script: x, rules: [{when: manual}]}').get('job')?.allowFailure).toBe(false);
    expect(jobsOf('job: {script: x, when: manual, rules: [{if: $CI}]}').get('job')).toMatchObject({ when: 'manual', allowFailure: true });
  });

  test('a fault in a rule that does not decide is found too', () => {
    expect(faultsOf(plan('job:\n  script: x\n  rules:\n    - when: always\n    - if: $A ==\n'))).toEqual(['EXPRESSION_INVALID 5:11']);
  });

  test('variables of the rule that holds win over those of the job', () => {
    const jobs = jobsOf('job: {script: x, variables: {A: job}, rules: [{if: $CI, variables: {A: rule}}]}');
    expect(jobs.get('job')?.variables['A']).toBe('rule');
  });

  test('a tag pipeline has no branch', () => {
    const { branch: _branch, ...tagged } = context;
    const result = planPipeline({
      file: { path: 'f', text: 'job: {script: x, rules: [{if: $CI_COMMIT_TAG && $CI_COMMIT_BRANCH == null}]}' },
      includes: [],
      ...tagged,
      tag: '1.0.0',
    });
    expect(result.ok && result.plan.jobs.length).toBe(1);
  });
});

describe('needs', () => {
  test.each([
    ['a: {script: x, needs: [b]}', 'NEEDS_INVALID 1:1'],
    ['a: {script: x, needs: [b]}\nb: {script: x, rules: [{when: never}]}', 'NEEDS_INVALID 1:1'],
    ['a: {script: x, stage: build, needs: [b]}\nb: {script: x, stage: deploy}', 'NEEDS_INVALID 1:1'],
    ['a: {script: x, needs: [b]}\nb: {script: x, needs: [a]}', 'NEEDS_INVALID 1:1'],
    ['a: {script: x, needs: [{pipeline: p}]}', 'KEYWORD_UNSUPPORTED 1:25'],
    ['a: {script: x, needs: b}', 'VALUE_INVALID 1:23'],
  ])('refuses %s', (text, fault) => {
    expect(faultsOf(plan(text))).toEqual([fault]);
  });

  test('an optional need may be missing', () => {
    expect(jobsOf('a: {script: x, needs: [{job: b, optional: true}]}').get('a')?.needs).toHaveLength(1);
  });
});

describe('other keywords', () => {
  test('default, scripts, image, timeout, retry, allow_failure, environment', () => {
    const jobs = jobsOf(`
default: {image: base:1, before_script: [before], timeout: 1h 30m}
job:
  script: [one, [two, three]]
  image: {name: "$CI_PROJECT_NAME:2", entrypoint: [sh]}
  retry: {max: 2}
  allow_failure: {exit_codes: [3]}
  environment: {name: $CI_COMMIT_BRANCH, url: "https://$CI_ENVIRONMENT_SLUG.test"}
`);
    expect(jobs.get('job')).toMatchObject({
      beforeScript: ['before'],
      script: ['one', 'two', 'three'],
      image: { name: 'sample-app:2', entrypoint: ['sh'] },
      timeoutSeconds: 5400,
      retries: 2,
      allowFailureExitCodes: [3],
      environment: { name: 'main', url: 'https://main.test' },
    });
  });

  test.each([
    ['job: {stage: build}', 'VALUE_INVALID 1:1'],
    ['job: {script: [{a: b}]}', 'VALUE_INVALID 1:16'],
    ['job: {script: x, when: never}', 'VALUE_INVALID 1:24'],
    ['job: {script: x, timeout: soon}', 'VALUE_INVALID 1:27'],
    ['job: {script: x, retry: 9}', 'VALUE_INVALID 1:25'],
    ['job: {script: x, environment: {name: a, on_stop: b}}', 'KEYWORD_UNSUPPORTED 1:41'],
    ['.hidden: {script: x}', 'NO_JOBS undefined:undefined'],
  ])('refuses %s', (text, fault) => {
    expect(faultsOf(plan(text))).toEqual([fault]);
  });
});

test('whatever the text, the answer is a plan or errors', () => {
  const word = fc.constantFrom(
    'a',
    '.b',
    'script',
    'extends',
    'needs',
    'rules',
    'if',
    'variables',
    'stage',
    'include',
    '$A',
    '*x',
    '&x',
    '!t',
    '<<',
    '[',
    ']',
    '{',
    '}',
    ':',
    '-',
    '\n',
    '  ',
    '\t',
    '"',
    '~',
    '1',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 200 }),
        fc.array(word, { maxLength: 60 }).map((words) => words.join(' ')),
      ),
      (text) => {
        const result = plan(text);
        expect(result.ok || result.errors.length > 0).toBe(true);
      },
    ),
    { numRuns: 400 },
  );
});
