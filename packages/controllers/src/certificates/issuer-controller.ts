import { type AcmeClient, createAcmeClient } from '@desp/acme';
import { type EventRecorder, isKubeError, type KubeClient, secretType } from '@desp/kube';
import { type Clock, messageOf } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { withCondition } from './conditions.ts';
import { makePrivateKey } from './key-and-request.ts';
import { clusterIssuerType, type Issuer, type IssuerReference, issuerType } from './types.ts';

export interface IssuerParts {
  readonly client: KubeClient;
  /** The only authority that issuers may name: a rehearsal asks nobody outside. */
  readonly acmeDirectory: string;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Where Secrets of cluster-wide issuers lie. */
export const ownNamespace = 'cert-manager';

/** Registers the issuer's account and says in its Ready condition whether it can be used. */
export async function reconcileIssuer(
  kind: 'ClusterIssuer' | 'Issuer',
  name: string,
  namespace: string | undefined,
  parts: IssuerParts,
): Promise<undefined> {
  const { client, clock, events } = parts;
  const type = kind === 'Issuer' ? issuerType : clusterIssuerType;
  const issuer = await client.get(type, name, namespace);
  if (issuer === undefined) return undefined;
  const report = async (condition: { status: 'True' | 'False'; reason: string; message: string }, acme?: { uri: string }) => {
    const conditions = withCondition(issuer.status?.conditions, { type: 'Ready', ...condition }, clock);
    if (JSON.stringify(conditions) === JSON.stringify(issuer.status?.conditions)) return;
    await client.patch(
      type,
      name,
      namespace,
      { status: { conditions, ...(acme ? { acme } : {}) } },
      { kind: 'merge', subresource: 'status' },
    );
  };
  try {
    const uri = await (await accountOf(issuer, parts)).register(issuer.spec.acme?.email ? [`mailto:${issuer.spec.acme.email}`] : []);
    const message = 'The ACME account was registered with the ACME server';
    await report({ status: 'True', reason: 'ACMEAccountRegistered', message }, { uri });
  } catch (error) {
    const reason = error instanceof ControllerError && error.code === 'NOT_SUPPORTED' ? 'NotSupported' : 'ErrRegisterACMEAccount';
    events.event(issuer, 'Warning', reason, messageOf(error));
    await report({ status: 'False', reason, message: messageOf(error) });
    throw error;
  }
  return undefined;
}

/** A client with the account of an issuer that a Certificate names. @throws ControllerError NOT_FOUND, NOT_READY */
export async function clientOfIssuer(reference: IssuerReference, namespace: string | undefined, parts: IssuerParts): Promise<AcmeClient> {
  const { kind = 'Issuer', name } = reference;
  const issuer = await (kind === 'ClusterIssuer'
    ? parts.client.get(clusterIssuerType, name)
    : parts.client.get(issuerType, name, namespace));
  if (issuer === undefined) {
    throw new ControllerError('NOT_FOUND', `Referenced "${kind}" not found: ${kind.toLowerCase()}.cert-manager.io "${name}" not found`, {
      kind: 'user',
    });
  }
  const account = await accountOf(issuer, parts);
  await account.register(issuer.spec.acme?.email ? [`mailto:${issuer.spec.acme.email}`] : []);
  return account;
}

async function accountOf(issuer: Issuer, { client, acmeDirectory, clock, signal }: IssuerParts): Promise<AcmeClient> {
  const { acme } = issuer.spec;
  if (acme === undefined || acme.server !== acmeDirectory) {
    const what =
      acme === undefined
        ? 'only ACME issuers are supported'
        : `the ACME server ${acme.server} is not the rehearsal's own, ${acmeDirectory}`;
    throw new ControllerError('NOT_SUPPORTED', `The ${issuer.kind} ${issuer.metadata.name} is not supported: ${what}.`, {
      kind: 'user',
      cure: 'Use the ClusterIssuer letsencrypt-prod.',
    });
  }
  const namespace = issuer.metadata.namespace ?? ownNamespace;
  const { name, key = 'tls.key' } = acme.privateKeySecretRef;
  const read = async () => (await client.get(secretType, name, namespace))?.data?.[key];
  let stored = await read();
  if (stored === undefined) {
    const data = { [key]: Buffer.from(await makePrivateKey({ algorithm: 'ECDSA' })).toString('base64') };
    try {
      await client.create(secretType, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', data });
      stored = data[key];
    } catch (error) {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
      stored = await read();
    }
  }
  if (stored === undefined) throw new ControllerError('NOT_FOUND', `The Secret ${namespace}/${name} has no key ${key}.`, { kind: 'user' });
  return createAcmeClient({ directory: acme.server, accountKey: Buffer.from(stored, 'base64').toString('utf8'), clock, signal });
}
