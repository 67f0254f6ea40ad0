export { PipelineError, type PipelineErrorCode } from './errors.ts';
export { compileExpression, type Expression, ExpressionError } from './expression.ts';
export { type IncludesResult, includeName, resolveIncludes } from './includes.ts';
export { type JobVerb, jobVerbOf } from './job-verb.ts';
export { defaultKeywords, globalKeywords, jobKeywords, type KeywordRule, ruleKeywords } from './keywords.ts';
export { planPipeline } from './plan.ts';
export { type JobStates, type Progress, pipelineState, playJob, readyJobs } from './progress.ts';
export { type TemplateProfile, templateFiles } from './templates.ts';
export type * from './types.ts';
