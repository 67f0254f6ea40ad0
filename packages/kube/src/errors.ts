import { DespError, type ErrorKind } from '@desp/runtime';

/**
 * The `reason` values of a Kubernetes Status, and five of our own for what happens before a Status can arrive.
 * Source: apimachinery `meta/v1` StatusReason.
 */
export type KubeErrorCode =
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Expired'
  | 'Invalid'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'UnsupportedMediaType'
  | 'RequestEntityTooLarge'
  | 'TooManyRequests'
  | 'InternalError'
  | 'ServerTimeout'
  | 'Timeout'
  | 'ServiceUnavailable'
  | 'NotImplemented'
  | 'Unreachable'
  | 'InvalidAnswer'
  | 'InvalidKubeconfig'
  | 'UnknownKind'
  | 'Unknown';

const ofHttpStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  501: 'NotImplemented',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const reasons: ReadonlySet<string> = new Set<KubeErrorCode>([...Object.values(ofHttpStatus), 'AlreadyExists', 'Gone', 'ServerTimeout']);

const retryable: ReadonlySet<KubeErrorCode> = new Set([
  'Conflict',
  'TooManyRequests',
  'InternalError',
  'ServerTimeout',
  'Timeout',
  'ServiceUnavailable',
  'Unreachable',
]);

const upstream: ReadonlySet<KubeErrorCode> = new Set([...retryable, 'Expired', 'Gone', 'InvalidAnswer', 'Unknown']);

/** One reason of a Status, such as a field that is not valid or that another manager owns. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** A request that a Kubernetes API did not grant, or that did not reach one. `code` is the Status's reason. */
export class KubeError extends DespError<KubeErrorCode> {
  /** The HTTP status, 0 when none arrived. */
  readonly httpStatus: number;
  readonly causes: readonly StatusCause[];
  /** After how long the server asks to come back, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    details: { httpStatus?: number; causes?: readonly StatusCause[]; retryAfterMs?: number; cure?: string; cause?: unknown } = {},
  ) {
    const kind: ErrorKind = upstream.has(code) ? 'upstream' : 'user';
    super(code, message, { kind, retryable: retryable.has(code), cure: details.cure, cause: details.cause });
    this.httpStatus = details.httpStatus ?? 0;
    this.causes = details.causes ?? [];
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** True for a KubeError with this code. */
export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** The error of an answer with an HTTP status of 400 and more; the body may be a Status or anything else. */
export function errorOfAnswer(attempted: string, httpStatus: number, body: unknown, retryAfterMs?: number): KubeError {
  const status = typeof body === 'object' && body !== null ? (body as StatusBody) : {};
  const reason = typeof status.reason === 'string' && reasons.has(status.reason) ? (status.reason as KubeErrorCode) : undefined;
  const code = reason ?? ofHttpStatus[httpStatus] ?? 'Unknown';
  const said = typeof status.message === 'string' ? status.message : `the server answered ${httpStatus}`;
  const causes = Array.isArray(status.details?.causes) ? status.details.causes : [];
  return new KubeError(code, `${attempted}: ${said}`, { httpStatus, causes, retryAfterMs });
}

interface StatusBody {
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly details?: { readonly causes?: StatusCause[] };
}
