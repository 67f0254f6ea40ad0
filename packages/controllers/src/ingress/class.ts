import { type Ingress, isKubeError, type KubeClient, type KubeObject, type ResourceType } from '@desp/kube';

export const ingressClassName = 'nginx';
const legacyAnnotation = 'kubernetes.io/ingress.class';
const defaultAnnotation = 'ingressclass.kubernetes.io/is-default-class';

interface IngressClass extends KubeObject {
  spec: { controller: string };
}
export const ingressClassType: ResourceType<IngressClass> = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'ingressclasses',
  kind: 'IngressClass',
  namespaced: false,
};

/** Makes the class `nginx`, the default one; what an operator changed in it stays. */
export async function installIngressClass(client: KubeClient): Promise<void> {
  try {
    await client.create(ingressClassType, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: ingressClassName, annotations: { [defaultAnnotation]: 'true' } },
      spec: { controller: 'k8s.io/ingress-nginx' },
    });
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

/** Ours by class, by the older annotation, or for want of either while `nginx` is the default. */
export function isOurs(ingress: Ingress, nginx: IngressClass | undefined): boolean {
  const named = ingress.spec.ingressClassName ?? ingress.metadata.annotations?.[legacyAnnotation];
  return named === undefined ? nginx?.metadata.annotations?.[defaultAnnotation] === 'true' : named === ingressClassName;
}
