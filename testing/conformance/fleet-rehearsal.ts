import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '@desp/cluster';
import { installFleet, registerCluster, startFleet, startFleetAgent } from '@desp/controllers';
import { createGitServer, type GitServer } from '@desp/git';
import { createKubeClient, type KubeClient, type KubeObject, secretType } from '@desp/kube';
import { silentLogger, systemClock } from '@desp/runtime';
import { renderDeploymentBounded } from '../../apps/platform/src/releases/render-bounded.ts';

/** Fleet on two embedded API servers and a real Git host, for the tests of this folder. Nothing of it needs root or containers. */

export const hasGit = spawnSync('git', ['--version']).status === 0;
export const project = 'DESP/SAMPLE-APP/sample-app';
export const hosts = { token: 'glpat-fleet-reads-this', admin: 'admin-token-of-the-tests' };

export interface FleetRehearsal {
  readonly management: KubeClient;
  readonly downstream: KubeClient;
  readonly git: GitServer;
  readonly gitUrl: string;
  readonly clusterNamespace: string;
  readonly folder: string;
  readonly kubeconfig: string;
  /** Starts Fleet and the agent; returns how to end them, as a kill would. */
  startControllers(parts?: { agent?: boolean; fleet?: boolean }): () => Promise<void>;
  /** Ends what runs, wherever it is, and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startFleetRehearsal(): Promise<FleetRehearsal> {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-'));
  const git = createGitServer({
    root: join(folder, 'git'),
    authenticate: (_user, password) => (password === hosts.token ? { name: 'fleet' } : undefined),
    authorize: (principal) => (principal ? 'allow' : 'hide'),
  });
  const http = createServer((request, response) => void git.handler(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await git.createRepository(project);
  const start = async (name: string) => {
    const server = await createApiServer({
      name,
      dataFolder: join(folder, name),
      clock: systemClock,
      log: silentLogger,
      adminToken: hosts.admin,
    });
    const { url } = await server.listen(0, ['127.0.0.1']);
    return { server, client: createKubeClient({ server: url, ca: server.certificateAuthority, token: hosts.admin }) };
  };
  const [management, downstream] = await Promise.all([start('management'), start('e2e')]);
  await installFleet(management.client, { clock: systemClock });
  const { namespace: clusterNamespace } = await registerCluster(management.client, { name: 'e2e', labels: { customer: 'e2e' } });
  await management.client.create(secretType, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'gitcredential', namespace: 'fleet-default' },
    type: 'kubernetes.io/basic-auth',
    data: { username: Buffer.from('fleet').toString('base64'), password: Buffer.from(hosts.token).toString('base64') },
  });
  const enders = new Set<() => Promise<void>>();
  const rehearsal: FleetRehearsal = {
    management: management.client,
    downstream: downstream.client,
    git,
    gitUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}/${project}.git`,
    clusterNamespace,
    folder,
    kubeconfig: downstream.server.kubeconfig({ token: hosts.admin, user: 'admin' }),
    startControllers({ agent = true, fleet = true } = {}) {
      const stopping = new AbortController();
      const parts = { clock: systemClock, log: silentLogger, signal: stopping.signal };
      const running = [
        ...(fleet ? [startFleet({ ...parts, client: management.client, gitFolder: join(folder, 'fetched') }).done] : []),
        ...(agent
          ? [
              startFleetAgent({
                ...parts,
                management: management.client,
                downstream: downstream.client,
                clusterNamespace,
                render: renderDeploymentBounded,
              }).done,
            ]
          : []),
      ];
      const end = async () => {
        stopping.abort(new Error('ended by the test'));
        await Promise.all(running);
        enders.delete(end);
      };
      enders.add(end);
      return end;
    },
    async restart() {
      for (const end of [...enders]) await end();
      rehearsal.startControllers();
    },
    async stop() {
      for (const end of [...enders]) await end();
      for (const { client, server } of [management, downstream]) {
        client.close();
        await server.close();
      }
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await git.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rehearsal;
}

/** Looks until `look` gives something, at most `seconds`; the error shows what was seen last. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  seen: () => Promise<unknown> = async () => '',
  seconds = 10,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end)
      throw new Error(`Waited ${seconds} s for ${what}; last seen: ${JSON.stringify(await seen(), null, 1)?.slice(0, 6000)}`);
    await systemClock.sleep(50);
  }
}

export type AnyObject = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown>; data?: Record<string, string> };
