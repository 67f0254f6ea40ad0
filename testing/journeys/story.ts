import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Delivery, GateReport, ServiceView } from '@desp/model';
import { applyFix, commitAll, demand, eventually, git, type Stage, sampleRepository, writeText } from './stage.ts';

/**
 * The story of the first delivery, as the demo shows it and the journey test plays it: one list of steps, real clients only.
 * Each step says in a sentence what it saw.
 */
export interface Step {
  readonly name: string;
  readonly needs: 'nothing' | 'pods';
  readonly run: (stage: Stage, story: Story) => Promise<string>;
  /** What the step does when the story was played here before; default: the same again. */
  readonly again?: (stage: Stage, story: Story) => Promise<string>;
}

/** What earlier steps found out. */
export interface Story {
  service?: ServiceView;
  tree?: string;
  blocked?: Delivery;
  delivered?: Delivery;
  kubeconfig?: string;
  record?: string;
}

const me = 'provider';
const parse = <T>(text: string): T => JSON.parse(text) as T;

export async function newestDelivery(stage: Stage, service: string): Promise<Delivery> {
  const answer = await stage.desp(me, ['delivery', 'list', '--service', service, '--json']);
  demand(answer, 'deliveries are listed');
  const [newest] = parse<{ deliveries: Delivery[] }>(answer.out).deliveries;
  if (!newest) throw new Error('There is no delivery.');
  return newest;
}

async function watch(stage: Stage, id: string, code: number): Promise<Delivery> {
  const answer = await stage.desp(me, ['delivery', 'watch', id, '--json', '--timeout', '400'], { timeoutMs: 420_000 });
  demand(answer, `the delivery ${id} ends with exit code ${code}`, answer.code === code);
  return parse<Delivery>(answer.out);
}

/** The delivery of an earlier play in this state. */
async function earlier(stage: Stage, state: Delivery['state']): Promise<Delivery> {
  const answer = await stage.desp(me, ['delivery', 'list', '--service', 'sample-app', '--json']);
  demand(answer, 'deliveries are listed');
  const found = parse<{ deliveries: Delivery[] }>(answer.out)
    .deliveries.reverse()
    .find((delivery) => delivery.state === state);
  if (!found) throw new Error(`No delivery of the first play is ${state}. Start anew: script/demo --down && script/demo`);
  return found;
}

const stopOf = (delivery: Delivery, name: string) => delivery.stops.find((stop) => stop.name === name);

export async function kubectl(stage: Stage, story: Story, args: readonly string[], timeoutMs = 60_000) {
  return stage.client(me, ['kubectl', '--kubeconfig', story.kubeconfig as string, '-n', 'sample-app', ...args], {
    timeoutMs,
    env: { KUBECACHEDIR: stage.path('kube-cache') },
  });
}

