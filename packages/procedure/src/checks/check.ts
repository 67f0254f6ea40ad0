import type { Found } from '../report.ts';
import type { Subject } from '../subject.ts';

/** A function that decides requirements on a repository. One file each, and one line in the list of `checks/index.ts`. */
export interface Check {
  readonly id: string;
  /** What it asks, as one sentence. */
  readonly title: string;
  /** Ids of the requirements that it decides. */
  readonly requirements: readonly string[];
  /** Why it cannot judge this subject; absent when it can. */
  unable?(subject: Subject): string | undefined;
  run(subject: Subject): readonly Found[];
}
