import {
  controllerReference,
  type KubeObject,
  partsOfKey,
  type ReconcileContext,
  type ReconcileResult,
  type Secret,
  secretType,
} from '@desp/kube';
import { messageOf } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { timestamp } from '../external-secrets/conditions.ts';
import { parseDuration } from '../external-secrets/duration.ts';
import { withCondition } from './conditions.ts';
import { clientOfIssuer, type IssuerParts } from './issuer-controller.ts';
import { type Held, makePrivateKey, makeRequest, readHeld } from './key-and-request.ts';
import { acmeGroup, type Certificate, certGroup, certificateRequestType, certificateType, challengeType, orderType } from './types.ts';

export interface CertificateParts extends IssuerParts {
  /** Names must be below one of these, such as `desp.space`. */
  readonly allowedDomains: readonly string[];
}

const supported = new Set([
  'secretName',
  'dnsNames',
  'commonName',
  'issuerRef',
  'renewBefore',
  'privateKey',
  'usages',
  'duration',
  'revisionHistoryLimit',
]);
const note = (name: string): string => `cert-manager.io/${name}`;

/** Sees to it that the Secret of one Certificate holds a valid certificate, and renews it after two thirds of its life. */
export async function reconcileCertificate(key: string, context: ReconcileContext, parts: CertificateParts): Promise<ReconcileResult> {
  const { name, namespace } = partsOfKey(key);
  const { client, clock } = context;
  const certificate = await client.get(certificateType, name, namespace);
  if (certificate === undefined || certificate.metadata.deletionTimestamp !== undefined) return undefined;
  try {
    const names = namesOf(certificate, parts.allowedDomains);
    let secret = await client.get(secretType, certificate.spec.secretName, namespace);
    const why = whyIssue(certificate, names, secret, clock.now());
    const revision = (certificate.status?.revision ?? 0) + (why === undefined ? 0 : 1);
    if (why !== undefined) {
      parts.events.event(certificate, 'Normal', 'Issuing', why);
      await reportIssuing(certificate, why, secret === undefined, context);
      secret = await issue(certificate, names, secret, revision, context, parts);
      parts.events.event(certificate, 'Normal', 'Issuing', 'The certificate has been successfully issued');
    }
    const held = heldBy(secret);
    if (held === undefined)
      throw new ControllerError('UPSTREAM', 'The authority gave a certificate that is not of our key.', { kind: 'upstream' });
    const renewal = renewalTime(certificate, held);
    await reportReady(certificate, held, renewal, revision, context);
    // Timers hold no more than some 24 days.
    return { requeueAfterMs: Math.min(Math.max(1000, renewal.getTime() - clock.now().getTime()), 20 * 24 * 3600_000) };
  } catch (error) {
    await reportFailure(certificate, error, context, parts);
    throw error;
  }
}

function namesOf({ spec, metadata }: Certificate, allowedDomains: readonly string[]): string[] {
  const unknown = Object.keys(spec).filter((field) => !supported.has(field));
  if (unknown.length > 0) {
    throw new ControllerError('NOT_SUPPORTED', `spec.${unknown.join(', spec.')} of the Certificate ${metadata.name} is not supported.`, {
      kind: 'user',
      cure: 'Use dnsNames.',
    });
  }
  const names = [...new Set([...(spec.commonName ? [spec.commonName] : []), ...(spec.dnsNames ?? [])].map((name) => name.toLowerCase()))];
  if (names.length === 0) throw new ControllerError('INVALID', 'spec.dnsNames: a name is required.', { kind: 'user' });
  const foreign = names.find((name) => !allowedDomains.some((domain) => name.endsWith(`.${domain}`)));
  if (foreign !== undefined) {
    throw new ControllerError(
      'NOT_ALLOWED',
      `${foreign} does not end with ${allowedDomains.map((domain) => `.${domain}`).join(' or ')}: no certificate is made for it.`,
      {
        kind: 'user',
        cure: 'Choose a host name of the platform (procedure, section 3.6.5).',
      },
    );
  }
  return names;
}

function heldBy(secret: Secret | undefined): Held | undefined {
  const [certificate = '', key = ''] = ['tls.crt', 'tls.key'].map((name) =>
    Buffer.from(secret?.data?.[name] ?? '', 'base64').toString('utf8'),
  );
  return secret === undefined ? undefined : readHeld(certificate, key);
}

