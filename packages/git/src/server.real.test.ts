import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunResult, run, systemClock } from '@desp/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GitError } from './errors.ts';
import { standardTransferLimits, type TransferLimits } from './http-backend.ts';
import { type PushDecision, type ReceivedPush, rejectPush } from './push.ts';
import { createGitServer, type GitServer } from './server.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const path = 'DESP/SAMPLE-APP/sample-app';
const tokens: Record<string, string> = { 'glpat-alice': 'alice', 'glpat-bob': 'bob', 'glcbt-job': 'job', 'gldt-reader': 'deploy' };

let work: string;
let http: Server;
let host: GitServer;
let origin: string;
let received: ReceivedPush[];
let policy: (updates: readonly { ref: string }[]) => PushDecision | Promise<PushDecision>;
let lose: boolean;
const children: ChildProcess[] = [];

async function start(limits: TransferLimits = standardTransferLimits): Promise<void> {
  host = createGitServer({
    root: join(work, 'host'),
    limits,
    authenticate: (_username, password) => (tokens[password] ? { name: tokens[password] } : undefined),
    authorize: (principal, repository, access) => {
      if (!principal || principal.name === 'bob' || !repository.startsWith('DESP/')) return 'hide';
      return access === 'write' && principal.name === 'deploy' ? 'deny' : 'allow';
    },
    onPush: ({ updates }) => policy(updates),
    onReceived: (push) => {
      if (lose) throw new Error('lost on the way');
      received.push(push);
      return [`delivery d-${received.length} started`];
    },
  });
  http = createServer((request, response) => void host.handler(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  origin = `127.0.0.1:${(http.address() as AddressInfo).port}`;
}

async function stop(): Promise<void> {
  http.closeAllConnections();
  if (http.listening) await new Promise((resolve) => http.close(resolve));
  await host.close();
}

const environment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Alice',
  GIT_AUTHOR_EMAIL: 'alice@example.org',
  GIT_COMMITTER_NAME: 'Alice',
  GIT_COMMITTER_EMAIL: 'alice@example.org',
};
const git = (cwd: string, ...args: string[]): Promise<RunResult> => run(['git', ...args], { cwd, env: environment });
const remote = (token: string, repository = `${path}.git`) => `http://any:${token}@${origin}/${repository}`;

async function gitOk(cwd: string, ...args: string[]): Promise<string> {
  const result = await git(cwd, ...args);
  expect(result.code, `git ${args.join(' ')}: ${result.stderr}`).toBe(0);
  return result.stdout.toString().trim();
}

/** A clone of a person's with one commit on `main`. */
async function makeClone(name = 'clone', token = 'glpat-alice'): Promise<string> {
  const folder = join(work, name);
  mkdirSync(folder);
  await gitOk(folder, 'init', '-q', '-b', 'main');
  await gitOk(folder, 'remote', 'add', 'origin', remote(token));
  writeFileSync(join(folder, 'README.md'), `${name}\n`);
  await commit(folder, 'first');
  return folder;
}

async function commit(folder: string, message: string): Promise<string> {
  await gitOk(folder, 'add', '-A');
  await gitOk(folder, 'commit', '-q', '--allow-empty', '-m', message);
  return gitOk(folder, 'rev-parse', 'HEAD');
}

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'desp-git-'));
  received = [];
  policy = () => ({ kind: 'accept' });
  lose = false;
  if (!hasGit) return;
  await start();
  await host.createRepository(path);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  if (hasGit) await stop();
  rmSync(work, { recursive: true, force: true });
});

