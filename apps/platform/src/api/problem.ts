import type { ApiProblem } from '@desp/model';
import { DespError, messageOf } from '@desp/runtime';

/** The one place where an error becomes an HTTP answer. Codes that are not named go by whose move it is. */
const statusOfCode: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  NOT_ALLOWED: 403,
  NOT_AUTHENTICATED: 401,
  TOO_MANY_TRIES: 429,
  CONFLICT: 409,
  GATE_CLOSED: 422,
  NOT_BUILT: 422,
  UNAVAILABLE: 503,
  NO_ENGINE: 503,
  DATABASE_UNREACHABLE: 503,
};
const statusOfKind = { user: 400, upstream: 502, bug: 500 } as const;

export function problemOf(error: unknown): { status: number; body: ApiProblem } {
  if (error instanceof DespError)
    return { status: statusOfCode[error.code] ?? statusOfKind[error.kind], body: { error: error.toJSON() as ApiProblem['error'] } };
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { status, body: { error: { code: 'INVALID', message: messageOf(error), kind: 'user', retryable: false } } };
  }
  return {
    status: 500,
    body: { error: { code: 'BUG', message: 'The platform met a fault of its own; its log has the cause.', kind: 'bug', retryable: false } },
  };
}
