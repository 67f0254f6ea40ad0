import { DespError } from '@desp/runtime';

/**
 * - `RENDER_FAILED`: a chart does not render, or to no manifests.
 * - `NOT_SUPPORTED`: the real part can do it and ours does not.
 * - `NOT_ALLOWED`: a deployment reaches out of its service's namespace, or over what another release owns.
 * - `INVALID`: an object's spec or a file makes no sense.
 * - `DEPLOY_FAILED`: a release's objects or hooks failed; the message is Helm's.
 * - `UPSTREAM`: another part does not answer, or refuses.
 * - `NOT_FOUND`, `NOT_READY`: an object that another one names is not there, or not usable yet.
 * - `CONFLICT`: what would be written belongs to another object.
 */
export type ControllerErrorCode =
  | 'RENDER_FAILED'
  | 'NOT_SUPPORTED'
  | 'NOT_ALLOWED'
  | 'INVALID'
  | 'DEPLOY_FAILED'
  | 'UPSTREAM'
  | 'NOT_FOUND'
  | 'NOT_READY'
  | 'CONFLICT';

export class ControllerError extends DespError<ControllerErrorCode> {}
