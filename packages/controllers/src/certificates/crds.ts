import type { CustomResourceDefinition, KubeObject, ResourceType } from '@desp/kube';
import { certificateRequestType, certificateType, challengeType, clusterIssuerType, issuerType, orderType } from './types.ts';

/** cert-manager's definitions with the columns that `kubectl get` shows; fields are checked by the controller. */

const ready = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;
const column = (name: string, jsonPath: string, more: object = {}) => ({ name, jsonPath, type: 'string', ...more });
const wide = { priority: 1 };
const age = column('Age', '.metadata.creationTimestamp', { type: 'date' });
const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const issuerColumns = [column('Ready', ready('status')), column('Status', ready('message'), wide), age];

export function certificatesCrds(): CustomResourceDefinition[] {
  return [
    definition(clusterIssuerType, [], issuerColumns),
    definition(issuerType, [], issuerColumns),
    definition(
      certificateType,
      ['cert', 'certs'],
      [
        column('Ready', ready('status')),
        column('Secret', '.spec.secretName'),
        column('Issuer', '.spec.issuerRef.name', wide),
        column('Status', ready('message'), wide),
        age,
      ],
    ),
    definition(
      certificateRequestType,
      ['cr', 'crs'],
      [
        column('Approved', '.status.conditions[?(@.type=="Approved")].status'),
        column('Denied', '.status.conditions[?(@.type=="Denied")].status'),
        column('Ready', ready('status')),
        column('Issuer', '.spec.issuerRef.name'),
        column('Status', ready('message'), wide),
        age,
      ],
    ),
    definition(
      orderType,
      [],
      [column('State', '.status.state'), column('Issuer', '.spec.issuerRef.name', wide), column('Reason', '.status.reason', wide), age],
    ),
    definition(
      challengeType,
      [],
      [column('State', '.status.state'), column('Domain', '.spec.dnsName'), column('Reason', '.status.reason', wide), age],
    ),
  ];
}

function definition(type: ResourceType<KubeObject>, shortNames: string[], additionalPrinterColumns: unknown[]): CustomResourceDefinition {
  const { group, version, plural, kind, namespaced } = type;
  const openAPIV3Schema = {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: anything,
      status: anything,
    },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List`, ...(shortNames.length === 0 ? {} : { shortNames }) },
      versions: [
        { name: version, served: true, storage: true, schema: { openAPIV3Schema }, subresources: { status: {} }, additionalPrinterColumns },
      ],
    },
  };
}
