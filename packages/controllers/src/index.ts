export { ControllerError, type ControllerErrorCode } from './controller-error.ts';
export { type RenderedDeployment, type RenderedDeploymentHook, type RenderInput, renderDeployment } from './fleet/render-deployment.ts';
