import type { ServiceView } from '@desp/model';

/** A service as a person reads it: where everything is, and what to do next. */
export function describeService(service: ServiceView): string {
  const lines = [
    `Service     ${service.name} (of ${service.provider})`,
    `Git         ${service.gitRemote}`,
    `Quarantine  ${service.quarantine.url} project ${service.quarantine.project}`,
  ];
  for (const environment of service.environments) {
    lines.push(
      '',
      `${environment.name}${environment.entry === 'promotion' ? ' (by promotion)' : ''}`,
      `  images     ${environment.imagePrefix}/…  (${environment.registry.url})`,
      `  namespace  ${environment.namespace} on ${environment.cluster.server}`,
      `  secrets    path ${environment.secrets.path}, role ${environment.secrets.role}, pull secret at ${environment.secrets.path}/${environment.secrets.pullSecret}`,
      `  host name  ${environment.hostName}`,
      `  open it    ${environment.curl}`,
    );
  }
  return `${lines.join('\n')}\n\nNext:\n${service.next.map((step) => `  ${step}`).join('\n')}\n`;
}
