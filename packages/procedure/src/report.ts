/** One thing that a check found. */
export interface Finding {
  /** Id of the check. */
  readonly check: string;
  /** Ids of requirements that it bears on. */
  readonly requirements: readonly string[];
  /** `error`: a requirement is not met, or a deployment fails. `warning`: it works and is not as it should be. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Path in the repository. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** Names of the environments that it concerns; absent: it does not depend on the environment. */
  readonly environments?: readonly string[];
  /** What to do. */
  readonly cure: string;
}

/** A check's finding before the runner adds the check's name and requirements. */
export type Found = Omit<Finding, 'check' | 'requirements'>;

export interface Report {
  readonly profile: string;
  readonly environments: readonly string[];
  /** True when no finding is an error. It says nothing of what was not judged. */
  readonly ok: boolean;
  /** Errors first, then by file and line. */
  readonly findings: readonly Finding[];
  /** Ids of the checks that ran. */
  readonly checked: readonly string[];
  readonly notJudged: readonly { readonly requirement: string; readonly text: string; readonly why: string }[];
  /** What the CI file plans for a push to the default branch; absent when it does not plan. */
  readonly pipeline?: {
    readonly stages: readonly string[];
    readonly jobs: readonly { readonly name: string; readonly stage: string; readonly when: string }[];
  };
  /** What renders: objects by bundle and environment. */
  readonly rendered: readonly { readonly bundle: string; readonly environment: string; readonly objects: number }[];
}
