import { ExecError, messageOf, type RunOptions, type RunResult, run } from '@desp/runtime';
import { GitError } from './errors.ts';

/**
 * How every Git process of this package starts: by argument list, with an environment in which nobody else's
 * configuration counts, on a repository that is named explicitly.
 */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_ATTR_NOSYSTEM: '1',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
};

/** Runs Git on a bare repository; the exit code is part of the answer. */
export async function git(folder: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  try {
    return await run(['git', `--git-dir=${folder}`, ...args], {
      timeoutMs: 60_000,
      ...options,
      env: { ...gitEnvironment, ...options.env },
    });
  } catch (error) {
    if (!(error instanceof ExecError)) throw error;
    const attempted = `git ${args[0] ?? ''}`;
    if (error.code === 'NOT_FOUND')
      throw new GitError('GIT_MISSING', `${attempted} needs Git, which is not on this machine.`, {
        kind: 'user',
        cure: 'Install the package git.',
        cause: error,
      });
    if (error.code === 'TOO_MUCH_OUTPUT')
      throw new GitError('TOO_LARGE', `${attempted}: ${messageOf(error)}`, { kind: 'user', cause: error });
    throw new GitError('GIT_FAILED', `${attempted}: ${messageOf(error)}`, { kind: 'upstream', retryable: error.retryable, cause: error });
  }
}

/**
 * As `git`, but any exit code besides 0 is an error.
 * @throws GitError GIT_FAILED with the last line of standard error
 */
export async function gitOk(folder: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await git(folder, args, options);
  if (result.code === 0) return result;
  const last = result.stderr.trim().split('\n').at(-1) ?? '';
  throw new GitError('GIT_FAILED', `git ${args[0] ?? ''} ended with ${result.code}: ${last}`, { kind: 'upstream' });
}
