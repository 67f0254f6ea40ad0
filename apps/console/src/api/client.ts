import { freshToken } from '../session/oidc.ts';
import { endSession } from '../session/session.ts';
import { problemOf, unreachablePlatform } from './api-error.ts';

export interface CallOptions {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Set false for what anybody may ask: no token is sent, and 401 does not end the session. */
  readonly session?: boolean;
}

/**
 * One request to the platform, as whoever is logged in. Gives an answer of status 2xx; throws ApiError for every other,
 * and AbortError when its signal ended it. A login that is over ends the session, which leads to the login page.
 */
export async function request(path: string, { method = 'GET', body, signal, session = true }: CallOptions = {}): Promise<Response> {
  const headers = new Headers();
  const token = session ? await freshToken() : undefined;
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal: signal ?? null,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw unreachablePlatform(cause);
  }
  if (response.ok) return response;
  if (response.status === 401 && session) endSession('expired');
  throw await problemOf(response);
}

/** The JSON of an answer. Its type is the contract's: the platform validates every answer against the same schema. */
export async function call<Answer>(path: string, options?: CallOptions): Promise<Answer> {
  return (await (await request(path, options)).json()) as Answer;
}

/** Builds a path of the API; every part is escaped. */
export function apiPath(...parts: readonly string[]): string {
  return `/api/${parts.map(encodeURIComponent).join('/')}`;
}
