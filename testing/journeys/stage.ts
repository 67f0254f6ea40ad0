import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunResult, run } from '@desp/runtime';

/** Where a story is played: one rehearsal, people with homes of their own, and the real clients. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const despProgram = join(root, 'node_modules/.bin/desp');

export interface Stage {
  /** Everything of the story lies here, the rehearsal's data folder too. */
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  /** Runs `desp` as a person; the exit code is an answer. */
  desp(person: string, args: readonly string[], options?: { stdin?: string; timeoutMs?: number }): Promise<Answer>;
  /** Runs a client with a person's home; the exit code is an answer. */
  client(
    person: string,
    argv: readonly [string, ...string[]],
    options?: { cwd?: string; stdin?: string; timeoutMs?: number; env?: Record<string, string> },
  ): Promise<Answer>;
  path(...parts: string[]): string;
}

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly all: string;
}

export function createStage(folder: string, port: number): Stage {
  const data = join(folder, 'data');
  const home = (person: string) => {
    const path = join(folder, 'homes', person);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  };
  const environment = (person: string): Record<string, string> => ({
    HOME: home(person),
    XDG_CONFIG_HOME: join(home(person), '.config'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
    DESP_CONFIG: join(data, 'desp.config.yaml'),
    // Empty: the bundle, where it was built.
    DESP_FROM_SOURCE: process.env['DESP_FROM_SOURCE'] ?? '',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: person,
    GIT_AUTHOR_EMAIL: `${person}@example.invalid`,
    GIT_COMMITTER_NAME: person,
    GIT_COMMITTER_EMAIL: `${person}@example.invalid`,
  });
  const answer = (result: RunResult): Answer => {
    const out = result.stdout.toString('utf8');
    return { code: result.code, out, err: result.stderr, all: `${out}${result.stderr}` };
  };
  return {
    folder,
    data,
    port,
    path: (...parts) => join(folder, ...parts),
    async desp(person, args, options = {}) {
      const env = environment(person);
      // The first `up` has no configuration to name yet.
      if (args[0] === 'up' || args[0] === 'down') delete env['DESP_CONFIG'];
      return answer(await run([despProgram, ...args], { env, cwd: home(person), timeoutMs: 180_000, ...options }));
    },
    async client(person, argv, options = {}) {
      return answer(
        await run(argv, { cwd: home(person), timeoutMs: 120_000, ...options, env: { ...environment(person), ...options.env } }),
      );
    },
  };
}

/** Fails with what was seen when an answer is not what the story needs. */
export function demand(answer: Answer, what: string, holds: boolean = answer.code === 0): void {
  if (!holds) throw new Error(`${what}\nexit code ${answer.code}\n${answer.all.slice(-3000)}`);
}

/** Looks until `look` gives something; the last look's words are in the error. */
export async function eventually<T>(what: string, look: () => Promise<{ done: T } | { not: string }>, timeoutMs = 60_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if ('done' in seen) return seen.done;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s. Last seen: ${seen.not}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** A work tree of the sample service, as a provider has it. */
export async function sampleRepository(stage: Stage, person: string, remote: string): Promise<string> {
  const tree = stage.path('work', 'sample-app');
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(dirname(tree), { recursive: true });
  cpSync(join(root, 'examples/sample-app'), tree, { recursive: true });
  await git(stage, person, tree, ['init', '--quiet', '--initial-branch', 'main']);
  await git(stage, person, tree, ['config', 'credential.helper', '!desp git-credential']);
  await git(stage, person, tree, ['remote', 'add', 'origin', remote]);
  await commitAll(stage, person, tree, 'First version');
  return tree;
}

export async function git(stage: Stage, person: string, tree: string, args: readonly string[]): Promise<Answer> {
  const answer = await stage.client(person, ['git', '-C', tree, ...args]);
  demand(answer, `git ${args.join(' ')}`);
  return answer;
}

export async function commitAll(stage: Stage, person: string, tree: string, message: string): Promise<void> {
  await git(stage, person, tree, ['add', '--all', '--force']);
  await git(stage, person, tree, ['commit', '--quiet', '--message', message]);
}

export async function applyFix(stage: Stage, person: string, tree: string): Promise<void> {
  await git(stage, person, tree, ['apply', join(root, 'examples/sample-app-1.0.1.patch')]);
  await commitAll(stage, person, tree, 'Take the vulnerable dependency out');
}

export function writeText(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}
