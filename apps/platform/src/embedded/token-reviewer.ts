import type { KubeClient, KubeObject } from '@desp/kube';
import { type Clock, type Logger, messageOf, registerSecret } from '@desp/runtime';
import type { VaultClient } from '@desp/vault';

const account = { name: 'vault', namespace: 'vault' } as const;
/** Seconds that a reviewer's token is asked to live; the API server may give less. */
const lifeSeconds = 24 * 3600;
/** A token is replaced when a quarter of its life is over: three tries are left before logins fail. */
const renewAfter = 0.25;
const lookEveryMs = 60_000;

/** The account with which the secret store asks the cluster who a pod is; services need no right for it. */
export const reviewerAccount: readonly (KubeObject & Record<string, unknown>)[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...account } },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'vault-token-reviewer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  },
];

export interface Reviewed {
  readonly vault: VaultClient;
  readonly kube: KubeClient;
  readonly certificateAuthority: string;
}

/**
 * Gives the secret store a token of that account (`vault write auth/kubernetes/config token_reviewer_jwt=…`) and replaces it in
 * time; a machine that slept finds out within a minute.
 *
 * @returns how to stop
 */
export async function keepReviewer(reviewed: Reviewed, { clock, log }: { clock: Clock; log: Logger }): Promise<() => Promise<void>> {
  let renewAt = await setReviewer(reviewed, clock);
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(lookEveryMs, stopping.signal).catch(() => {});
      if (stopping.signal.aborted || clock.now().getTime() < renewAt) continue;
      try {
        renewAt = await setReviewer(reviewed, clock);
      } catch (error) {
        log.warn({ vault: reviewed.vault.url, error: messageOf(error) }, 'The token reviewer could not be renewed; it is tried again.');
      }
    }
  })();
  return async () => {
    stopping.abort();
    await running;
  };
}

/** @returns when the token is to be replaced, in milliseconds of the epoch */
async function setReviewer({ vault, kube, certificateAuthority }: Reviewed, clock: Clock): Promise<number> {
  const asked = clock.now().getTime();
  const { status } = (await kube.raw('POST', `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: lifeSeconds },
  })) as { status: { token: string; expirationTimestamp: string } };
  registerSecret(status.token);
  await vault.kubernetes().configure({ host: kube.server, caCertificate: certificateAuthority, reviewerToken: status.token });
  return asked + (Date.parse(status.expirationTimestamp) - asked) * renewAfter;
}
