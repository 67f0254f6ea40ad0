/** One printer column of a CRD. */
interface Column {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer';
  readonly jsonPath: string;
}

const readyMessage: Column = { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].message' };
const text = (name: string, jsonPath: string): Column => ({ name, type: 'string', jsonPath });

const kinds: readonly {
  kind: string;
  plural: string;
  scope: 'Namespaced' | 'Cluster';
  shortNames?: readonly string[];
  columns: readonly Column[];
}[] = [
  {
    kind: 'GitRepo',
    plural: 'gitrepos',
    scope: 'Namespaced',
    columns: [
      text('Repo', '.spec.repo'),
      text('Commit', '.status.commit'),
      text('BundleDeployments-Ready', '.status.display.readyBundleDeployments'),
      readyMessage,
    ],
  },
  {
    kind: 'Bundle',
    plural: 'bundles',
    scope: 'Namespaced',
    columns: [text('BundleDeployments-Ready', '.status.display.readyClusters'), readyMessage],
  },
  {
    kind: 'BundleDeployment',
    plural: 'bundledeployments',
    scope: 'Namespaced',
    columns: [text('Deployed', '.status.display.deployed'), text('Monitored', '.status.display.monitored'), readyMessage],
  },
  {
    kind: 'Cluster',
    plural: 'clusters',
    scope: 'Namespaced',
    columns: [
      text('Bundles-Ready', '.status.display.readyBundles'),
      { name: 'Last-Seen', type: 'string', jsonPath: '.status.agent.lastSeen' },
      readyMessage,
    ],
  },
  {
    kind: 'ClusterGroup',
    plural: 'clustergroups',
    scope: 'Namespaced',
    columns: [text('Clusters-Ready', '.status.display.readyClusters'), text('Bundles-Ready', '.status.display.readyBundles'), readyMessage],
  },
  { kind: 'Content', plural: 'contents', scope: 'Cluster', columns: [] },
];

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const;

/**
 * CustomResourceDefinitions of Fleet's kinds with its printer columns. The schemas are open: Fleet's own are generated from its
 * Go types, and what we read is parsed by this package.
 */
export const fleetCrds = kinds.map(({ kind, plural, scope, columns }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.fleet.cattle.io` },
  spec: {
    group: 'fleet.cattle.io',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    scope,
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        ...(columns.length > 0 ? { additionalPrinterColumns: columns } : {}),
        schema: {
          openAPIV3Schema:
            kind === 'Content'
              ? {
                  type: 'object',
                  properties: { content: { type: 'string', format: 'byte', nullable: true }, sha256sum: { type: 'string' } },
                }
              : { type: 'object', properties: { spec: open, status: open } },
        },
        ...(kind === 'Content' ? {} : { subresources: { status: {} } }),
      },
    ],
  },
}));
