export { type BaseImage, buildBaseImage } from './base-image.ts';
export { type BuildLimits, type BuildRequest, buildImage, standardBuildLimits } from './confined-build.ts';
export { detectEngine, type EngineReport, type EngineService, type EngineServiceOptions, startEngineService } from './engine-service.ts';
export { EngineError, type EngineErrorCode } from './errors.ts';
export {
  type JobLimits,
  type JobRequest,
  type JobResult,
  removeJob,
  runJob,
  standardJobLimits,
} from './job.ts';
export type { JobScript } from './job-script.ts';
export type { JobReason } from './job-watch.ts';
export { MaskingStream } from './masking-stream.ts';
export type { ImageLayout } from './oci-layout.ts';
export { engineSocketIn, type Podman, preparePodman } from './podman.ts';
export { purgeEngine } from './purge-engine.ts';
