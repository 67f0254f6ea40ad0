import { PipelineError } from './errors.ts';
import { includeName } from './includes.ts';
import { type JobSurroundings, planJob } from './job.ts';
import { jobVerbOf } from './job-verb.ts';
import { defaultKeywords, globalKeywords, jobKeywords } from './keywords.ts';
import { mergeMaps, resolveExtends } from './merge.ts';
import { checkKeywords, mapOf, textsOf, variablesOf } from './node-values.ts';
import { readSourceTree, type SourceEntry, type SourceMap } from './source-tree.ts';
import type { CiFile, PipelineContext, PipelineWarning, PlannedJob, PlanResult, ResolvedInclude } from './types.ts';
import { layer, outsideVariables, pipelineVariables } from './variables.ts';

/** GitLab's own default for one pipeline is 500 (self-managed: none). */
const jobLimit = 500;
/** All variables of all jobs, in characters: a plan is stored and shown. */
const planLimit = 32 * 1024 * 1024;

/**
 * Plans the pipeline of one commit: file and includes merged, `extends` and `default` resolved, rules decided, variables
 * expanded. Pure: the includes come from `resolveIncludes`.
 *
 * All faults that can be found together are reported together. A plan without jobs is a plan: the rules leave all out.
 */
export function planPipeline(
  input: { readonly file: CiFile; readonly includes: readonly ResolvedInclude[] } & PipelineContext,
): PlanResult {
  try {
    const errors: PipelineError[] = [];
    const plan = new Planner(input, errors).plan();
    return errors.length > 0 ? { ok: false, errors } : { ok: true, plan };
  } catch (error) {
    if (error instanceof PipelineError) return { ok: false, errors: [error] };
    throw error;
  }
}

class Planner {
  readonly #input: { readonly file: CiFile; readonly includes: readonly ResolvedInclude[] } & PipelineContext;
  readonly #errors: PipelineError[];
  readonly #warnings: PipelineWarning[] = [];

  constructor(input: { readonly file: CiFile; readonly includes: readonly ResolvedInclude[] } & PipelineContext, errors: PipelineError[]) {
    this.#input = input;
    this.#errors = errors;
  }

  plan() {
    const whole = this.#mergeFiles();
    const { globals, definitions } = this.#split(whole);
    const { jobs, errors } = resolveExtends(definitions);
    this.#errors.push(...errors);
    const stages = stagesOf(globals);
    const defaults = this.#defaults(globals);
    const unset = new Set<string>();
    const around: JobSurroundings = {
      base: layer(pipelineVariables(this.#input), variablesOf('the file', globals.get('variables')?.node)),
      outside: outsideVariables(this.#input.variables),
      stages,
      onUnset: (name, used) => {
        if (unset.has(name)) return;
        unset.add(name);
        this.#warnings.push({ message: `$${name} is not set; it expands to nothing.`, ...(used ? { where: used } : {}) });
      },
    };
    const visible = [...jobs].filter(([name]) => !name.startsWith('.'));
    if (visible.length === 0 && this.#errors.length === 0)
      throw new PipelineError(
        'NO_JOBS',
        `${this.#input.file.path} defines no job.`,
        { file: this.#input.file.path },
        'Add a job that extends a template.',
      );
    if (visible.length > jobLimit)
      throw new PipelineError(
        'YAML_LIMIT',
        `${this.#input.file.path} defines ${visible.length} jobs; ${jobLimit} are allowed.`,
        whole.place,
        'Define fewer jobs.',
      );
    let size = 0;
    const planned = visible.flatMap(([name, entry]) => {
      const jobs = this.#attempt(() => planJob(name, this.#prepare(name, entry, defaults), around));
      for (const job of jobs) for (const value of Object.values(job.variables)) size += value.length;
      if (size > planLimit)
        throw new PipelineError(
          'YAML_LIMIT',
          'The variables of all jobs expand too far.',
          entry.place,
          'Define fewer or shorter variables.',
        );
      return jobs;
    });
    // A job that could not be planned would look as if it did not exist.
    if (this.#errors.length === 0) this.#checkNeeds(planned, stages, new Set(definitions.keys()));
    const order = (job: PlannedJob): number => stages.indexOf(job.stage);
    return {
      stages: stages.filter((stage) => planned.some((job) => job.stage === stage)),
      jobs: planned.toSorted((a, b) => order(a) - order(b)),
      includes: this.#input.includes.map(({ project, ref, file, commit }) => ({
        ...(project === undefined ? {} : { project }),
        ...(ref === undefined ? {} : { ref }),
        file,
        commit,
      })),
      warnings: this.#warnings,
    };
  }

  /** Included files in their order, then the file itself over them. */
  #mergeFiles(): SourceMap {
    const sources = [...this.#input.includes.map((include) => ({ path: includeName(include), text: include.text })), this.#input.file];
    return sources
      .map(({ path, text }) => {
        const tree = readSourceTree(path, text);
        return mapOf(`The content of ${path}`, tree);
      })
      .reduce(mergeMaps);
  }

  #split(whole: SourceMap): { globals: Map<string, SourceEntry>; definitions: Map<string, SourceEntry> } {
    const globals = new Map<string, SourceEntry>();
    const definitions = new Map<string, SourceEntry>();
    for (const [name, entry] of whole.entries) {
      const isGlobal = Object.hasOwn(globalKeywords, name);
      if (!isGlobal && !name.startsWith('.') && entry.node.kind !== 'map') {
        this.#errors.push(
          new PipelineError(
            'KEYWORD_UNSUPPORTED',
            `"${name}" is neither a keyword that is known here nor a job.`,
            entry.place,
            'Correct or remove it.',
          ),
        );
        continue;
      }
      (isGlobal ? globals : definitions).set(name, entry);
    }
    this.#keep(checkKeywords(this.#input.file.path, globals, globalKeywords));
    return { globals, definitions };
  }

  #defaults(globals: ReadonlyMap<string, SourceEntry>): Map<string, SourceEntry> {
    const result = new Map<string, SourceEntry>();
    for (const name of ['image', 'before_script', 'after_script']) {
      const entry = globals.get(name);
      if (entry) result.set(name, entry);
    }
    const block = globals.get('default')?.node;
    if (!block) return result;
    const table = Object.fromEntries(defaultKeywords.map((name) => [name, jobKeywords[name]!]));
    const { entries } = mapOf('default', block);
    this.#keep(checkKeywords('default', entries, table));
    for (const [name, entry] of entries) result.set(name, entry);
    return result;
  }

