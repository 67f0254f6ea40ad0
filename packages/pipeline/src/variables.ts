import type { SourcePlace } from '@desp/runtime/errors';
import { PipelineError } from './errors.ts';
import type { PipelineContext, VariableInput } from './types.ts';

/** A variable before expansion. */
export interface Variable {
  readonly value: string;
  /** True: the `$` in it stay. */
  readonly raw: boolean;
  readonly place?: SourcePlace;
}

export type Variables = ReadonlyMap<string, Variable>;

/** Of expansion, in characters: one value, and all values of a job together. They end a variable that doubles itself at each level. */
const limits = { value: 64 * 1024, job: 512 * 1024, depth: 100 } as const;

/** `$NAME`, `${NAME}`, and `$$` for a dollar sign, as GitLab's runner reads them. */
const referencePattern = /\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g;

/** Later layers win. */
export function layer(...layers: readonly Variables[]): Map<string, Variable> {
  return new Map(layers.flatMap((each) => [...each]));
}

/** Variables from outside the file. */
export function outsideVariables(inputs: Readonly<Record<string, VariableInput>> | undefined): Map<string, Variable> {
  const entries = Object.entries(inputs ?? {});
  return new Map(entries.map(([name, input]) => [name, typeof input === 'string' ? { value: input, raw: false } : input]));
}

/** Values as `rules: if` sees them: not expanded, as in GitLab. */
export const literalValues = (variables: Variables): Map<string, string> =>
  new Map([...variables].map(([name, variable]) => [name, variable.value]));

/** Reports a reference to a variable that is not set; it expands to nothing. */
export type OnUnset = (name: string, used: SourcePlace | undefined) => void;

/**
 * Expands every variable by the others. Throws `PipelineError` VARIABLES_INVALID on a circle, a chain of
 * over 100 references, a value over 64 KiB, and over 512 KiB together.
 */
export function expandVariables(variables: Variables, onUnset: OnUnset = () => {}): Map<string, string> {
  const done = new Map<string, string>();
  const open: string[] = [];
  let total = 0;
  const expand = (name: string, variable: Variable): string => {
    const earlier = done.get(name);
    if (earlier !== undefined) return earlier;
    if (open.includes(name)) {
      const circle = [...open.slice(open.indexOf(name)), name].join(' → ');
      throw new PipelineError('VARIABLES_INVALID', `Variables refer to one another: ${circle}.`, variable.place, 'Break the circle.');
    }
    if (open.length >= limits.depth)
      throw new PipelineError(
        'VARIABLES_INVALID',
        `Variable ${name} stands more than ${limits.depth} references deep.`,
        variable.place,
        'Shorten the chain.',
      );
    open.push(name);
    const value = variable.raw
      ? variable.value
      : expandText(variable.value, (reference) => {
          const target = variables.get(reference);
          if (target) return expand(reference, target);
          onUnset(reference, variable.place);
          return '';
        });
    total += value.length;
    if (value.length > limits.value || total > limits.job)
      throw new PipelineError(
        'VARIABLES_INVALID',
        `Variable ${name} is longer than ${limits.value} characters, or all together are longer than ${limits.job}.`,
        variable.place,
        'Shorten it.',
      );
    open.pop();
    done.set(name, value);
    return value;
  };
  for (const [name, variable] of variables) expand(name, variable);
  return done;
}

/** Replaces the references in one text. */
export function expandText(text: string, lookUp: (name: string) => string): string {
  return text.replace(referencePattern, (whole, braced: string | undefined, bare: string | undefined) =>
    whole === '$$' ? '$' : lookUp((braced ?? bare) as string),
  );
}

/** GitLab's slug: lower case, 63 characters, only letters, digits and dashes, no dash at the ends. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');

/** Predefined variables that exist before any job does (https://docs.gitlab.com/ci/variables/predefined_variables/). */
export function pipelineVariables(context: PipelineContext): Map<string, Variable> {
  const { project, commit, branch, tag, serverUrl } = context;
  const ref = tag ?? branch ?? '';
  const name = project.path.slice(project.path.lastIndexOf('/') + 1);
  const namespace = project.path.slice(0, Math.max(0, project.path.lastIndexOf('/')));
  const values: Record<string, string | undefined> = {
    CI: 'true',
    GITLAB_CI: 'true',
    CI_SERVER: 'yes',
    CI_SERVER_URL: serverUrl,
    CI_COMMIT_SHA: commit,
    CI_COMMIT_SHORT_SHA: commit.slice(0, 8),
    CI_COMMIT_REF_NAME: ref,
    CI_COMMIT_REF_SLUG: slug(ref),
    CI_COMMIT_BRANCH: tag === undefined ? branch : undefined,
    CI_COMMIT_TAG: tag,
    CI_COMMIT_TITLE: context.commitTitle,
    CI_DEFAULT_BRANCH: context.defaultBranch,
    CI_PIPELINE_SOURCE: context.source,
    CI_PIPELINE_ID: context.pipelineId,
    CI_PROJECT_PATH: project.path,
    CI_PROJECT_PATH_SLUG: slug(project.path),
    CI_PROJECT_NAME: name,
    CI_PROJECT_NAMESPACE: namespace,
    CI_PROJECT_ROOT_NAMESPACE: namespace.split('/')[0],
    CI_PROJECT_URL: project.url,
  };
  return toVariables(values);
}

/** Predefined variables of one job. */
export function jobVariables(job: { name: string; stage: string; environment?: string }): Map<string, Variable> {
  return toVariables({
    CI_JOB_NAME: job.name,
    CI_JOB_NAME_SLUG: slug(job.name),
    CI_JOB_STAGE: job.stage,
    CI_ENVIRONMENT_NAME: job.environment,
    CI_ENVIRONMENT_SLUG: job.environment === undefined ? undefined : slug(job.environment).slice(0, 24),
  });
}

/** A commit's title or a branch's name may hold `$`: predefined values are never expanded. */
const toVariables = (values: Record<string, string | undefined>): Map<string, Variable> =>
  new Map(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, { value, raw: true }] as const])));
