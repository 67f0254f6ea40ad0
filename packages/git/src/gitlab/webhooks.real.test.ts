import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunResult, run } from '@desp/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitLabClient, type GitLabClient, type GitLabProject } from '../client/gitlab-client.ts';
import { type Receiver, startReceiver, startTestHost, type TestHost } from '../testing/gitlab-host.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
let lab: TestHost;
let client: GitLabClient;
let project: GitLabProject;
let receiver: Receiver;
let work: string;

const environment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Alice',
  GIT_AUTHOR_EMAIL: 'alice@example.org',
  GIT_COMMITTER_NAME: 'Alice',
  GIT_COMMITTER_EMAIL: 'alice@example.org',
};
const git = (...args: string[]): Promise<RunResult> => run(['git', ...args], { cwd: work, env: environment });
const remote = (as: string) => project.cloneUrl.replace('://', `://any:token-${as}@`);

async function commit(): Promise<string> {
  await git('commit', '-q', '--allow-empty', '-m', 'A change');
  return (await git('rev-parse', 'HEAD')).stdout.toString().trim();
}

/** Pushes as somebody; the code and what git said. */
async function push(as: string, ...refs: string[]): Promise<{ code: number; said: string }> {
  const { code, stderr } = await git('push', remote(as), ...refs);
  return { code, said: stderr };
}

