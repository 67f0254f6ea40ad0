import { DespError } from '@desp/runtime';

export type ControllerErrorCode = 'RENDER_FAILED' | 'NOT_SUPPORTED' | 'UPSTREAM';

export class ControllerError extends DespError<ControllerErrorCode> {}
