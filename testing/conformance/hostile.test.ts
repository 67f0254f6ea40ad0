import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Delivery, ServiceView } from '@desp/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createStage, demand, eventually, git, type Stage, writeText } from '../journeys/stage.ts';
import { tinyService } from '../journeys/tiny-service.ts';
import { archivePathTricks, lyingDigest, pathTricks, zipBomb } from './hostile/archives.ts';
import { type Cases, openCases, plainFiles } from './hostile/repositories.ts';

const missing = [
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...['git', 'podman', 'runc', 'skopeo', 'kubectl', 'busybox'].filter((program) => spawnSync('which', [program]).status !== 0),
];
const me = 'provider';
const other = 'other-provider';

/** Section 6: whoever sends bad input gets a clear error, in bounded time, and nobody else notices. */
describe.skipIf(missing.length > 0)(`hostile users${missing.length ? ` (needs ${missing.join(', ')})` : ''}`, () => {
  let stage: Stage;
  let mine: ServiceView;
  let cases: Cases;
  const seen = new Set<string>();
  const base = () => `http://127.0.0.1:${stage.port}`;
  const password = (person: string) =>
    readFileSync(join(stage.data, 'credentials'), 'utf8').match(new RegExp(`^${person} (.+)$`, 'm'))?.[1] as string;
  const basic = (user: string, secret: string) => `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  const api = (path: string, authorization: string, init: RequestInit = {}) =>
    fetch(`${base()}${path}`, { ...init, headers: { authorization, 'content-type': 'application/json', ...init.headers } });

  const deliveryOf = async (service: string, branch: string): Promise<Delivery> => {
    const answer = await stage.desp('operator', ['delivery', 'list', '--service', service, '--json']);
    demand(answer, 'deliveries are listed');
    const found = (JSON.parse(answer.out) as { deliveries: Delivery[] }).deliveries.find(
      (delivery) => delivery.ref === `refs/heads/${branch}`,
    );
    if (!found) throw new Error(`There is no delivery of ${branch}.`);
    return found;
  };
  /** Waits until a stop of the branch's delivery has failed, and gives its reason. */
  const failureOf = (branch: string, stop: string, timeoutMs = 60_000): Promise<string> =>
    eventually<string>(
      `${branch} fails at ${stop}`,
      async () => {
        const { stops } = await deliveryOf(mine.name, branch);
        const at = stops.find((one) => one.name === stop);
        return at?.state === 'failed' ? { done: at.reason } : { not: JSON.stringify(stops) };
      },
      timeoutMs,
    );

  beforeAll(async () => {
    stage = createStage(mkdtempSync(join(tmpdir(), 'desp-hostile-')), 8900);
    demand(await stage.desp('operator', ['up', '--data', stage.data, '--port', '8900', '--detach']), 'desp up');
    for (const person of [me, other, 'operator']) demand(await stage.desp(person, ['login', '--as', person]), `${person} logs in`);
    const made = await stage.desp(me, ['service', 'create', 'victim', '--json']);
    demand(made, 'desp service create');
    mine = JSON.parse(made.out) as ServiceView;
    demand(await stage.desp(other, ['service', 'create', 'other-app']), 'desp service create other-app');
    cases = await openCases(stage, me, 'victim', mine.gitRemote);
  }, 240_000);
  afterAll(async () => {
    expect((await stage.desp('operator', ['down', '--data', stage.data, '--purge'], { timeoutMs: 120_000 })).all).toContain('is removed');
    rmSync(stage.folder, { recursive: true, force: true });
  }, 150_000);

  describe('a pipeline file', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
    ].join('\n');
    test.each([
      ['alias-bomb', `${bomb}\n`, /\.gitlab-ci\.yml:\d+/],
      ['twice', 'job:\n  script: [a]\njob:\n  script: [b]\n', /\.gitlab-ci\.yml:3.*job/s],
      ['tabs', 'job:\n\tscript: [a]\n', /\.gitlab-ci\.yml:2/],
      ['keyword', 'job:\n  script: [a]\n  services: [docker]\n', /\.gitlab-ci\.yml:3.*services/s],
      ['outside', 'include:\n  - remote: http://127.0.0.1:1/x.yml\n', /\.gitlab-ci\.yml:\d+.*remote/s],
    ])('%s ends at its line', async (branch, text, words) => {
      await cases.push(branch, { ...plainFiles('victim'), '.gitlab-ci.yml': text });
      expect(await failureOf(branch, 'pipeline')).toMatch(words);
    });
  });

  describe('a repository', () => {
    test('with a link out of it is not released, and its links are not followed', async () => {
      await cases.push('links', plainFiles('victim'), { 'deployment/templates/passwd.yaml': '../../../../../../../../etc/passwd' });
      const reason = await failureOf('links', 'release');
      expect(reason).toMatch(/deployment\/templates\/passwd\.yaml is a link/);
      expect(reason).not.toMatch(/root:/);
    });

    test('whose chart reaches beyond its namespace is not released', async () => {
      const template =
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: mine\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}\nsubjects: []\n';
      await cases.push('cluster-wide', { ...plainFiles('victim'), 'deployment/templates/admin.yaml': template });
      expect(await failureOf('cluster-wide', 'release')).toMatch(/ClusterRoleBinding mine for the whole cluster/);
      const crd =
        'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: secretstores.external-secrets.io\nspec: {}\n';
      await cases.push('definitions', { ...plainFiles('victim'), 'deployment/crds/stores.yaml': crd });
      expect(await failureOf('definitions', 'release')).toMatch(
        /CustomResourceDefinition secretstores\.external-secrets\.io for the whole cluster/,
      );
    });

    test.each([
      ['another-host', 'docker.io/library/redis:7'],
      ['unjudged-digest', `registry-ct.e2e.desp.space/victim/web@sha256:${'a'.repeat(64)}`],
      ['another-service', 'registry-ct.e2e.desp.space/other-app/web:1.0.0'],
    ])('that runs an image of %s is not released', async (branch, image) => {
      const pod = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n    - name: c\n      image: ${image}\n`;
      await cases.push(branch, { ...plainFiles('victim'), 'deployment/templates/pod.yaml': pod });
      expect(await failureOf(branch, 'release')).toMatch(/no verdict of this release covers/);
    });
  });

  test('a runaway chart is given up, and the server answers others meanwhile', async () => {
    const templates = {
      recursion: '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
      'ten-million': '{{ range until 10000000 }}x{{ end }}',
      doubling: '{{ $d := list "a" }}{{ range until 60 }}{{ $d = list $d $d }}{{ end }}{{ $d | toJson | sha256sum }}',
    };
    for (const [branch, template] of Object.entries(templates))
      await cases.push(branch, { ...plainFiles('victim'), 'deployment/templates/bad.yaml': template });
    let slowest = 0;
    let over = false;
    const watching = (async () => {
      while (!over) {
        const began = performance.now();
        expect((await fetch(`${base()}/api/status`)).status).toBe(200);
        slowest = Math.max(slowest, performance.now() - began);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    try {
      expect(await failureOf('recursion', 'release')).toMatch(/stopped|given up|cannot be rendered|does not render/);
      expect(await failureOf('ten-million', 'release')).toMatch(/larger than the limit|given up/);
      expect(await failureOf('doubling', 'release')).toMatch(/bad\.yaml:1:\d+\): it takes more than \d+ steps/);
    } finally {
      over = true;
      await watching;
    }
    expect(slowest).toBeLessThan(3_000);
  });

  test('a job prints its token masked, cannot fork, fill or print without end, and its token is good for nothing else', async () => {
    const ci = `
masks:
  stage: build
  script:
    - echo "plain $CI_JOB_TOKEN"
    - echo "$CI_JOB_TOKEN" | sed 's/./& /g'
    - while [ ! -f /tmp/never ]; do sleep 1; done
  timeout: 20s
forks:
  stage: build
  script: ['f() { f | f & wait; }; f']
  timeout: 10s
fills:
  stage: build
  script: ['dd if=/dev/zero of=/tmp/full bs=1M count=2000']
prints:
  stage: build
  script: ['yes']
  timeout: 10s
`;
    await cases.push('jobs', { ...plainFiles('victim'), '.gitlab-ci.yml': ci });
    const { id } = await deliveryOf('victim', 'jobs');
    const log = async (job: string) => (await stage.desp(me, ['delivery', 'logs', id, job])).all;
    const token = (
      await eventually<string>('the job prints', async () => {
        const text = await log('masks');
        const spaced = /^(d j o b _ .*)$/m.exec(text)?.[1];
        return spaced ? { done: spaced.replaceAll(' ', '') } : { not: text };
      })
    ).trim();
    seen.add(token);
    expect(token).toMatch(/^djob_[\w-]{40,}$/);
    expect(await log('masks')).not.toContain(token);
    const tryAll = async () => {
      const statuses: Record<string, number> = {};
      for (const path of ['/api/services', '/api/services/other-app', '/api/deliveries/d-1', '/api/environments/e2e/kubeconfig'])
        statuses[path] = (await api(path, `Bearer ${token}`)).status;
      statuses['secret'] = (
        await api('/api/services/victim/secrets/e2e/x', `Bearer ${token}`, { method: 'PUT', body: '{"values":{"a":"b"}}' })
      ).status;
      const remote = await stage.client(me, [
        'git',
        '-c',
        'credential.helper=',
        '-C',
        cases.tree,
        'push',
        mine.gitRemote.replace('://', `://job:${token}@`),
        'HEAD:refs/heads/stolen',
      ]);
      const theirs = await stage.client(me, [
        'git',
        '-c',
        'credential.helper=',
        'ls-remote',
        mine.gitRemote.replaceAll('VICTIM', 'OTHER-APP').replaceAll('victim', 'other-app').replace('://', `://job:${token}@`),
      ]);
      const registry = await fetch(`${mine.quarantine.url}/service/token?service=harbor-registry&scope=repository:victim/web:push,pull`, {
        headers: { authorization: basic('job', token) },
      });
      const granted = registry.ok ? ((await registry.json()) as { token: string }).token : '';
      const pushed = await fetch(`${mine.quarantine.url}/v2/victim/web/blobs/uploads/`, {
        method: 'POST',
        headers: granted ? { authorization: `Bearer ${granted}` } : {},
      });
      const cluster = await stage.client(me, [
        'kubectl',
        '--server',
        mine.environments[0]?.cluster.server as string,
        '--insecure-skip-tls-verify',
        '--token',
        token,
        '-n',
        'victim',
        'get',
        'secrets',
      ]);
      return { statuses, pushed: pushed.status, git: remote.code, theirs: theirs.err, cluster: cluster.err };
    };
    const refused = await tryAll();
    for (const [what, status] of Object.entries(refused.statuses))
      expect([401, 403, 404, 200].includes(status) && !(status === 200 && what !== '/api/services'), `${what}: ${status}`).toBe(true);
    expect(refused.git).not.toBe(0);
    expect(refused.theirs).toMatch(/not found/i);
    expect(refused.cluster).toMatch(/unauthorized|logged in/i);
    expect([401, 403]).toContain(refused.pushed);
    await eventually('all jobs end', async () => {
      const { jobs } = await deliveryOf('victim', 'jobs');
      return jobs.every((job) => job.endedAt)
        ? { done: true }
        : { not: jobs.map((job) => `${job.name} ${job.state} ${job.reason}`).join('; ') };
    });
    const after = await tryAll();
    for (const [what, status] of Object.entries(after.statuses)) expect(status, what).toBe(401);
    expect((await log('prints')).length).toBeLessThan(6 * 1024 * 1024);
  });

  describe('an image archive', () => {
    test.each([
      ['lies about a digest', lyingDigest, /digest/i],
      ['leads out of its folder', () => archivePathTricks(stage.path('escaped')), /path|\.\./i],
      ['is a zip bomb', zipBomb, /limit|larger|too|more than|incomplete/i],
    ])('that %s is refused', async (name, make, words) => {
      const file = stage.path(`${name.replaceAll(' ', '-')}.tar`);
      writeFileSync(file, make());
      const began = performance.now();
      const answer = await stage.desp(me, ['gate', 'judge', file], { timeoutMs: 60_000 });
      demand(answer, 'gate judge says no', answer.code === 1);
      expect(answer.all).toMatch(words);
      expect(performance.now() - began).toBeLessThan(30_000);
      expect(existsSync(stage.path('escaped'))).toBe(false);
    });

    test('whose layers have paths out of the image writes nothing', async () => {
      const file = stage.path('layers.tar');
      writeFileSync(file, pathTricks());
      const answer = await stage.desp(me, ['gate', 'judge', file]);
      expect([0, 1]).toContain(answer.code);
      expect(answer.all).not.toMatch(/root:/);
      expect(existsSync('/tmp/desp-escaped')).toBe(false);
    });
  });

  describe('another company', () => {
    test('finds nothing of the first in API, Git, registries and secrets', async () => {
      const login = basic(other, password(other));
      for (const path of [
        '/api/services/victim',
        '/api/deliveries/d-1',
        '/api/releases/victim/1.0.0',
        `/api/gate?repository=victim/web&digest=sha256:${'a'.repeat(64)}`,
      ]) {
        const answer = await api(path, login);
        expect(answer.status, path).toBe(404);
        // A name that is another company's is told to nobody who did not write it.
        if (!path.includes('victim')) expect(await answer.text()).not.toContain('victim');
      }
      for (const verb of ['play', 'retry', 'cancel'])
        expect((await api(`/api/deliveries/d-1/${verb}`, login, { method: 'POST', body: '{}' })).status).toBe(404);
      expect((await api('/api/services/victim/secrets/e2e/x', login, { method: 'PUT', body: '{"values":{"a":"b"}}' })).status).toBe(404);
      expect((await api('/api/services', login, { method: 'POST', body: JSON.stringify({ name: 'victim' }) })).status).toBe(409);
      const push = await stage.client(other, [
        'git',
        '-c',
        'credential.helper=!desp git-credential',
        '-C',
        cases.tree,
        'push',
        mine.gitRemote,
        'HEAD:refs/heads/stolen',
      ]);
      demand(push, 'git push finds no repository', push.code !== 0 && /not found/i.test(push.err));
      for (const url of [mine.quarantine.url, ...mine.environments.map((one) => one.registry.url)]) {
        const answer = await fetch(`${url}/service/token?service=harbor-registry&scope=repository:victim/web:push,pull`, {
          headers: { authorization: login },
        });
        const { token = '' } = answer.ok ? ((await answer.json()) as { token?: string }) : {};
        expect(
          (await fetch(`${url}/v2/victim/web/tags/list`, { headers: { authorization: `Bearer ${token}` } })).status,
          url,
        ).toBeGreaterThanOrEqual(401);
        expect(
          (await fetch(`${url}/v2/victim/web/blobs/uploads/`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).status,
          url,
        ).toBeGreaterThanOrEqual(401);
      }
      for (const one of mine.environments)
        expect(
          (await fetch(`${one.secrets.url}/v1/victim/data/pull-secret`, { headers: { 'x-vault-token': password(other) } })).status,
        ).toBe(403);
    });

    test("sees and changes nothing of the first in the cluster, nor what is the platform's in its own namespace", async () => {
      const config = await stage.desp(other, ['kubeconfig', 'e2e']);
      demand(config, 'their own kubeconfig');
      const file = writeText(stage.path('other.yaml'), config.out);
      const kubectl = (...args: string[]) =>
        stage.client(other, ['kubectl', '--kubeconfig', file, ...args], { env: { KUBECACHEDIR: stage.path('other-cache') } });
      for (const args of [
        ['get', 'secrets', '-n', 'victim'],
        ['get', 'secrets', '-A'],
        ['delete', 'namespace', 'victim'],
        ['create', 'clusterrolebinding', 'x', '--clusterrole=cluster-admin', '--user=other-provider'],
        ['create', 'rolebinding', 'x', '-n', 'other-app', '--clusterrole=cluster-admin', '--user=other-provider'],
        ['delete', 'rolebinding', 'desp-provider', '-n', 'other-app'],
        ['patch', 'rolebinding', 'desp-provider', '-n', 'other-app', '--type=merge', '-p', '{"subjects":[]}'],
        ['delete', 'namespace', 'other-app'],
        ['label', 'namespace', 'other-app', 'a=b'],
        ['create', 'quota', 'x', '-n', 'other-app', '--hard=pods=1000'],
        ['get', 'pods', '-n', 'other-app', '--as=system:serviceaccount:vault:vault'],
        ['get', 'pods', '-n', 'victim', '--as=provider'],
        ['label', 'namespace', 'victim', 'a=b'],
      ]) {
        const answer = await kubectl(...args);
        demand(answer, `kubectl ${args.join(' ')} is refused`, answer.code !== 0 && /forbidden/i.test(answer.err));
      }
    });
  });

  test('pods may not ask the cluster whom a token is of: the secret store asks, with an account of its own', async () => {
    const kubectl = (...args: string[]) =>
      stage.client('operator', ['kubectl', '--kubeconfig', join(stage.data, 'kubeconfigs', 'e2e.yaml'), ...args], {
        env: { KUBECACHEDIR: stage.path('operator-cache') },
      });
    const review = ['auth', 'can-i', 'create', 'tokenreviews.authentication.k8s.io', '--as'];
    expect((await kubectl(...review, 'system:serviceaccount:victim:default')).out.trim()).toBe('no');
    expect((await kubectl(...review, 'system:serviceaccount:vault:vault')).out.trim()).toBe('yes');
  });

  describe('a release by tricks', () => {
    test('is made of nothing but what this delivery built and the gate passed', async () => {
      const files = (tree: string) =>
        Object.fromEntries(
          [
            'README.md',
            'deployment/Chart.yaml',
            'deployment/fleet.yaml',
            'deployment/values.yaml',
            'deployment/templates/settings.yaml',
          ].map((path) => [path, plainFiles(tree)[path] as string]),
        );
      const release = (name: string, variables: Record<string, string>, more = '') =>
        `${name}:\n  stage: deploy\n  script: ["desp job release --env e2e"]\n  needs: []\n  variables: ${JSON.stringify(variables)}\n${more}`;
      const ci = [
        release('build-web', { TEST_IMAGE: 'victim/web:1.0.0' }),
        release('theirs', { TEST_IMAGE: 'other-app/web:1.0.0' }),
        release('listed', { DEPLOY_IMAGES: 'victim/web:1.0.0 other-app/web:1.0.0' }),
        release('latest', { TEST_IMAGE: 'victim/web:latest' }),
        release('climbing', { TEST_IMAGE: 'victim/../other-app/web:1.0.0' }),
        'to-prod:\n  stage: deploy\n  script: ["true && desp job release --env prod"]\n  variables: {TEST_IMAGE: "victim/web:1.0.0"}\n',
        'hidden:\n  stage: deploy\n  script: ["printf \'desp job release --env prod\' > /tmp/x; sh /tmp/x"]\n  variables: {TEST_IMAGE: "victim/web:1.0.0"}\n',
        'elsewhere:\n  stage: deploy\n  script: ["desp job build --env e2e"]\n  variables: {TEST_IMAGE: "victim/web:1.0.0", DOCKER_BUILDPATH: "../../other-app"}\n',
      ].join('');
      await cases.push('tricks', { ...files('victim'), '.gitlab-ci.yml': ci });
      const jobs = await eventually<Delivery['jobs']>(
        'the jobs end',
        async () => {
          const delivery = await deliveryOf('victim', 'tricks');
          return delivery.jobs.length && delivery.jobs.every((job) => job.state === 'failed' || job.state === 'blocked')
            ? { done: delivery.jobs }
            : { not: JSON.stringify(delivery.jobs.map((job) => [job.name, job.state, job.reason])) };
        },
        90_000,
      );
      const reason = (name: string) => jobs.find((job) => job.name === name)?.reason;
      expect(reason('build-web')).toMatch(/was not built in this delivery/);
      expect(reason('theirs')).toMatch(/lie below victim/);
      expect(reason('listed')).toMatch(/was not built in this delivery|lie below victim/);
      expect(reason('latest')).toMatch(/needs a version/);
      expect(reason('climbing')).toMatch(/no image name|lie below/);
      expect(jobs.find((job) => job.name === 'to-prod')).toMatchObject({ state: 'blocked', reason: 'Waits for a promotion to prod.' });
      expect(jobs.filter((job) => job.state === 'blocked')).toHaveLength(1);
      expect(reason('hidden')).toMatch(/hidden was not planned to release to prod/);
      expect(reason('elsewhere')).toMatch(/Dockerfile|other-app/);
    });

    test('does not come from a tag on another commit, a lower version, or an older commit on a new branch', async () => {
      const made = await stage.desp(me, ['service', 'create', 'versions', '--json']);
      demand(made, 'service create');
      const own = await openCases(stage, me, 'versions', (JSON.parse(made.out) as ServiceView).gitRemote);
      const stopOf = (branch: string, stop: string, wanted: string) =>
        eventually<string>(`${branch}: ${stop} ${wanted}`, async () => {
          const delivery = await deliveryOf('versions', branch);
          const at = delivery.stops.find((one) => one.name === stop);
          return at?.state === wanted ? { done: at.reason } : { not: JSON.stringify(delivery.stops) };
        });
      const chart = (version: string) => ({
        ...plainFiles('versions'),
        'deployment/Chart.yaml': `apiVersion: v2\nname: versions\nversion: ${version}\n`,
      });
      await own.push('first', chart('1.1.0'));
      await stopOf('first', 'release', 'passed');
      await own.push('lower', chart('1.0.5'));
      expect(await stopOf('lower', 'release', 'failed')).toMatch(/1\.0\.5 is not higher than 1\.1\.0/);
      const tags = await git(stage, me, own.tree, ['ls-remote', '--tags', 'origin']);
      expect(tags.out).toMatch(/refs\/tags\/1\.1\.0/);
      expect(tags.out, 'a refused version leaves no tag').not.toMatch(/1\.0\.5/);
      // The next version's tag, taken by another commit before.
      await git(stage, me, own.tree, ['tag', '1.2.0', 'first']);
      await git(stage, me, own.tree, ['push', '--quiet', 'origin', '1.2.0']);
      await own.push('taken', chart('1.2.0'));
      expect(await stopOf('taken', 'release', 'failed')).toMatch(/Git tag 1\.2\.0 stands on commit/);
      demand(
        await stage.client(me, ['git', '-C', own.tree, 'push', '--force', 'origin', 'HEAD:refs/tags/1.1.0']),
        'a tag does not move',
        true,
      );
      expect((await git(stage, me, own.tree, ['ls-remote', 'origin', 'refs/tags/1.1.0'])).out).toBe(
        tags.out
          .split('\n')
          .find((line) => line.endsWith('refs/tags/1.1.0'))
          ?.concat('\n'),
      );
    });
  });

  test('the API answers abuse with a clear 4xx', async () => {
    const login = basic(me, password(me));
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    const wrong: [string, RequestInit, number[]][] = [
      ['/api/services', { method: 'POST', body: deep }, [400]],
      ['/api/services', { method: 'POST', body: '{"name": 7}' }, [400]],
      ['/api/services', { method: 'POST', body: '{"name": "a", "__proto__": {"x": 1}}' }, [400]],
      ['/api/services', { method: 'POST', body: 'not json' }, [400]],
      ['/api/services', { method: 'POST', body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, [415]],
      ['/api/services', { method: 'POST', body: 'x'.repeat(40 * 1024 * 1024) }, [413]],
      ['/api/services/..%2f..%2fetc', {}, [404]],
      ['/api/services/%00', {}, [400, 404]],
      ['/api/services/%', {}, [400, 404]],
      ['/api/deliveries/d-99999999999999999999', {}, [404]],
      ['/api/deliveries/-1', {}, [404]],
      ['/api/services/victim/secrets/e2e/..%2f..%2fsys', { method: 'PUT', body: '{"values":{"a":"b"}}' }, [400]],
      ['/api/services/victim/secrets/e2e/pull-secret', { method: 'PUT', body: '{"values":{"a":"b"}}' }, [403]],
      ['/api/services', { method: 'DELETE' }, [400, 404, 405]],
      ['/api/advisories', { method: 'POST', body: '{}' }, [400, 403]],
    ];
    for (const [path, init, allowed] of wrong) {
      const began = performance.now();
      const answer = await api(path, login, init).catch(() => undefined);
      // A body that is too large may be cut off in the middle.
      const status = answer?.status ?? (allowed.includes(413) ? 413 : 0);
      const text = (await answer?.text().catch(() => '')) ?? '';
      expect(allowed, `${init.method ?? 'GET'} ${path}: ${status} ${text.slice(0, 200)}`).toContain(status);
      expect(text).not.toMatch(/\bat .*\.ts:\d+/);
      expect(performance.now() - began).toBeLessThan(10_000);
    }
  });

  test('no secret stands in an argument, a log, an answer or a blob', async () => {
    const secrets = new Map<string, string>();
    for (const name of readdirSync(join(stage.data, 'keys')).filter((file) => !file.endsWith('.pub')))
      secrets.set(name, readFileSync(join(stage.data, 'keys', name), 'utf8').trim());
    for (const line of readFileSync(join(stage.data, 'credentials'), 'utf8').trim().split('\n'))
      secrets.set(`password of ${line.split(' ')[0]}`, line.split(' ').slice(1).join(' '));
    for (const token of seen) secrets.set('a job token', token);
    const own = await stage.desp(me, ['service', 'create', 'quiet', '--json']);
    const service = await tinyService(stage, me, 'quiet', (JSON.parse(own.out) as ServiceView).gitRemote);
    await service.commit('1.0.0');
    await git(stage, me, service.tree, ['push', '--quiet', 'origin', 'main']);
    const found = new Set<string>();
    const look = (where: string, text: string) => {
      for (const [name, secret] of secrets)
        if (text.includes(secret) || text.includes(encodeURIComponent(secret))) found.add(`${name} in ${where}`);
      if (/\bd(pat|job|rob)_[\w-]{40,}/.test(text)) found.add(`a token in ${where}`);
    };
    await eventually(
      'the images are released',
      async () => {
        for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
          const text = readArguments(pid);
          if (text.includes(stage.folder) || text.includes('desp')) look(`the arguments of ${text.slice(0, 80)}`, text);
        }
        const { stops } = await deliveryOf('quiet', 'main');
        const release = stops.find((stop) => stop.name === 'release');
        return release?.state === 'passed' ? { done: true } : { not: JSON.stringify(stops) };
      },
      120_000,
    );
    look('platform.log', readFileSync(join(stage.data, 'platform.log'), 'utf8'));
    const record = stage.path('record.json');
    demand(await stage.desp(me, ['release', 'export', 'quiet', '1.0.0', record]), 'release export');
    look('the release record', readFileSync(record, 'utf8'));
    const { id, jobs } = await deliveryOf('quiet', 'main');
    for (const job of jobs) look(`the log of ${job.name}`, (await stage.desp(me, ['delivery', 'logs', id, job.name])).all);
    for (const file of filesBelow(join(stage.data, 'registry')))
      if (statSync(file).size < 64 * 1024 * 1024) look(file, readFileSync(file, 'latin1'));
    expect([...found]).toEqual([]);

    // The same delivery, seen by a reviewer: a verdict of another key, and an image that nobody judged, attached to a good one.
    await attachForgeries(jobs.find((job) => job.images.length)?.images[0]?.digest as string);
  }, 150_000);

  /** What its provider attaches to an image in quarantine convinces nobody, and does not travel into the release project. */
  async function attachForgeries(digest: string): Promise<void> {
    const { admitImage } = await import('../../apps/platform/src/embedded/image-admission.ts');
    const { generateKeyPair, importKeyPair, importPublicKey } = await import('@desp/security');
    const environment = mine.environments[0]!;
    const request = {
      image: `${environment.registry.host}/quiet/web@${digest}`,
      credentials: [{ registry: environment.registry.host, username: me, password: password(me) }],
    };
    const options = { environment: 'e2e', registry: environment.registry };
    const platform = await importPublicKey(readFileSync(join(stage.data, 'keys/platform.pub'), 'utf8'));
    const stranger = await importKeyPair(await generateKeyPair());
    expect((await admitImage({ ...options, trusted: [platform] }, request)).pullReference).toContain(digest);
    await expect(admitImage({ ...options, trusted: [stranger] }, request)).rejects.toThrow(
      /no verdict of the gate that this platform signed/,
    );
    await expect(admitImage({ ...options, environment: 'prod', trusted: [platform] }, request)).rejects.toThrow(/is not run in prod/);
    const unjudged = createHash('sha256').update('nobody').digest('hex');
    await expect(
      admitImage({ ...options, trusted: [platform] }, { ...request, image: `${environment.registry.host}/quiet/web@sha256:${unjudged}` }),
    ).rejects.toThrow();
  }
});

function readArguments(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)],
  );
