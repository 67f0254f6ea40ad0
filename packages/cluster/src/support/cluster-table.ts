import { fields, type StructTable } from './treatment.ts';

/** Nodes, namespaces, accounts, rights, configuration and definitions: what the server itself and the scheduler read. */
export const clusterTable: StructTable = {
  Namespace: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  NamespaceSpec: { acts: fields('finalizers') },
  Node: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  NodeSpec: {
    acts: fields('taints unschedulable'),
    inert: fields('externalID podCIDR podCIDRs providerID'),
    ignored: { configSource: 'Kubernetes removed it' },
  },
  Taint: {
    acts: fields('effect key value'),
    inert: fields('timeAdded'),
  },
  ConfigMap: { acts: fields('binaryData data immutable'), inert: fields('apiVersion kind metadata') },
  Secret: { acts: fields('data immutable stringData type'), inert: fields('apiVersion kind metadata') },
  ServiceAccount: {
    acts: fields('automountServiceAccountToken imagePullSecrets'),
    inert: fields('apiVersion kind metadata secrets'),
  },
  Role: { acts: fields('rules'), inert: fields('apiVersion kind metadata') },
  ClusterRole: { acts: fields('aggregationRule rules'), inert: fields('apiVersion kind metadata') },
  AggregationRule: { acts: fields('clusterRoleSelectors') },
  PolicyRule: { acts: fields('apiGroups nonResourceURLs resourceNames resources verbs') },
  RoleBinding: { acts: fields('roleRef subjects'), inert: fields('apiVersion kind metadata') },
  ClusterRoleBinding: { acts: fields('roleRef subjects'), inert: fields('apiVersion kind metadata') },
  RoleRef: { acts: fields('apiGroup kind name') },
  Subject: { acts: fields('apiGroup kind name namespace') },
  CustomResourceDefinition: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  CustomResourceDefinitionSpec: { acts: fields('conversion group names preserveUnknownFields scope versions') },
  CustomResourceConversion: {
    refused: {
      strategy: { reason: '`Webhook`: versions of a kind differ in their name only', example: 'Webhook', by: 'server' },
      webhook: { reason: 'no webhook is ever called', example: { conversionReviewVersions: ['v1'] }, by: 'server' },
    },
  },
  CustomResourceDefinitionNames: { acts: fields('categories kind listKind plural shortNames singular') },
  CustomResourceDefinitionVersion: {
    acts: fields('additionalPrinterColumns deprecated deprecationWarning name schema selectableFields served storage subresources'),
  },
  CustomResourceColumnDefinition: { acts: fields('description format jsonPath name priority type') },
  CustomResourceValidation: { acts: fields('openAPIV3Schema') },
  CustomResourceSubresources: { acts: fields('scale status') },
  CustomResourceSubresourceScale: { acts: fields('labelSelectorPath specReplicasPath statusReplicasPath') },
  SelectableField: { acts: fields('jsonPath') },
  JSONSchemaProps: {
    acts: fields(`additionalProperties allOf anyOf default description enum exclusiveMaximum exclusiveMinimum format items maxItems
      maxLength maxProperties maximum minItems minLength minProperties minimum multipleOf not nullable oneOf pattern properties required
      type uniqueItems x-kubernetes-embedded-resource x-kubernetes-int-or-string x-kubernetes-list-map-keys x-kubernetes-list-type
      x-kubernetes-map-type x-kubernetes-preserve-unknown-fields`),
    inert: fields('$schema example externalDocs id title'),
    ignored: {
      $ref: 'Kubernetes refuses references',
      additionalItems: 'Kubernetes refuses it',
      definitions: 'Kubernetes refuses definitions',
      dependencies: 'Kubernetes refuses dependencies',
      patternProperties: 'Kubernetes refuses patternProperties',
      'x-kubernetes-validations': 'CEL rules are not evaluated; the rest of the schema is',
    },
  },
};