describe.skipIf(!hasGit)('Git over smart HTTP (needs git on this machine)', () => {
  test('push, notice, clone, tag, shallow and partial clone', async () => {
    const clone = await makeClone();
    const head = await gitOk(clone, 'rev-parse', 'HEAD');
    const pushed = await git(clone, 'push', 'origin', 'main');
    expect(pushed.code, pushed.stderr).toBe(0);
    expect(pushed.stderr).toContain('remote: delivery d-1 started');
    expect(received).toEqual([
      { repository: path, principal: 'alice', updates: [expect.objectContaining({ ref: 'refs/heads/main', new: head, kind: 'create' })] },
    ]);
    await gitOk(clone, 'tag', '-a', '-m', 'one', '1.0.0');
    await gitOk(clone, 'push', 'origin', '1.0.0');
    await commit(clone, 'second');
    await gitOk(clone, 'push', 'origin', 'main');
    await gitOk(work, '-c', 'protocol.version=2', 'clone', '-q', remote('glcbt-job', path), 'again');
    expect(await gitOk(join(work, 'again'), 'describe', '--tags', 'HEAD~1')).toBe('1.0.0');
    await gitOk(work, 'clone', '-q', '--depth', '1', remote('gldt-reader'), 'shallow');
    expect(await gitOk(join(work, 'shallow'), 'rev-list', '--count', 'HEAD')).toBe('1');
    await gitOk(work, 'clone', '-q', '--filter=blob:none', '--no-checkout', remote('glpat-alice'), 'partial');
    expect(await gitOk(join(work, 'partial'), 'cat-file', 'blob', 'HEAD:README.md')).toBe('clone');
  });

  test('the first branch pushed becomes the default one', async () => {
    const clone = await makeClone();
    await gitOk(clone, 'push', 'origin', 'main:refs/heads/develop');
    await gitOk(clone, 'push', 'origin', 'main');
    expect(await host.reader(path).defaultBranch()).toBe('develop');
  });

  test('a tag never moves and never goes, a default branch keeps its history', async () => {
    const clone = await makeClone();
    await gitOk(clone, 'tag', '1.0.0');
    await gitOk(clone, 'push', 'origin', 'main', '1.0.0');
    const before = await host.reader(path).listRefs();
    await gitOk(clone, 'commit', '-q', '--amend', '-m', 'rewritten');
    await gitOk(clone, 'tag', '-f', '1.0.0');
    for (const [args, message] of [
      [['push', '-f', 'origin', '1.0.0'], 'remote: GitLab: Protected tags cannot be updated.'],
      [['push', 'origin', ':1.0.0'], 'remote: GitLab: Protected tags cannot be deleted.'],
      [['push', '--mirror', 'origin'], 'remote: GitLab: '],
      [['push', '-f', 'origin', 'main'], 'remote: GitLab: You are not allowed to force push code to a protected branch on this project.'],
      [['push', 'origin', ':main'], 'remote: GitLab: The default branch of a project cannot be deleted.'],
      [['push', 'origin', 'main:refs/desp/x'], 'remote: GitLab: You can push branches and tags only'],
    ] as const) {
      const result = await git(clone, ...args);
      expect(result.code, args.join(' ')).not.toBe(0);
      expect(result.stderr).toContain(message);
      expect(result.stderr).toContain('(pre-receive hook declined)');
    }
    expect(await host.reader(path).listRefs()).toEqual(before);
    expect(received).toHaveLength(1);
  });

  test('the platform decides with the pushed files in view, before they count', async () => {
    await stop();
    const seen: string[] = [];
    host = createGitServer({
      root: join(work, 'host'),
      authenticate: () => ({ name: 'alice' }),
      authorize: () => 'allow',
      onPush: async ({ reader, updates }) => {
        const at = await reader.resolve(updates[0]!.new);
        seen.push((await reader.readFile(at, 'README.md')).toString());
        return rejectPush('GitLab: You are not allowed to push code to protected branches on this project.');
      },
    });
    http = createServer((request, response) => void host.handler(request, response));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    origin = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    const clone = await makeClone();
    const head = await gitOk(clone, 'rev-parse', 'HEAD');
    const pushed = await git(clone, 'push', 'origin', 'main');
    expect(pushed.stderr).toContain('remote: GitLab: You are not allowed to push code to protected branches on this project.');
    expect(pushed.stderr).toContain('[remote rejected] main -> main (pre-receive hook declined)');
    expect(seen).toEqual(['clone\n']);
    await expect(host.reader(path).resolve(head)).rejects.toMatchObject({ code: 'REF_NOT_FOUND' });
  });

  test('a policy that breaks refuses the push', async () => {
    policy = () => {
      throw new Error('database is gone');
    };
    const pushed = await git(await makeClone(), 'push', 'origin', 'main');
    expect(pushed.stderr).toContain('GitLab: The push could not be judged.');
    expect(pushed.stderr).not.toContain('database');
    expect(await host.reader(path).listRefs()).toEqual([]);
  });

  test.each([
    ['no credentials', undefined, `${path}.git`, 401],
    ['no credentials, no repository', undefined, 'DESP/none.git', 401],
    ['a wrong token', 'glpat-wrong', `${path}.git`, 401],
    ["another provider's token", 'glpat-bob', `${path}.git`, 404],
    ['no repository', 'glpat-alice', 'DESP/none.git', 404],
    ['another letter case', 'glpat-alice', 'desp/sample-app/sample-app.git', 404],
  ])('%s', async (_title, token, repository, status) => {
    const headers = token ? { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` } : undefined;
    const response = await fetch(`http://${origin}/${repository}/info/refs?service=git-upload-pack`, headers ? { headers } : {});
    expect(response.status).toBe(status);
    expect(response.headers.has('www-authenticate')).toBe(status === 401);
  });

  test('a deploy token reads and does not push', async () => {
    const pushed = await git(await makeClone('clone', 'gldt-reader'), 'push', 'origin', 'main');
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('403');
  });

  test('a push of 5 MB in chunks, after the probing request', async () => {
    const clone = await makeClone();
    const { randomBytes } = await import('node:crypto');
    const blob = randomBytes(5 * 1024 * 1024);
    writeFileSync(join(clone, 'big'), blob);
    const head = await commit(clone, 'big');
    await gitOk(clone, 'push', 'origin', 'main');
    const reader = host.reader(path);
    expect((await reader.readFile(await reader.resolve(head), 'big', 6 * 1024 * 1024)).equals(blob)).toBe(true);
    await expect(reader.readFile(await reader.resolve(head), 'big', 1024)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test('a push over the limit is refused and leaves nothing', async () => {
    await stop();
    await start({ ...standardTransferLimits, maxPackBytes: 100_000 });
    const clone = await makeClone();
    const { randomBytes } = await import('node:crypto');
    writeFileSync(join(clone, 'big'), randomBytes(300_000));
    await commit(clone, 'big');
    const pushed = await git(clone, 'push', 'origin', 'main');
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('maximum allowed size');
    expect(await host.reader(path).listRefs()).toEqual([]);
  });

  test('eight pushes at once: each to its branch, one of those to the same branch', async () => {
    await gitOk(await makeClone('base'), 'push', 'origin', 'main');
    const clones: string[] = [];
    for (let i = 0; i < 4; i++) {
      await gitOk(work, 'clone', '-q', remote('glpat-alice'), `c${i}`);
      const clone = join(work, `c${i}`);
      writeFileSync(join(clone, `file-${i}`), `${i}`);
      await commit(clone, `change ${i}`);
      clones.push(clone);
    }
    const own = await Promise.all(clones.map((clone, i) => git(clone, 'push', 'origin', `HEAD:refs/heads/b${i}`)));
    expect(own.map((result) => result.code)).toEqual([0, 0, 0, 0]);
    const same = await Promise.all(clones.map((clone) => git(clone, 'push', 'origin', 'HEAD:main')));
    expect(same.filter((result) => result.code === 0)).toHaveLength(1);
    expect(received.filter((push) => push.updates.some((update) => update.ref === 'refs/heads/main'))).toHaveLength(2);
  });

  test('a notice that was lost is told again at the next start, and only then forgotten', async () => {
    lose = true;
    const clone = await makeClone();
    const pushed = await git(clone, 'push', 'origin', 'main');
    expect(pushed.code).toBe(0);
    await stop();
    await start();
    await expect(host.reconcile()).rejects.toThrow('lost on the way');
    lose = false;
    expect(await host.reconcile()).toBe(1);
    expect(received[0]).toMatchObject({ repository: path, principal: 'alice' });
    expect(await host.reconcile()).toBe(0);
  });

  test('no secret of a request is in an argument of a process, nor in a file of the host', async () => {
    let seen = '';
    policy = () => {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          const parent = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
          // The pushing client's own remote URL is this test's, not the host's.
          if (parent.includes('http-backend') || parent.includes('receive-pack'))
            seen += parent + readFileSync(`/proc/${pid}/environ`, 'utf8');
        } catch {
          // Gone between the listing and the look.
        }
      }
      return { kind: 'accept' };
    };
    await gitOk(await makeClone(), 'push', 'origin', 'main');
    expect(seen).toContain('receive-pack');
    expect(seen).not.toContain('glpat-alice');
    expect((await run(['grep', '-r', 'glpat-alice', join(work, 'host')])).code).toBe(1);
  });

  test('killed in the middle of a push, the repository is whole and the next push works', async () => {
    await stop();
    // A host in a process of its own, which stops at the decision until it is killed.
    const port = (await freePort()).toString();
    const child = spawn(process.execPath, [join(import.meta.dirname, 'testing', 'hanging-host.ts'), join(work, 'host'), port], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
    });
    await until(() => said.includes('listening'));
    origin = `127.0.0.1:${port}`;
    const clone = await makeClone();
    const pushing = git(clone, 'push', 'origin', 'main');
    await until(() => said.includes('deciding'));
    child.kill('SIGKILL');
    expect((await pushing).code).not.toBe(0);
    await start();
    const folder = join(work, 'host', 'repositories', readdirSync(join(work, 'host', 'repositories'))[0]!);
    expect((await run(['git', `--git-dir=${folder}`, 'fsck', '--full'])).code).toBe(0);
    expect(await host.reconcile()).toBe(0);
    await gitOk(clone, 'push', remote('glpat-alice'), 'main');
    expect(received).toHaveLength(1);
  });

  test('reads, archives and refuses by the tree alone', async () => {
    const clone = await makeClone();
    mkdirSync(join(clone, 'images/a'), { recursive: true });
    writeFileSync(join(clone, 'images/a/Dockerfile'), 'FROM scratch\n');
    writeFileSync(join(clone, '.gitattributes'), 'images export-ignore\n*.md export-subst text eol=crlf\n');
    writeFileSync(join(clone, 'README.md'), '$Format:%H$\n');
    symlinkSync('/etc/passwd', join(clone, 'images/a/link'));
    const head = await commit(clone, 'tree');
    await gitOk(clone, 'push', 'origin', 'main');
    const reader = host.reader(path);
    const at = await reader.resolve('main');
    expect(at).toBe(head);
    expect((await reader.readTree(at, 'images/a/')).map(({ path: name, kind }) => [name, kind])).toEqual([
      ['images/a/Dockerfile', 'file'],
      ['images/a/link', 'symlink'],
    ]);
    await expect(reader.readFile(at, 'images/a/link')).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    await expect(reader.readFile(at, '../README.md')).rejects.toMatchObject({ code: 'OBJECT_NOT_FOUND' });
    const archive = join(work, 'out.tar');
    const chunks: Buffer[] = [];
    for await (const chunk of await reader.archive(at)) chunks.push(chunk as Buffer);
    writeFileSync(archive, Buffer.concat(chunks));
    expect((await run(['tar', '-tf', archive])).stdout.toString()).toContain('images/a/Dockerfile');
    expect((await run(['tar', '-xOf', archive, 'README.md'])).stdout.toString()).toBe('$Format:%H$\n');
    expect((await reader.log(at))[0]).toMatchObject({ id: head, author: 'Alice', title: 'tree' });
  });

  test('trees that differ in letter case only are refused', async () => {
    const clone = await makeClone();
    writeFileSync(join(clone, 'a'), '1');
    writeFileSync(join(clone, 'A'), '2');
    await commit(clone, 'twins');
    await gitOk(clone, 'push', 'origin', 'main');
    const reader = host.reader(path);
    await expect(reader.readTree(await reader.resolve('main'))).rejects.toMatchObject({ code: 'UNSAFE_TREE' });
  });

  test('a tree with a .git folder is refused on push', async () => {
    const clone = await makeClone();
    const blob = await gitOk(clone, 'hash-object', '-w', 'README.md');
    const inner = (await run(['git', 'mktree'], { cwd: clone, env: environment, stdin: `100644 blob ${blob}\tconfig\n` })).stdout
      .toString()
      .trim();
    const tree = (await run(['git', 'mktree'], { cwd: clone, env: environment, stdin: `040000 tree ${inner}\t.git\n` })).stdout
      .toString()
      .trim();
    const bad = await gitOk(clone, 'commit-tree', '-m', 'bad', tree);
    const pushed = await git(clone, 'push', 'origin', `${bad}:refs/heads/main`);
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('hasDotgit');
  });

  test('the platform writes files and tags, each once', async () => {
    const author = { name: 'DESP', email: 'desp@localhost', at: new Date('2026-01-01T00:00:00Z') };
    await host.createRepository('desp/devsecops-templates');
    const write = (text: string) => host.commitFiles('desp/devsecops-templates', 'master', { 'x/y.yml': text }, 'Templates', author);
    const first = await write('a: 1\n');
    expect(await write('a: 1\n')).toBe(first);
    const second = await write('a: 2\n');
    const reader = host.reader('desp/devsecops-templates');
    expect(await reader.isAncestor(first, second)).toBe(true);
    expect(await reader.defaultBranch()).toBe('master');
    expect(await host.createTag('desp/devsecops-templates', '1.0.0', first, 'one', author)).toBe('created');
    expect(await host.createTag('desp/devsecops-templates', '1.0.0', first, 'one', author)).toBe('present');
    await expect(host.createTag('desp/devsecops-templates', '1.0.0', second, 'one', author)).rejects.toThrow(GitError);
    expect(await reader.tagsOn(first)).toEqual(['1.0.0']);
    await expect(host.createRepository('DESP/Devsecops-Templates')).rejects.toMatchObject({ code: 'REPOSITORY_EXISTS' });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 400; turns++) {
    if (condition()) return;
    await systemClock.sleep(25);
  }
  throw new Error('the awaited state did not come');
}