  /** Checks a job's keywords and adds the defaults that it does not set itself. */
  #prepare(name: string, entry: SourceEntry, defaults: ReadonlyMap<string, SourceEntry>): SourceEntry {
    if (entry.node.kind !== 'map') return entry;
    this.#keep(checkKeywords(`Job "${name}"`, entry.node.entries, jobKeywords));
    return { place: entry.place, node: { ...entry.node, entries: new Map([...defaults, ...entry.node.entries]) } };
  }

  #checkNeeds(jobs: readonly PlannedJob[], stages: readonly string[], defined: ReadonlySet<string>): void {
    const byName = new Map(jobs.map((job) => [job.name, job]));
    for (const job of jobs) {
      for (const need of job.needs ?? []) {
        const target = byName.get(need.job);
        if (!target && need.optional) continue;
        const why = needFault(job, target, need.job, stages, defined);
        if (why)
          this.#errors.push(new PipelineError('NEEDS_INVALID', `Job "${job.name}" needs "${need.job}", ${why[0]}.`, job.place, why[1]));
      }
    }
    const circle = findCircle(byName);
    if (circle)
      this.#errors.push(
        new PipelineError(
          'NEEDS_INVALID',
          `needs go round in a circle: ${circle.join(' → ')}.`,
          byName.get(circle[0]!)?.place,
          'Break the circle.',
        ),
      );
  }

  #attempt(plan: () => PlannedJob | undefined): PlannedJob[] {
    try {
      const job = plan();
      if (!job) return [];
      jobVerbOf(job);
      return [job];
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      this.#errors.push(error);
      return [];
    }
  }

  #keep(found: { errors: PipelineError[]; warnings: PipelineWarning[] }): void {
    this.#errors.push(...found.errors);
    this.#warnings.push(...found.warnings);
  }
}

function stagesOf(globals: ReadonlyMap<string, SourceEntry>): string[] {
  const node = globals.get('stages')?.node;
  const own = node ? textsOf('stages', node) : ['build', 'test', 'deploy'];
  return ['.pre', ...own.filter((stage) => stage !== '.pre' && stage !== '.post'), '.post'];
}

function needFault(
  job: PlannedJob,
  target: PlannedJob | undefined,
  name: string,
  stages: readonly string[],
  defined: ReadonlySet<string>,
): [string, string] | undefined {
  if (!target && defined.has(name))
    return ['which the rules leave out of this pipeline', `Write "optional: true", or give both jobs the same rules.`];
  if (!target) return ['which is not defined', 'Correct the name.'];
  if (stages.indexOf(target.stage) > stages.indexOf(job.stage))
    return [`which is in the later stage "${target.stage}"`, 'Need jobs of the same or an earlier stage.'];
  return undefined;
}

/** The jobs of one circle of needs, the first repeated at the end; undefined when there is none. */
function findCircle(jobs: ReadonlyMap<string, PlannedJob>): string[] | undefined {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return undefined;
    done.add(name);
    for (const need of jobs.get(name)?.needs ?? []) {
      const circle = visit(need.job, [...path, name]);
      if (circle) return circle;
    }
    return undefined;
  };
  for (const name of jobs.keys()) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return undefined;
}