/** In cert-manager's words; undefined: there is no need. */
function whyIssue(certificate: Certificate, names: readonly string[], secret: Secret | undefined, now: Date): string | undefined {
  if (secret === undefined) return 'Issuing certificate as Secret does not exist';
  const held = heldBy(secret);
  if (held === undefined) return 'Issuing certificate as Secret does not contain a usable key pair';
  if (secret.metadata.annotations?.[note('issuer-name')] !== certificate.spec.issuerRef.name)
    return 'Issuing certificate as Secret was previously issued by another issuer';
  if (held.names.toSorted().join() !== names.toSorted().join())
    return 'Fields on existing CertificateRequest resource not up to date: [spec.dnsNames]';
  const renewal = renewalTime(certificate, held);
  return renewal <= now ? `Renewing certificate as renewal was scheduled at ${renewal.toISOString()}` : undefined;
}

/** After two thirds of the certificate's life, or `renewBefore` its end. */
function renewalTime({ spec }: Certificate, { notBefore, notAfter }: Held): Date {
  const life = notAfter.getTime() - notBefore.getTime();
  const before = spec.renewBefore === undefined ? life / 3 : parseDuration(spec.renewBefore);
  return new Date(Math.floor((notAfter.getTime() - Math.min(before, life - 60_000)) / 1000) * 1000);
}

async function issue(
  certificate: Certificate,
  names: readonly string[],
  secret: Secret | undefined,
  revision: number,
  context: ReconcileContext,
  parts: CertificateParts,
): Promise<Secret> {
  const { client } = context;
  const { issuerRef, privateKey, secretName } = certificate.spec;
  const { namespace = '' } = certificate.metadata;
  const kept = privateKey?.rotationPolicy === 'Always' || heldBy(secret) === undefined ? undefined : secret?.data?.['tls.key'];
  const key = kept === undefined ? await makePrivateKey(privateKey) : Buffer.from(kept, 'base64').toString('utf8');
  const csr = await makeRequest(key, names);
  const chain = await order({ certificate, names, csr, revision }, context, parts);
  const annotations = {
    [note('certificate-name')]: certificate.metadata.name,
    [note('issuer-name')]: issuerRef.name,
    [note('issuer-kind')]: issuerRef.kind ?? 'Issuer',
    [note('issuer-group')]: issuerRef.group ?? certGroup,
    [note('alt-names')]: names.join(','),
    [note('common-name')]: names[0] ?? '',
    [note('ip-sans')]: '',
    [note('uri-sans')]: '',
  };
  const fresh: Secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...(secret?.metadata ?? { name: secretName, namespace }),
      labels: { ...secret?.metadata.labels, [`controller.${certGroup}/fao`]: 'true' },
      annotations: { ...secret?.metadata.annotations, ...annotations },
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': Buffer.from(chain).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') },
  };
  return secret === undefined ? client.create(secretType, fresh) : client.replace(secretType, fresh);
}

interface Wanted {
  readonly certificate: Certificate;
  readonly names: readonly string[];
  readonly csr: Uint8Array;
  readonly revision: number;
}

/** Orders over ACME, and keeps CertificateRequest, Order and Challenge as the trace that people look at. */
async function order(
  { certificate, names, csr, revision }: Wanted,
  { client, clock }: ReconcileContext,
  parts: CertificateParts,
): Promise<string> {
  const { name, namespace } = certificate.metadata;
  const { issuerRef } = certificate.spec;
  const request = `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(csr)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE REQUEST-----\n`;
  const base = { request: Buffer.from(request).toString('base64'), issuerRef };
  const recordName = `${name}-${revision}`;
  const metadata = (recordedName: string, owner: KubeObject) => ({
    name: recordedName,
    ...(namespace === undefined ? {} : { namespace }),
    annotations: { [note('certificate-name')]: name, [note('certificate-revision')]: String(revision) },
    ownerReferences: [controllerReference(owner)],
  });
  // A broken-off attempt left its records; each attempt has its own.
  await client.delete(certificateRequestType, recordName, namespace);
  await client.delete(orderType, recordName, namespace);
  const requested = await client.create(certificateRequestType, {
    apiVersion: `${certGroup}/v1`,
    kind: 'CertificateRequest',
    metadata: metadata(recordName, certificate),
    spec: { ...base, usages: ['digital signature', 'key encipherment'] },
  });
  parts.events.event(certificate, 'Normal', 'Requested', `Created new CertificateRequest resource "${recordName}"`);
  const ordered = await client.create(orderType, {
    apiVersion: `${acmeGroup}/v1`,
    kind: 'Order',
    metadata: metadata(recordName, requested),
    spec: { ...base, dnsNames: [...names] },
  });
  const setOrder = (status: object) => client.patch(orderType, recordName, namespace, { status }, { kind: 'merge', subresource: 'status' });
  const setRequest = (status: 'True' | 'False', reason: string, message: string, more: object = {}) => {
    const approved = {
      type: 'Approved',
      status: 'True',
      reason: 'cert-manager.io',
      message: 'Certificate request has been approved by cert-manager.io',
    } as const;
    const conditions = withCondition(withCondition(undefined, approved, clock), { type: 'Ready', status, reason, message }, clock);
    return client.patch(
      certificateRequestType,
      recordName,
      namespace,
      { status: { conditions, ...more } },
      { kind: 'merge', subresource: 'status' },
    );
  };
  const challenges: string[] = [];
  try {
    await setRequest('False', 'Pending', `Waiting on certificate issuance from order ${namespace}/${recordName}: "pending"`);
    const account = await clientOfIssuer(issuerRef, namespace, parts);
    const chain = await account.order({
      names,
      csr,
      onOrder: async (url) => void (await setOrder({ url, state: 'pending' })),
      present: async ({ domain, token, keyAuthorization, url }) => {
        const challengeName = `${recordName}-${challenges.length + 1}`;
        await client.delete(challengeType, challengeName, namespace);
        challenges.push(challengeName);
        await client.create(challengeType, {
          apiVersion: `${acmeGroup}/v1`,
          kind: 'Challenge',
          metadata: metadata(challengeName, ordered),
          spec: { dnsName: domain, token, key: keyAuthorization, type: 'HTTP-01', url, issuerRef },
        });
        const status = { state: 'pending', presented: true };
        await client.patch(challengeType, challengeName, namespace, { status }, { kind: 'merge', subresource: 'status' });
      },
    });
    for (const challenge of challenges) await client.delete(challengeType, challenge, namespace);
    await setOrder({ state: 'valid' });
    await setRequest('True', 'Issued', 'Certificate fetched from issuer successfully', {
      certificate: Buffer.from(chain).toString('base64'),
    });
    return chain;
  } catch (error) {
    const reason = messageOf(error);
    for (const challenge of challenges) {
      await client.patch(
        challengeType,
        challenge,
        namespace,
        { status: { state: 'invalid', reason } },
        { kind: 'merge', subresource: 'status' },
      );
    }
    await setOrder({ state: 'errored', reason });
    await setRequest('False', 'Failed', `Failed to wait for order resource "${recordName}" to become ready: ${reason}`, {
      failureTime: timestamp(clock),
    });
    throw error;
  }
}