export const steps: readonly Step[] = [
  {
    name: 'The operator starts the rehearsal',
    needs: 'nothing',
    async run(stage) {
      const answer = await stage.desp('operator', ['up', '--data', stage.data, '--port', String(stage.port), '--detach']);
      demand(answer, 'desp up');
      return answer.out.split('\n')[0] as string;
    },
  },
  {
    name: 'People log in with accounts of their own',
    needs: 'nothing',
    async run(stage) {
      const people = ['provider', 'other-provider', 'ivv', 'security', 'operator', 'executive'];
      for (const person of people) demand(await stage.desp(person, ['login', '--as', person]), `${person} logs in`);
      return people.join(', ');
    },
  },
  {
    name: 'Two providers create a service each',
    needs: 'nothing',
    async run(stage, story) {
      const mine = await stage.desp(me, ['service', 'create', 'sample-app', '--json']);
      demand(mine, 'desp service create sample-app');
      story.service = parse<ServiceView>(mine.out);
      demand(await stage.desp('other-provider', ['service', 'create', 'other-app']), 'desp service create other-app');
      return story.service.gitRemote;
    },
  },
  {
    name: 'The S3 credentials go into the secret store of each environment',
    needs: 'nothing',
    async run(stage) {
      for (const environment of ['e2e', 'prod']) {
        const answer = await stage.desp(me, ['secret', 'put', environment, 'sample-app/s3', 'access=-', 'secret=-'], {
          stdin: 'accessForS3\nsecretForS3\n',
        });
        demand(answer, `desp secret put ${environment}`);
      }
      return 'from standard input, never from an argument';
    },
  },
  {
    name: 'The repository keeps the procedure (desp check)',
    needs: 'nothing',
    async run(stage, story) {
      story.tree = await sampleRepository(stage, me, story.service?.gitRemote as string);
      const answer = await stage.desp(me, ['check', story.tree]);
      demand(answer, 'desp check');
      return answer.out.trim().split('\n').at(-1) as string;
    },
    async again(stage, story) {
      story.tree = stage.path('work', 'sample-app');
      const answer = await stage.desp(me, ['check', story.tree]);
      demand(answer, 'desp check');
      return answer.out.trim().split('\n').at(-1) as string;
    },
  },
  {
    name: 'git push starts a delivery',
    needs: 'pods',
    async run(stage, story) {
      const answer = await git(stage, me, story.tree as string, ['push', '--set-upstream', 'origin', 'main']);
      demand(answer, 'the push names its delivery', /Delivery d-\d+/.test(answer.err));
      return /http\S+\/deliveries\/d-\d+/.exec(answer.err)?.[0] ?? '';
    },
    async again(stage, story) {
      const answer = await git(stage, me, story.tree as string, ['push']);
      return answer.err.trim().split('\n').at(-1) as string;
    },
  },
  {
    name: 'The gate finds a published vulnerability and closes',
    needs: 'pods',
    async run(stage, story) {
      const { id } = await newestDelivery(stage, 'sample-app');
      story.blocked = await watch(stage, id, 1);
      const gate = stopOf(story.blocked, 'gate');
      if (gate?.state !== 'failed' || !/CVE-2021-44906/.test(gate.reason))
        throw new Error(`The gate should name CVE-2021-44906: ${JSON.stringify(gate)}`);
      if (stopOf(story.blocked, 'fleet')?.state !== 'skipped') throw new Error('Fleet should not have been reached.');
      return gate.reason.slice(0, 120);
    },
    async again(stage, story) {
      story.blocked = await earlier(stage, 'failed');
      return (stopOf(story.blocked, 'gate')?.reason ?? '').slice(0, 120);
    },
  },
  {
    name: 'What is in quarantine cannot be pulled, and was not released',
    needs: 'pods',
    async run(stage, story) {
      const image = story.blocked?.jobs.find((job) => job.name === 'build-image-a')?.images[0];
      if (!image || !story.service) throw new Error('image-a was not built.');
      const shown = await stage.desp(me, ['gate', 'show', `sample-app/image-a@${image.digest}`, '--json']);
      demand(shown, 'desp gate show says no', shown.code === 1);
      const report = parse<GateReport>(shown.out);
      const password = readFileSync(join(stage.data, 'credentials'), 'utf8').match(/^provider (.+)$/m)?.[1] as string;
      const auth = writeText(
        stage.path('auth.json'),
        JSON.stringify({
          auths: Object.fromEntries(
            [story.service.quarantine.url, story.service.environments[0]?.registry.url as string].map((url) => [
              new URL(url).host,
              { auth: Buffer.from(`provider:${password}`).toString('base64') },
            ]),
          ),
        }),
      );
      const pull = (url: string) =>
        stage.client(me, [
          'skopeo',
          'inspect',
          '--raw',
          '--tls-verify=false',
          '--authfile',
          auth,
          `docker://${new URL(url).host}/sample-app/image-a@${image.digest}`,
        ]);
      const quarantine = await pull(story.service.quarantine.url);
      demand(
        quarantine,
        "quarantine refuses in Harbor's words",
        quarantine.code !== 0 &&
          /current image with \d+ vulnerabilit(y|ies) cannot be pulled due to configured policy/.test(quarantine.err),
      );
      const released = await pull(story.service.environments[0]?.registry.url as string);
      demand(
        released,
        'the release project has no such image',
        released.code !== 0 && /manifest unknown|not found|404/i.test(released.err),
      );
      return `${report.verdicts.length} verdicts; 412 from quarantine, 404 from e2e`;
    },
  },
  {
    name: 'The fix is pushed, judged, released, deployed and runs',
    needs: 'pods',
    async run(stage, story) {
      await applyFix(stage, me, story.tree as string);
      await git(stage, me, story.tree as string, ['push']);
      const { id } = await newestDelivery(stage, 'sample-app');
      story.delivered = await watch(stage, id, 0);
      const blocked = story.delivered.jobs.filter((job) => job.name.startsWith('release-prod'));
      if (blocked.length !== 2 || !blocked.every((job) => job.state === 'blocked'))
        throw new Error('The production jobs should stand blocked.');
      return `${id} passed as ${story.delivered.version}; production waits for a promotion`;
    },
    async again(stage, story) {
      story.delivered = await earlier(stage, 'passed');
      return `${story.delivered.id} passed as ${story.delivered.version} before`;
    },
  },
  {
    name: 'The service answers over HTTPS at its own name',
    needs: 'pods',
    async run(stage, story) {
      const environment = story.service?.environments[0];
      if (!environment) throw new Error('No environment.');
      const status = parse<{ parts: { name: string; url: string }[] }>((await stage.desp(me, ['status', '--json'])).out);
      const port = new URL(status.parts.find((part) => part.name === 'e2e ingress')?.url as string).port;
      const ca = join(stage.data, 'ca', 'root.pem');
      const page: string = await eventually<string>('the page', async () => {
        const answer = await stage.client(me, [
          'curl',
          '--silent',
          '--show-error',
          '--fail',
          '--max-time',
          '10',
          '--cacert',
          ca,
          '--resolve',
          `${environment.hostName}:${port}:127.0.0.1`,
          `https://${environment.hostName}:${port}/`,
        ]);
        return answer.code === 0 ? { done: answer.out } : { not: answer.all };
      });
      if (!/Hello from DESP, end to end/.test(page)) throw new Error(`The page says: ${page.slice(0, 400)}`);
      return `https://${environment.hostName}:${port}/ with a certificate of the rehearsal's CA`;
    },
  },
  {
    name: "The procedure's tables hold (sections 3.6.2.2 and 3.6.3, kubectl)",
    needs: 'pods',
    async run(stage, story) {
      const config = await stage.desp(me, ['kubeconfig', 'e2e']);
      demand(config, 'desp kubeconfig e2e');
      story.kubeconfig = writeText(stage.path('e2e.yaml'), config.out);
      const table = await kubectl(stage, story, ['get', 'externalsecrets.external-secrets.io']);
      demand(
        table,
        "the external secrets' table",
        /^NAME +STORE +REFRESH INTERVAL +STATUS +READY$/m.test(table.out) &&
          /^pull-secret +vault-backend +1m +SecretSynced +True$/m.test(table.out),
      );
      const pull = await kubectl(stage, story, ['get', 'secrets', 'harbor-image-pull']);
      demand(
        pull,
        "the pull secret's table",
        /^NAME +TYPE +DATA +AGE$/m.test(pull.out) && /^harbor-image-pull +kubernetes.io\/dockerconfigjson +1 /m.test(pull.out),
      );
      const secret = parse<{ data: Record<string, string>; immutable?: boolean; metadata: { annotations: Record<string, string> } }>(
        (await kubectl(stage, story, ['get', 'secret', 'sample-app-s3-secret', '-o', 'json'])).out,
      );
      if (secret.data['access'] !== 'YWNjZXNzRm9yUzM=' || secret.data['secret'] !== 'c2VjcmV0Rm9yUzM=')
        throw new Error(`The Secret holds ${JSON.stringify(Object.keys(secret.data))}.`);
      if (secret.metadata.annotations['reconcile.external-secrets.io/data-hash'] !== '5a1c1f22b3445c1634a94757f72bede1')
        throw new Error(`The data hash is ${secret.metadata.annotations['reconcile.external-secrets.io/data-hash']}.`);
      const claims = await kubectl(stage, story, ['get', 'pvc']);
      demand(claims, 'the claim is bound', /^sample-app-data +Bound /m.test(claims.out));
      const shell = await kubectl(stage, story, ['exec', 'deploy/sample-app-image-a', '--', 'sh', '-c', 'echo $S3_ACCESS_KEY_VALUE']);
      demand(shell, 'the pod has its credentials', shell.out.trim() === 'accessForS3');
      return 'SecretSynced, data hash 5a1c1f22…, accessForS3 in the pod, claim bound';
    },
  },
  {
    name: 'The release record verifies offline, and not when a byte changed',
    needs: 'pods',
    async run(stage, story) {
      const version = story.delivered?.version as string;
      story.record = stage.path(`sample-app-${version}.json`);
      const key = join(stage.data, 'keys', 'platform.pub');
      demand(await stage.desp(me, ['release', 'export', 'sample-app', version, story.record]), 'desp release export');
      demand(await stage.desp(me, ['release', 'verify', story.record, '--key', key]), 'desp release verify');
      const bytes = readFileSync(story.record);
      for (const at of [0, Math.floor(bytes.length / 3), Math.floor(bytes.length / 2), bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] as number) ^ 1;
        writeFileSync(stage.path('changed.json'), changed);
        const answer = await stage.desp(me, ['release', 'verify', stage.path('changed.json'), '--key', key]);
        demand(answer, `byte ${at} changed: refused`, answer.code === 1);
      }
      return `${bytes.length} bytes: commit, tag, digests, SBOMs, verdicts, manifests`;
    },
  },
  {
    name: 'Tags stay: Git, registry, version',
    needs: 'pods',
    async run(stage, story) {
      const tree = story.tree as string;
      await git(stage, me, tree, ['fetch', '--quiet', '--tags', 'origin']);
      const moved = await stage.client(me, ['git', '-C', tree, 'push', '--force', 'origin', 'HEAD~1:refs/tags/1.0.1']);
      demand(moved, 'a Git tag cannot be moved', moved.code !== 0 && /tag/i.test(moved.err));
      const gone = await stage.client(me, ['git', '-C', tree, 'push', 'origin', '--delete', '1.0.1']);
      demand(gone, 'a Git tag cannot be deleted', gone.code !== 0);
      writeFileSync(join(tree, 'README.md'), '# Sample App\n\nAnother text under the same version.\n');
      await commitAll(stage, me, tree, 'Same version, other content');
      await git(stage, me, tree, ['push']);
      const { id } = await newestDelivery(stage, 'sample-app');
      const again = await watch(stage, id, 1);
      const release = stopOf(again, 'release');
      if (release?.state !== 'failed') throw new Error(`A released version must not change: ${JSON.stringify(again.stops)}`);
      return release.reason.slice(0, 120);
    },
    async again(stage, story) {
      const moved = await stage.client(me, ['git', '-C', story.tree as string, 'push', '--force', 'origin', 'HEAD~1:refs/tags/1.0.1']);
      demand(moved, 'a Git tag cannot be moved', moved.code !== 0 && /tag/i.test(moved.err));
      return 'the tag 1.0.1 cannot be moved';
    },
  },
  {
    name: 'The other provider sees nothing of it',
    needs: 'nothing',
    async run(stage, story) {
      const other = 'other-provider';
      const shown = await stage.desp(other, ['service', 'show', 'sample-app']);
      demand(shown, 'the API answers as if there were none', shown.code === 1 && /There is no service sample-app/.test(shown.all));
      const cloned = await stage.client(other, [
        'git',
        '-c',
        'credential.helper=!desp git-credential',
        'clone',
        '--quiet',
        story.service?.gitRemote as string,
        stage.path('stolen'),
      ]);
      demand(cloned, 'Git answers as if there were none', cloned.code !== 0 && /not found/i.test(cloned.err));
      const written = await stage.desp(other, ['secret', 'put', 'e2e', 'sample-app/s3', 'access=-'], { stdin: 'x\n' });
      demand(written, 'secrets cannot be written', written.code === 1);
      const config = await stage.desp(other, ['kubeconfig', 'e2e']);
      demand(config, 'their own kubeconfig');
      const file = writeText(stage.path('other.yaml'), config.out);
      for (const what of ['secrets', 'pods']) {
        const answer = await stage.client(other, ['kubectl', '--kubeconfig', file, '-n', 'sample-app', 'get', what], {
          env: { KUBECACHEDIR: stage.path('other-cache') },
        });
        demand(answer, `kubectl get ${what} is forbidden`, answer.code !== 0 && /forbidden/i.test(answer.err));
      }
      return 'API, Git, secrets and cluster answer 404 or forbidden';
    },
  },
];
