import type { JobPurpose } from '@desp/model';
import { type JobVerb, jobVerbOf, PipelineError, type PlannedJob } from '@desp/pipeline';

/** Told by the verb that the script calls, never by the job's name. */
export const purposeOf = (job: PlannedJob): JobPurpose => verbIn(job)?.name ?? 'other';

export const environmentOf = (job: PlannedJob): string | undefined => verbIn(job)?.environment;

/** The verb of a job that was planned. A plan of an older version may hold what is refused today; it then has none. */
function verbIn(job: PlannedJob): JobVerb | undefined {
  try {
    return jobVerbOf(job);
  } catch (error) {
    if (error instanceof PipelineError) return undefined;
    throw error;
  }
}
