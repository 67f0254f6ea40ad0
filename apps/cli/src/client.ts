import type { ApiProblem } from '@desp/model';
import { DespError } from '@desp/runtime/errors';
import { CliError } from './cli-error.ts';
import type { Io } from './command.ts';
import { accessToken, requirePlatform } from './session.ts';

/** The platform's HTTP API. Answers are the platform's own schemas (`@desp/model`); an error answer becomes a DespError again. */
export interface ApiClient {
  readonly server: string;
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  /** The answer's bytes as they are. */
  bytes(path: string): Promise<Uint8Array>;
  /** The answer's text as it comes. */
  stream(method: string, path: string, onText: (text: string) => void, body?: unknown): Promise<void>;
}

class ApiError extends DespError<string> {}

/** `token` is asked for with each call: one that ends meanwhile is renewed. */
export function createApiClient(server: string, token: () => Promise<string | undefined> = async () => undefined): ApiClient {
  const call = async (method: string, path: string, body?: unknown): Promise<Response> => {
    const bearer = await token();
    let response: Response;
    try {
      response = await fetch(new URL(path, server), {
        method,
        headers: {
          ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new CliError('NOT_STARTED', `The platform at ${server} does not answer.`, {
        kind: 'upstream',
        retryable: true,
        cure: 'Start it with desp up, or look at it with desp status.',
        cause,
      });
    }
    if (response.ok) return response;
    const text = await response.text();
    let problem: ApiProblem['error'] | undefined;
    try {
      problem = (JSON.parse(text) as ApiProblem).error;
    } catch {
      // Not one of ours: a proxy, say.
    }
    if (response.status === 401) {
      throw new CliError('NOT_LOGGED_IN', problem?.message ?? 'Nobody is logged in.', { kind: 'user', cure: loginCure });
    }
    if (!problem) throw new CliError('API', `${method} ${path} answered ${response.status}.`, { kind: 'upstream' });
    throw new ApiError(problem.code, problem.message, {
      kind: problem.kind,
      retryable: problem.retryable,
      ...(problem.cure ? { cure: problem.cure } : {}),
      ...(problem.where ? { where: problem.where as { file: string } } : {}),
    });
  };
  return {
    server,
    get: async <T>(path: string) => (await (await call('GET', path)).json()) as T,
    post: async <T>(path: string, body: unknown = {}) => (await (await call('POST', path, body)).json()) as T,
    put: async <T>(path: string, body: unknown) => (await (await call('PUT', path, body)).json()) as T,
    bytes: async (path) => new Uint8Array(await (await call('GET', path)).arrayBuffer()),
    async stream(method, path, onText, body) {
      const response = await call(method, path, body);
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) onText(decoder.decode(chunk as Uint8Array, { stream: true }));
    },
  };
}

const loginCure = 'desp login, or in a rehearsal desp login --as provider (or ivv, security, operator, executive)';

/** The client of the platform that is found here, as whoever is logged in. */
export function connect(io: Io): ApiClient {
  const place = requirePlatform(io);
  return createApiClient(place.server, async () => {
    const access = await accessToken(io, place);
    if (!access) throw new CliError('NOT_LOGGED_IN', `Nobody is logged in at ${place.server}.`, { kind: 'user', cure: loginCure });
    return access.token;
  });
}
