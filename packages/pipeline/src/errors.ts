import { DespError, type SourcePlace } from '@desp/runtime/errors';

/** Why a CI file has no plan. */
export type PipelineErrorCode =
  /** The text is no YAML, or YAML that we refuse (duplicate keys, tabs, unknown tags). */
  | 'YAML_INVALID'
  /** The text is larger, deeper or expands further than a CI file may. */
  | 'YAML_LIMIT'
  /** A keyword that GitLab knows or does not know, and that the subset does not honour. */
  | 'KEYWORD_UNSUPPORTED'
  /** A keyword's value has the wrong shape. */
  | 'VALUE_INVALID'
  /** An included file is not there, or its name uses a variable that includes cannot see. */
  | 'INCLUDE_FAILED'
  /** `extends` names no job, goes round in a circle or goes too deep. */
  | 'EXTENDS_INVALID'
  /** `needs` names no job of this pipeline, goes round in a circle or points to a later stage. */
  | 'NEEDS_INVALID'
  /** A job's stage is not in `stages`. */
  | 'STAGE_UNKNOWN'
  /** An expression of `rules: if` cannot be read. */
  | 'EXPRESSION_INVALID'
  /** Variables refer to one another in a circle, or expand too far. */
  | 'VARIABLES_INVALID'
  /** A script calls a verb of the platform in a way that shows only when it runs. */
  | 'SCRIPT_UNCLEAR'
  /** The file defines no job. */
  | 'NO_JOBS';

/** A fault in a CI file: always the sender's, never retryable. */
export class PipelineError extends DespError<PipelineErrorCode> {
  constructor(code: PipelineErrorCode, message: string, where: SourcePlace | undefined, cure: string) {
    super(code, message, { kind: 'user', cure, ...(where ? { where } : {}) });
  }
}
