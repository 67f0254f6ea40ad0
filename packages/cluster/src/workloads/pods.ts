import { controllerReference, type KubeClient, type KubeObject, type ObjectMeta, type Pod, type PodTemplate, podType } from '@desp/kube';

/** Creates a pod of the template for its controller; the server completes the name with five characters. */
export function createPod(client: KubeClient, owner: KubeObject, template: PodTemplate, metadata: Partial<ObjectMeta> = {}): Promise<Pod> {
  const labels = { ...template.metadata?.labels, ...metadata.labels };
  const annotations = { ...template.metadata?.annotations, ...metadata.annotations };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(metadata.name === undefined
        ? { generateName: metadata.generateName ?? `${prefixOf(owner.metadata.name)}-` }
        : { name: metadata.name }),
      namespace: owner.metadata.namespace,
      labels,
      annotations: Object.keys(annotations).length > 0 ? annotations : undefined,
      finalizers: template.metadata?.finalizers,
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
  };
  // The name may be the server's to give.
  return client.create(podType, pod as Pod);
}

/** A pod's name is at most 63 characters, so that it fits a host name; five and a dash are the server's. */
function prefixOf(name: string): string {
  return name.slice(0, 57);
}
