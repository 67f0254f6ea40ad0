import type { SourcePlace } from '@desp/runtime/errors';
import type { PipelineError } from './errors.ts';

/** A CI file as it stands in the repository. */
export interface CiFile {
  /** Path in the repository; stands in every message. */
  readonly path: string;
  readonly text: string;
}

/** Which file an `include` asks for, after its variables were expanded. */
export interface IncludeRequest {
  /** Full path of the project, as `desp/devsecops-templates`; absent: the repository (and commit) that is planned. */
  readonly project?: string;
  /** Branch, tag or commit; absent: the project's default branch, or the planned commit. */
  readonly ref?: string;
  /** Path from the repository's root, without a leading slash. */
  readonly file: string;
}

/** Reads an included file; undefined when project, ref or file is not there or not to be seen by this project. */
export type FetchInclude = (request: IncludeRequest) => Promise<{ readonly text: string; readonly commit: string } | undefined>;

/** An included file with the commit that it was read at, so that a run can be repeated and a moved tag is noticed. */
export interface ResolvedInclude extends IncludeRequest {
  readonly commit: string;
  readonly text: string;
}

/** A variable that comes from outside the file: instance, project or pipeline. */
export type VariableInput = string | { readonly value: string /** True: its `$` are not expanded. */; readonly raw: boolean };

/** What a pipeline is made for. */
export interface PipelineContext {
  readonly project: { readonly path: string; readonly url?: string };
  /** Full commit id. */
  readonly commit: string;
  /** First line of the commit's message. */
  readonly commitTitle?: string;
  /** The branch that was pushed; absent in a tag pipeline. */
  readonly branch?: string;
  readonly tag?: string;
  readonly defaultBranch: string;
  /** `push` stands for branches and tags alike, as in GitLab. */
  readonly source: 'push' | 'web' | 'api' | 'schedule' | 'trigger';
  readonly pipelineId?: string;
  readonly serverUrl?: string;
  /** Instance, project and pipeline variables, merged; they win over the file's. Keep secrets out: a plan is stored and shown. */
  readonly variables?: Readonly<Record<string, VariableInput>>;
}

export type PlannedWhen = 'on_success' | 'on_failure' | 'always' | 'manual';

export interface PlannedNeed {
  readonly job: string;
  readonly optional: boolean;
  readonly artifacts: boolean;
}

/** One job that is part of the pipeline. */
export interface PlannedJob {
  readonly name: string;
  readonly stage: string;
  /** Shell lines, in order; variables in them are the shell's to expand. */
  readonly beforeScript: readonly string[];
  readonly script: readonly string[];
  readonly afterScript: readonly string[];
  readonly image?: { readonly name: string; readonly entrypoint?: readonly string[] };
  /** The job's whole environment (predefined, outside, file, job, rule), expanded; the job's token is added by the runner. */
  readonly variables: Readonly<Record<string, string>>;
  /** Absent: the job waits for the stages before its own. */
  readonly needs?: readonly PlannedNeed[];
  readonly when: PlannedWhen;
  readonly allowFailure: boolean;
  /** Exit codes that are a warning; others fail the job. */
  readonly allowFailureExitCodes?: readonly number[];
  readonly environment?: { readonly name: string; readonly url?: string };
  readonly timeoutSeconds?: number;
  /** How often the job is tried again after a failure: 0 to 2. */
  readonly retries: number;
  readonly tags: readonly string[];
  readonly place: SourcePlace;
}

/** Something that the author should know and that does not stop the pipeline. */
export interface PipelineWarning {
  readonly message: string;
  readonly where?: SourcePlace;
}

/** What will run. Jobs stand in order of stage, then of the file. */
export interface PipelinePlan {
  readonly stages: readonly string[];
  readonly jobs: readonly PlannedJob[];
  readonly includes: readonly (IncludeRequest & { readonly commit: string })[];
  readonly warnings: readonly PipelineWarning[];
}

export type PlanResult =
  | { readonly ok: true; readonly plan: PipelinePlan }
  | { readonly ok: false; readonly errors: readonly PipelineError[] };
