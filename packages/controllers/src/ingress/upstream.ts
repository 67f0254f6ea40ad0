import type { Informer, Service } from '@desp/kube';
import type { ResolveService } from '../external-secrets/vault-provider.ts';
import type { RouteBackend } from './types.ts';

export type Upstream = { readonly address: string; readonly port: number } | { readonly missing: string };

/**
 * Where a backend answers now. Only ready endpoints that the cluster vouches for (`resolveService`): a Service that
 * leads outside, by ExternalName or by endpoints written by hand, would let anybody reach the machine's own ports.
 */
export function findUpstream(backend: RouteBackend, services: Informer<Service>, resolveService: ResolveService): Upstream {
  const { namespace, service: name, port } = backend;
  const service = services.get(`${namespace}/${name}`);
  if (service === undefined) return { missing: `the Service ${name} does not exist` };
  if (service.spec.type === 'ExternalName') return { missing: `the Service ${name} is an ExternalName, which is not followed` };
  const wanted = service.spec.ports?.find((one) => (port.name === undefined ? one.port === port.number : one.name === port.name));
  if (wanted === undefined) return { missing: `the Service ${name} has no port ${port.name ?? port.number ?? ''}` };
  return resolveService(`${name}.${namespace}.svc`, wanted.port) ?? { missing: `the Service ${name} has no pod that is ready` };
}
