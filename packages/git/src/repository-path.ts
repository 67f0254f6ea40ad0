import { GitError } from './errors.ts';

/**
 * A repository's public path: groups and a name, as in `DESP/SAMPLE-APP/sample-app` (procedure, section 3.2).
 * It never becomes a path on disk: the repository table maps it to a folder with a name of our own.
 */
declare const repositoryPath: unique symbol;
export type RepositoryPath = string & { readonly [repositoryPath]: true };

const segment = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?$/;
const reservedEnding = /\.(?:git|atom|lock)$/i;

/** Whether the text is a well-formed path: 2 to 20 segments of letters, digits, `_`, `-`, `.`; at most 500 characters. */
export function isRepositoryPath(text: string): text is RepositoryPath {
  if (text.length > 500) return false;
  const segments = text.split('/');
  if (segments.length < 2 || segments.length > 20) return false;
  return segments.every((part) => segment.test(part) && !part.includes('..') && !reservedEnding.test(part));
}

/**
 * Reads a path that a person or the configuration gave.
 * @throws GitError INVALID_PATH
 */
export function parseRepositoryPath(text: string): RepositoryPath {
  if (isRepositoryPath(text)) return text;
  throw new GitError('INVALID_PATH', `${JSON.stringify(text.slice(0, 100))} is no repository path.`, {
    kind: 'user',
    cure: 'Use GROUP/…/NAME, each of letters, digits, dots, dashes and underscores.',
  });
}

/** What a smart-HTTP request asks of which repository (gitprotocol-http(5), "URL format"). */
export type GitRoute =
  | { readonly kind: 'advertise'; readonly path: RepositoryPath; readonly service: GitService }
  | { readonly kind: 'call'; readonly path: RepositoryPath; readonly service: GitService };

export type GitService = 'git-upload-pack' | 'git-receive-pack';

const isService = (text: string | null | undefined): text is GitService => text === 'git-upload-pack' || text === 'git-receive-pack';

/**
 * The route of a request, or undefined when it is none of the smart protocol's: the dumb protocol is not served.
 * The path is taken as it stands: percent signs are no part of a repository path, so nothing is decoded.
 */
export function parseGitRoute(method: string, url: string): GitRoute | undefined {
  if (url.length > 2000) return undefined;
  const question = url.indexOf('?');
  const pathname = question < 0 ? url : url.slice(0, question);
  const query = question < 0 ? '' : url.slice(question + 1);
  const match = /^\/(.+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(pathname);
  const path = match?.[1];
  if (!match || path === undefined || !isRepositoryPath(path)) return undefined;
  if (match[2] === 'info/refs') {
    const service = new URLSearchParams(query).get('service');
    return method === 'GET' && isService(service) ? { kind: 'advertise', path, service } : undefined;
  }
  return method === 'POST' && query === '' && isService(match[2]) ? { kind: 'call', path, service: match[2] } : undefined;
}
