import { fields, type StructTable } from './treatment.ts';

const noBalancer = 'there is no load balancer; the Service is reachable inside the cluster';

/** Services and Ingresses: what the proxy, the DNS server and the platform's ingress controller read. */
export const networkTable: StructTable = {
  Service: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  ServiceSpec: {
    acts: fields('clusterIP clusterIPs externalName ports publishNotReadyAddresses selector'),
    inert: fields('externalTrafficPolicy internalTrafficPolicy'),
    ignored: {
      allocateLoadBalancerNodePorts: noBalancer,
      externalIPs: 'nothing listens on these addresses',
      healthCheckNodePort: noBalancer,
      ipFamilies: { except: ['IPv4'], reason: 'Services have IPv4 addresses only' },
      ipFamilyPolicy: { except: ['SingleStack', 'PreferDualStack'], reason: 'Services have IPv4 addresses only' },
      loadBalancerClass: noBalancer,
      loadBalancerIP: noBalancer,
      loadBalancerSourceRanges: noBalancer,
      sessionAffinity: { except: ['None'], reason: 'connections go to the ready endpoints in turn' },
      sessionAffinityConfig: 'connections go to the ready endpoints in turn',
      trafficDistribution: 'there is one node',
      type: {
        only: ['NodePort', 'LoadBalancer'],
        reason: 'no port of the machine is opened and there is no load balancer; the Service is reachable inside the cluster',
      },
    },
  },
  ServicePort: {
    acts: fields('appProtocol name port targetPort'),
    inert: fields('nodePort'),
    ignored: { protocol: { except: ['TCP'], reason: 'only TCP is carried' } },
  },
  Endpoints: { acts: fields('subsets'), inert: fields('apiVersion kind metadata') },
  EndpointSubset: { acts: fields('addresses notReadyAddresses ports') },
  EndpointAddress: { acts: fields('hostname ip'), inert: fields('nodeName targetRef') },
  'EndpointSubset.ports': { acts: fields('name port'), inert: fields('appProtocol protocol') },
  Ingress: { acts: fields('spec'), inert: fields('apiVersion kind metadata status') },
  IngressSpec: { acts: fields('defaultBackend ingressClassName rules tls') },
  IngressBackend: { acts: fields('service'), ignored: { resource: 'only Services are served' } },
  IngressServiceBackend: { acts: fields('name port') },
  ServiceBackendPort: { acts: fields('name number') },
  IngressRule: { acts: fields('host http') },
  HTTPIngressRuleValue: { acts: fields('paths') },
  HTTPIngressPath: { acts: fields('backend path pathType') },
  IngressTLS: { acts: fields('hosts secretName') },
  IngressClass: { acts: fields('spec'), inert: fields('apiVersion kind metadata') },
  IngressClassSpec: { acts: fields('controller'), ignored: { parameters: 'the controller takes no parameters' } },
};
