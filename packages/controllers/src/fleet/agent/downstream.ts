import { type KubeClient, KubeError, type KubeObject, listResourceTypes, type ResourceType } from '@desp/kube';

/** What templates see of a cluster: `.Capabilities`. */
export interface Capabilities {
  /** Without leading `v` and without what follows a `+`. */
  readonly kubeVersion: string;
  /** `apps/v1` and `apps/v1/Deployment`, as Helm lists them. */
  readonly apiVersions: readonly string[];
}

/** Asks the cluster; who renders a release record and who applies it must ask the same. */
export async function readCapabilities(client: KubeClient): Promise<Capabilities> {
  const { gitVersion } = (await client.raw('GET', '/version')) as { gitVersion: string };
  const types = await listResourceTypes(client, []);
  const versions = types.flatMap(({ group, version, kind }) => {
    const apiVersion = group === '' ? version : `${group}/${version}`;
    return [apiVersion, `${apiVersion}/${kind}`];
  });
  return { kubeVersion: gitVersion.replace(/^v/, '').replace(/\+.*$/, ''), apiVersions: [...new Set(versions)].sort() };
}

/** An object with where its kind is served. */
export interface Located {
  readonly object: KubeObject;
  readonly type: ResourceType;
}

/**
 * Finds where the objects' kinds are served; those without namespace lose the one that was filled in.
 * @throws KubeError UnknownKind in Helm's words, naming every kind that is not served
 */
export async function locate(client: KubeClient, objects: readonly KubeObject[]): Promise<Located[]> {
  const located: Located[] = [];
  const unknown: string[] = [];
  for (const object of objects) {
    const type = await client.resolve(object.apiVersion, object.kind);
    const { name, namespace = '' } = object.metadata;
    if (!type)
      unknown.push(
        `resource mapping not found for name: "${name}" namespace: "${namespace}" from "": no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
      );
    else located.push({ type, object: type.namespaced ? object : withoutNamespace(object) });
  }
  if (unknown.length > 0) {
    throw new KubeError(
      'UnknownKind',
      `unable to build kubernetes objects from release manifest: ${unknown.length > 1 ? `[${unknown.join(', ')}]` : unknown[0]}\nensure CRDs are installed first`,
      {
        cure: 'Use an apiVersion that the cluster serves (kubectl api-versions).',
      },
    );
  }
  return located;
}

function withoutNamespace(object: KubeObject): KubeObject {
  const { namespace: _none, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** `Kind namespace/name`, or `Kind name`. */
export function describeObject({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ''}${metadata.name}`;
}

/** The same object in whatever version. */
export function identityOf({ apiVersion, kind, metadata }: KubeObject): string {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return [group, kind, metadata.namespace ?? '', metadata.name].join('/');
}
