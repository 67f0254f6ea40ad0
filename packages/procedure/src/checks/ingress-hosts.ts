import { at, listOf, type Manifest, manifestsOf } from '../manifests.ts';
import type { Found } from '../report.ts';
import type { Check } from './check.ts';

export const ingressHosts: Check = {
  id: 'ingress-hosts',
  title: 'Every public host name ends in a domain of the platform.',
  requirements: ['SHALL-3.6.5.1'],
  run: (subject) =>
    manifestsOf(subject)
      .filter(({ kind }) => kind === 'Ingress')
      .flatMap(judge),
};

function judge({ object, name, file, environment }: Manifest): Found[] {
  const rules = listOf(at(object, 'spec', 'rules')).map((rule) => at(rule, 'host'));
  const tls = listOf(at(object, 'spec', 'tls')).flatMap((entry) => listOf(at(entry, 'hosts')));
  const hosts = new Set([...rules, ...tls].map((host) => (typeof host === 'string' ? host : '')));
  const domains = environment.allowedDomains.join(' or ');
  return [...hosts]
    .filter((host) => !environment.allowedDomains.some((domain) => host.endsWith(`.${domain}`)))
    .map((host) => ({
      severity: 'error',
      message:
        host === '' ? `Ingress ${name} has a rule for every host.` : `Ingress ${name} has the host ${host}, which is not in ${domains}.`,
      file,
      environments: [environment.name],
      cure: `Use a host name that ends in .${environment.allowedDomains[0]} in ${environment.valuesFile}.`,
    }));
}