async function patchStatus(certificate: Certificate, status: object, { client }: ReconcileContext): Promise<void> {
  const { name, namespace } = certificate.metadata;
  await client.patch(certificateType, name, namespace, { status }, { kind: 'merge', subresource: 'status' });
}

async function reportIssuing(certificate: Certificate, message: string, missing: boolean, context: ReconcileContext): Promise<void> {
  const reason = missing ? 'DoesNotExist' : 'Renewing';
  const issuing = withCondition(certificate.status?.conditions, { type: 'Issuing', status: 'True', reason, message }, context.clock);
  const conditions = missing ? withCondition(issuing, { type: 'Ready', status: 'False', reason, message }, context.clock) : issuing;
  await patchStatus(certificate, { conditions }, context);
}

async function reportReady(
  certificate: Certificate,
  held: Held,
  renewal: Date,
  revision: number,
  context: ReconcileContext,
): Promise<void> {
  const condition = { type: 'Ready', status: 'True', reason: 'Ready', message: 'Certificate is up to date and has not expired' } as const;
  const conditions = withCondition(
    certificate.status?.conditions?.filter(({ type }) => type === 'Ready'),
    condition,
    context.clock,
  );
  const time = (date: Date) => date.toISOString().replace(/\.\d+Z$/, 'Z');
  const status = {
    conditions,
    revision: Math.max(1, revision),
    notBefore: time(held.notBefore),
    notAfter: time(held.notAfter),
    renewalTime: time(renewal),
  };
  const { conditions: before, notAfter, renewalTime: renewalBefore, revision: revisionBefore } = certificate.status ?? {};
  if (
    JSON.stringify([before, notAfter, renewalBefore, revisionBefore]) ===
    JSON.stringify([conditions, status.notAfter, status.renewalTime, status.revision])
  )
    return;
  await patchStatus(certificate, status, context);
}

async function reportFailure(certificate: Certificate, error: unknown, context: ReconcileContext, parts: CertificateParts): Promise<void> {
  const denied = error instanceof ControllerError && error.code === 'NOT_ALLOWED';
  const message = `The certificate request has failed to complete and will be retried: ${messageOf(error)}`;
  const reason = denied ? 'Denied' : 'Failed';
  parts.events.event(certificate, 'Warning', reason, messageOf(error));
  const failed = withCondition(certificate.status?.conditions, { type: 'Issuing', status: 'False', reason, message }, context.clock);
  const valid = certificate.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  const conditions = valid ? failed : withCondition(failed, { type: 'Ready', status: 'False', reason, message }, context.clock);
  if (JSON.stringify(conditions) === JSON.stringify(certificate.status?.conditions)) return;
  await patchStatus(certificate, { conditions, lastFailureTime: timestamp(context.clock) }, context);
}
