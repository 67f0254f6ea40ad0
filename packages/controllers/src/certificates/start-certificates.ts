import {
  type Change,
  createEventRecorder,
  createInformerSet,
  type InformerSet,
  ingressType,
  type KubeClient,
  type KubeObject,
  keyOf,
  namespaceType,
  partsOfKey,
  runController,
  secretType,
  source,
} from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import type { AnswerChallenge } from '../ingress/proxy.ts';
import { type CertificateParts, reconcileCertificate } from './certificate-controller.ts';
import { reconcileShim } from './ingress-shim.ts';
import { ownNamespace, reconcileIssuer } from './issuer-controller.ts';
import { certGroup, certificateType, challengeType, clusterIssuerType, issuerType } from './types.ts';

export interface CertificatesOptions {
  readonly client: KubeClient;
  /** URL of the rehearsal's ACME directory; issuers may name no other. */
  readonly acmeDirectory: string;
  /** Names must be below one of these, such as `desp.space` (procedure, section 3.6.5). */
  readonly allowedDomains: readonly string[];
  /** Caches over `client` that are shared with other controllers; default: its own. */
  readonly informers?: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface RunningCertificates {
  /** The key authorization of an open HTTP-01 challenge: what the ingress answers with. */
  readonly answerChallenge: AnswerChallenge;
  /** Resolves when the signal has aborted and all has ended. */
  readonly done: Promise<void>;
}

const backOff = { baseMs: 1000, maxMs: 60_000 };

/**
 * Runs the certificate controllers and installs the ClusterIssuer `letsencrypt-prod`. The definitions of
 * `certificatesCrds` must be installed.
 *
 * @throws KubeError when the cluster does not answer
 */
export async function startCertificates(options: CertificatesOptions): Promise<RunningCertificates> {
  const { client, clock, signal, acmeDirectory, allowedDomains } = options;
  const log = options.log.child({ controller: 'certificates' });
  await installIssuer(client, acmeDirectory);
  const informers = options.informers ?? createInformerSet({ client, clock, log, signal });
  const certificates = informers.of(certificateType);
  certificates.addIndex('secret', ({ metadata, spec }) => [`${metadata.namespace}/${spec.secretName}`]);
  const challenges = informers.of(challengeType);
  challenges.addIndex('token', ({ spec }) => [spec.token]);
  await informers.synced();

  const events = createEventRecorder({ client, component: 'cert-manager', clock, log });
  const parts: CertificateParts = { client, acmeDirectory, allowedDomains, events, clock, signal };
  const common = { client, clock, log: options.log, signal, informers, backOff };
  const controllers = Promise.all([
    runController({
      ...common,
      name: 'clusterissuers',
      sources: [source(clusterIssuerType, (issuer, change) => (isOwnStatus(change) ? [] : [keyOf(issuer)]))],
      reconcile: (key) => reconcileIssuer('ClusterIssuer', key, undefined, parts),
    }),
    runController({
      ...common,
      name: 'issuers',
      sources: [source(issuerType, (issuer, change) => (isOwnStatus(change) ? [] : [keyOf(issuer)]))],
      reconcile: (key) => reconcileIssuer('Issuer', partsOfKey(key).name, partsOfKey(key).namespace, parts),
    }),
    runController({
      ...common,
      name: 'ingress-shim',
      sources: [
        source(ingressType, (ingress, change) => (isOwnStatus(change) ? [] : [keyOf(ingress)])),
        source(certificateType, ({ metadata }, change) => {
          const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Ingress' && controller === true);
          return owner === undefined || isOwnStatus(change) ? [] : [`${metadata.namespace}/${owner.name}`];
        }),
      ],
      reconcile: (key, context) => reconcileShim(key, context, events),
    }),
    runController({
      ...common,
      name: 'certificates',
      sources: [
        source(certificateType, (certificate, change) => (isOwnStatus(change) ? [] : [keyOf(certificate)])),
        source(secretType, (secret) => certificates.byIndex('secret', keyOf(secret)).map(keyOf)),
      ],
      reconcile: (key, context) => reconcileCertificate(key, context, parts),
    }),
  ]);
  return {
    answerChallenge: (host, token) => challenges.byIndex('token', token).find(({ spec }) => spec.dnsName === host)?.spec.key,
    done: controllers.then(() => events.flushed()),
  };
}

function isOwnStatus({ type, object, previous }: Change<KubeObject>): boolean {
  if (type !== 'MODIFIED' || previous === undefined || previous === object) return false;
  const facts = ({ metadata }: KubeObject) =>
    JSON.stringify([metadata.generation, metadata.labels, metadata.annotations, metadata.deletionTimestamp]);
  return facts(object) === facts(previous);
}

/** The issuer that the procedure's annotation names (section 3.6.5), at the rehearsal's own authority. */
async function installIssuer(client: KubeClient, server: string): Promise<void> {
  const apply = { kind: 'apply', fieldManager: certGroup, force: true } as const;
  await client.patch(
    namespaceType,
    ownNamespace,
    undefined,
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ownNamespace } },
    apply,
  );
  const name = 'letsencrypt-prod';
  const solvers = [{ http01: { ingress: { ingressClassName: 'nginx' } } }];
  const issuer = {
    apiVersion: `${certGroup}/v1`,
    kind: 'ClusterIssuer',
    metadata: { name },
    spec: { acme: { server, privateKeySecretRef: { name }, solvers } },
  };
  await client.patch(clusterIssuerType, name, undefined, issuer, apply);
}
