import { DespError } from '@desp/runtime';

export type NodeErrorCode =
  | 'ENGINE_UNREACHABLE'
  | 'ENGINE_REFUSED'
  | 'NOT_FOUND'
  | 'PULL_FAILED'
  | 'CONFIG'
  | 'REFUSED'
  | 'MOUNT'
  | 'NOT_RUNNING'
  | 'NO_BUSYBOX';

/** A failure of the node: of the engine, of a pod's configuration, or of what the rehearsal refuses. */
export class NodeError extends DespError<NodeErrorCode> {
  constructor(code: NodeErrorCode, message: string, details: { cure?: string; cause?: unknown } = {}) {
    const upstream = code === 'ENGINE_UNREACHABLE' || code === 'ENGINE_REFUSED' || code === 'PULL_FAILED';
    super(code, message, { kind: upstream ? 'upstream' : 'user', retryable: upstream, ...details });
  }
}
