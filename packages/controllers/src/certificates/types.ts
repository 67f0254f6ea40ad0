import type { KubeObject, KubeResource, ResourceType } from '@desp/kube';

/** cert-manager's objects as far as they are acted upon here. */

export interface CertificateCondition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration?: number;
}
interface Conditions {
  conditions?: CertificateCondition[];
}
export interface IssuerReference {
  name: string;
  kind?: string;
  group?: string;
}

export type Issuer = KubeResource<
  { acme?: { server: string; email?: string; privateKeySecretRef: { name: string; key?: string }; solvers?: unknown[] } },
  Conditions & { acme?: { uri?: string } }
>;
export type Certificate = KubeResource<
  {
    secretName: string;
    dnsNames?: string[];
    commonName?: string;
    issuerRef: IssuerReference;
    renewBefore?: string;
    privateKey?: { algorithm?: 'RSA' | 'ECDSA' | 'Ed25519'; size?: number; rotationPolicy?: 'Never' | 'Always' };
    usages?: string[];
    [unsupported: string]: unknown;
  },
  Conditions & { notBefore?: string; notAfter?: string; renewalTime?: string; revision?: number; lastFailureTime?: string | null }
>;
export type CertificateRequest = KubeResource<
  { request: string; issuerRef: IssuerReference; usages?: string[] },
  Conditions & { certificate?: string; failureTime?: string }
>;
export type Order = KubeResource<
  { request: string; issuerRef: IssuerReference; dnsNames: string[] },
  { state?: string; url?: string; reason?: string }
>;
export type Challenge = KubeResource<
  { dnsName: string; token: string; key: string; type: 'HTTP-01'; url: string; issuerRef: IssuerReference },
  { state?: string; presented?: boolean; reason?: string }
>;

const typeOf = <T extends KubeObject>(group: string, plural: string, kind: string, namespaced = true): ResourceType<T> => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced,
});
export const certGroup = 'cert-manager.io';
export const acmeGroup = 'acme.cert-manager.io';
export const clusterIssuerType = typeOf<Issuer>(certGroup, 'clusterissuers', 'ClusterIssuer', false);
export const issuerType = typeOf<Issuer>(certGroup, 'issuers', 'Issuer');
export const certificateType = typeOf<Certificate>(certGroup, 'certificates', 'Certificate');
export const certificateRequestType = typeOf<CertificateRequest>(certGroup, 'certificaterequests', 'CertificateRequest');
export const orderType = typeOf<Order>(acmeGroup, 'orders', 'Order');
export const challengeType = typeOf<Challenge>(acmeGroup, 'challenges', 'Challenge');
