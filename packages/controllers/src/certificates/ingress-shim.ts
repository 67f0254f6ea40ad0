import {
  controllerReference,
  type EventRecorder,
  type Ingress,
  ingressType,
  isControlledBy,
  partsOfKey,
  type ReconcileContext,
} from '@desp/kube';
import { type Certificate, certGroup, certificateType } from './types.ts';

const annotations = { cluster: 'cert-manager.io/cluster-issuer', own: 'cert-manager.io/issuer' } as const;

export interface ShimPlan {
  readonly certificates: readonly Certificate[];
  /** Reasons of `BadConfig`. */
  readonly problems: readonly string[];
}

/** The Certificates that an Ingress asks for with cert-manager's annotations, one a TLS block, named as its Secret. Pure. */
export function planCertificates(ingress: Ingress): ShimPlan {
  const given = ingress.metadata.annotations ?? {};
  const [cluster, own] = [given[annotations.cluster], given[annotations.own]];
  if (cluster === undefined && own === undefined) return { certificates: [], problems: [] };
  if (cluster !== undefined && own !== undefined) {
    return { certificates: [], problems: [`both ${annotations.cluster} and ${annotations.own} are set; only one may be`] };
  }
  const issuerRef = { name: cluster ?? own ?? '', kind: cluster === undefined ? 'Issuer' : 'ClusterIssuer', group: certGroup };
  const blocks = ingress.spec.tls ?? [];
  const problems: string[] = [];
  const certificates: Certificate[] = [];
  for (const [index, { hosts = [], secretName = '' }] of blocks.entries()) {
    const where = `Skipped a TLS block: spec.tls[${index}]`;
    if (hosts.length === 0) problems.push(`${where}.hosts: Required value`);
    if (secretName === '') problems.push(`${where}.secretName: Required value`);
    const twice = secretName !== '' && blocks.filter((block) => block.secretName === secretName).length > 1;
    if (twice)
      problems.push(
        `${where}.secretName: Invalid value: "${secretName}": this secret name must only appear in a single TLS entry but is also used elsewhere`,
      );
    if (hosts.length === 0 || secretName === '' || twice) continue;
    const { labels, name, namespace = '' } = ingress.metadata;
    if (ingress.metadata.uid === undefined) throw new TypeError(`The Ingress ${name} was never stored.`);
    certificates.push({
      apiVersion: `${certGroup}/v1`,
      kind: 'Certificate',
      metadata: {
        name: secretName,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ownerReferences: [controllerReference(ingress)],
      },
      spec: { dnsNames: hosts, issuerRef, secretName, usages: ['digital signature', 'key encipherment'] },
    });
  }
  return { certificates, problems };
}

/** Makes, updates and removes the Certificates of one Ingress. Those of others are never touched. */
export async function reconcileShim(key: string, { client }: ReconcileContext, events: EventRecorder): Promise<undefined> {
  const { name, namespace } = partsOfKey(key);
  const ingress = await client.get(ingressType, name, namespace);
  if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined) return undefined;
  const { certificates, problems } = planCertificates(ingress);
  for (const problem of problems) events.event(ingress, 'Warning', 'BadConfig', problem);
  const { items } = await client.list(certificateType, namespace === undefined ? {} : { namespace });
  for (const certificate of certificates) {
    const live = items.find(({ metadata }) => metadata.name === certificate.metadata.name);
    if (live === undefined) {
      await client.create(certificateType, certificate);
      events.event(ingress, 'Normal', 'CreateCertificate', `Successfully created Certificate "${certificate.metadata.name}"`);
    } else if (!isControlledBy(live, ingress)) {
      events.event(
        ingress,
        'Warning',
        'BadConfig',
        `The Certificate "${certificate.metadata.name}" belongs to somebody else and is left as it is`,
      );
    } else if (
      JSON.stringify([live.spec, live.metadata.labels ?? {}]) !== JSON.stringify([certificate.spec, certificate.metadata.labels ?? {}])
    ) {
      await client.replace(certificateType, {
        ...live,
        spec: certificate.spec,
        metadata: { ...live.metadata, labels: certificate.metadata.labels ?? {} },
      });
      events.event(ingress, 'Normal', 'UpdateCertificate', `Successfully updated Certificate "${certificate.metadata.name}"`);
    }
  }
  for (const live of items) {
    if (!isControlledBy(live, ingress) || certificates.some(({ metadata }) => metadata.name === live.metadata.name)) continue;
    await client.delete(certificateType, live.metadata.name, namespace);
    events.event(ingress, 'Normal', 'DeleteCertificate', `Successfully deleted unrequired Certificate "${live.metadata.name}"`);
  }
  return undefined;
}
