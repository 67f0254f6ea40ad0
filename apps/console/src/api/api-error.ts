import type { ApiProblem } from '@desp/model';
import { DespError } from '@desp/runtime/errors';

/** What the platform said no with, or UNREACHABLE when it said nothing. `status` is the HTTP status, 0 without an answer. */
export class ApiError extends DespError {
  readonly status: number;

  constructor(status: number, problem: ApiProblem['error'], cause?: unknown) {
    super(problem.code, problem.message, { ...problem, cause });
    this.status = status;
  }
}

/** Reads an answer's problem; an answer that is none (a proxy's page, say) becomes one that names the status. */
export async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  if (isProblem(body)) return new ApiError(response.status, body.error);
  return new ApiError(response.status, {
    code: 'UNEXPECTED',
    message: `The platform answered ${response.status} without saying why.`,
    kind: 'upstream',
    retryable: response.status >= 500,
    cure: 'Look at the platform’s log, then try again.',
  });
}

export function unreachablePlatform(cause: unknown): ApiError {
  return new ApiError(
    0,
    {
      code: 'UNREACHABLE',
      message: 'The platform does not answer.',
      kind: 'upstream',
      retryable: true,
      cure: 'See whether it runs: desp status. Start it: desp up.',
    },
    cause,
  );
}

function isProblem(body: unknown): body is ApiProblem {
  const error = (body as { error?: Record<string, unknown> } | null | undefined)?.error;
  return typeof error?.['code'] === 'string' && typeof error['message'] === 'string' && typeof error['kind'] === 'string';
}