describe.skipIf(!hasGit)('pushes, rights and webhooks with git itself (needs git on this machine)', () => {
  beforeEach(async () => {
    receiver = await startReceiver();
    lab = await startTestHost({ hookTimeoutMs: 2_000 });
    client = createGitLabClient({ url: lab.url, token: 'token-platform' });
    const group = await client.ensureGroup('DESP/APP');
    project = await client.ensureProject(group, 'app');
    await client.ensureProtectedTags(project, '*', 30);
    await client.ensureHook(project, { url: receiver.url, token: 'the-hook-token' });
    await client.ensureMembers(group, [
      { username: 'alice', name: 'Alice', level: 30 },
      { username: 'ivv', name: 'Ivo', level: 20 },
    ]);
    work = mkdtempSync(join(tmpdir(), 'desp-hooks-'));
    mkdirSync(work, { recursive: true });
    await git('init', '-q', '-b', 'main');
    writeFileSync(join(work, 'README.md'), 'one\n');
    await git('add', '-A');
    await commit();
  });
  afterEach(async () => {
    await lab.stop();
    await receiver.stop();
    rmSync(work, { recursive: true, force: true });
  });

  test("a push is told in GitLab's form, and the receiver's lines reach the pusher", async () => {
    receiver.respond = () => ({ status: 200, body: '{"messages":["Delivery d-1"]}' });
    const head = (await git('rev-parse', 'HEAD')).stdout.toString().trim();
    const pushed = await push('alice', 'main');
    expect(pushed.code, pushed.said).toBe(0);
    expect(pushed.said).toContain('remote: Delivery d-1');
    expect(receiver.calls).toHaveLength(1);
    expect(receiver.calls[0]?.headers).toMatchObject({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': 'the-hook-token' });
    expect(receiver.calls[0]?.body).toMatchObject({
      object_kind: 'push',
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: head,
      checkout_sha: head,
      user_username: 'alice',
      project: { path_with_namespace: 'DESP/APP/app', default_branch: 'main' },
      total_commits_count: 1,
      commits: [{ id: head, title: 'A change', author: { name: 'Alice' } }],
    });
    await git('tag', '-a', '-m', 'One', '1.0.0');
    const tagged = await push('alice', '1.0.0');
    expect(tagged.code, tagged.said).toBe(0);
    expect(receiver.calls[1]?.body).toMatchObject({ object_kind: 'tag_push', ref: 'refs/tags/1.0.0', checkout_sha: head });
    expect(receiver.calls[1]?.body['after']).not.toBe(head);
  });

  test('a call that was refused is made again until it is taken, with the same id', async () => {
    let refusals = 2;
    receiver.respond = () => ({ status: refusals-- > 0 ? 503 : 200 });
    expect((await push('alice', 'main')).code).toBe(0);
    await receiver.until(3);
    expect(new Set(receiver.calls.map(({ headers }) => headers['x-gitlab-event-uuid'])).size).toBe(1);
  });

  test('a call outlives the host and the receiver', async () => {
    receiver.respond = () => ({ status: 500 });
    expect((await push('alice', 'main')).code).toBe(0);
    receiver.respond = () => ({ status: 200 });
    const before = receiver.calls.length;
    await lab.restart();
    await receiver.until(before + 1);
    expect(receiver.calls.at(-1)?.body).toMatchObject({ ref: 'refs/heads/main' });
    // What was taken is not told again.
    const told = receiver.calls.length;
    await lab.restart();
    await commit();
    expect((await push('alice', 'main')).code).toBe(0);
    expect(receiver.calls.length).toBe(told + 1);
  });

  test('an accepted push whose process died before anything was told is told at the next start', async () => {
    const head = (await git('rev-parse', 'HEAD')).stdout.toString().trim();
    expect((await push('alice', 'main')).code).toBe(0);
    await receiver.until(1);
    // What a kill between the moved ref and the webhook leaves: the journal's entry.
    const entry = {
      repository: 'DESP/APP/app',
      principal: 'alice',
      updates: [{ ref: 'refs/heads/main', old: '0'.repeat(40), new: head, kind: 'create', forced: false }],
    };
    writeFileSync(join(lab.folder, 'git', 'pending', '00000000-0000-4000-8000-000000000000.json'), JSON.stringify(entry));
    await lab.restart();
    await receiver.until(2);
    expect(receiver.calls[1]?.body).toMatchObject({ after: head });
  });

  test('memberships decide who may clone, push and tag, at once', async () => {
    expect((await push('alice', 'main')).code).toBe(0);
    const read = async (as: string) => (await git('ls-remote', remote(as))).stderr.trim().split('\n').at(-1);
    expect(await read('ivv')).toBe('');
    expect(await read('job')).toBe('');
    expect(await read('bob')).toMatch(/not found/);
    await commit();
    expect((await push('ivv', 'main')).said).toMatch(/403/);
    expect((await push('job', 'main')).said).toMatch(/403/);
    expect((await push('bob', 'main')).said).toMatch(/not found/);
    await client.ensureMembers({ id: (await client.ensureGroup('DESP/APP')).id, path: 'DESP/APP' }, [
      { username: 'alice', name: 'Alice', level: undefined },
    ]);
    expect((await push('alice', 'main')).said).toMatch(/not found/);
  });

  test('protected tags are made from their level up, and neither moved nor deleted', async () => {
    await client.ensureProtectedTags(project, '*', 40);
    await git('tag', '1.0.0');
    expect((await push('alice', 'main', '1.0.0')).said).toMatch(/not allowed to create this tag as it is protected/);
    expect((await push('platform', 'main', '1.0.0')).code).toBe(0);
    await commit();
    await git('tag', '-f', '1.0.0');
    expect((await push('platform', '-f', '1.0.0')).said).toMatch(/Protected tags cannot be updated/);
    expect((await push('platform', ':1.0.0')).said).toMatch(/Protected tags cannot be deleted/);
  });

  test('what an instance is seeded with is read by all who are logged in, and written by nobody of them', async () => {
    const seed = {
      path: 'desp/templates',
      branch: 'main',
      files: { 'a.yml': 'a: 1\n' },
      message: 'Templates',
      author: { name: 'DESP', email: 'desp@example.org', at: new Date(Date.UTC(2023, 8, 14)) },
    };
    await lab.host.seed(seed);
    await lab.host.seed(seed);
    const at = (as: string) => `${lab.url.replace('://', `://any:token-${as}@`)}/desp/templates.git`;
    for (const as of ['bob', 'job']) expect((await git('ls-remote', at(as))).code).toBe(0);
    expect((await git('push', at('bob'), 'main:refs/heads/x')).stderr).toMatch(/403/);
    expect((await git('ls-remote', `${lab.url}/desp/templates.git`)).code).not.toBe(0);
  });
});
