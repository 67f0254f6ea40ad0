export { type BaseImage, buildBaseImage } from './base-image.ts';
export { detectEngine, type EngineReport, type EngineService, type EngineServiceOptions, startEngineService } from './engine-service.ts';
export { EngineError, type EngineErrorCode } from './errors.ts';
export type { ImageLayout } from './oci-layout.ts';
export { type Podman, preparePodman } from './podman.ts';
