import { join } from 'node:path';
import { type Config, ServiceName, type ServiceView } from '@desp/model';
import { PlatformError } from '../platform-error.ts';

/** How everything that belongs to a service is called; sections 3.2, 3.3 and 3.6.2 of the procedure. */
export function parseServiceName(text: string): ServiceName {
  const parsed = ServiceName.safeParse(text);
  if (!parsed.success) {
    throw new PlatformError(
      'INVALID',
      `${JSON.stringify(text.slice(0, 80))} cannot be a service's name: ${parsed.error.issues[0]?.message}.`,
      {
        kind: 'user',
        cure: 'It names a namespace, too; sample-app is a good one.',
      },
    );
  }
  if (reserved.has(parsed.data) || parsed.data.startsWith('kube-') || parsed.data.startsWith('cattle-')) {
    throw new PlatformError('INVALID', `The name ${parsed.data} is the platform's own.`, { kind: 'user', cure: 'Choose another.' });
  }
  return parsed.data;
}

const reserved = new Set([
  'default',
  'vault',
  'desp',
  'fleet-default',
  'fleet-local',
  'library',
  'sys',
  'auth',
  'cert-manager',
  'external-secrets',
]);

/** DESP/SAMPLE-APP/sample-app: group, the service's own group, the project (section 3.2). */
export const repositoryOf = (service: string): string => `DESP/${service.toUpperCase()}/${service}`;
export const roleOf = (service: string): string => `${service}-read`;
export const pullSecretName = 'pull-secret';

export function describeService(
  config: Config,
  row: { name: string; company: string; repository: string; created_at: string; created_by: string },
  servers: ReadonlyMap<string, string>,
): ServiceView {
  const gitRemote = `${config.git.url}/${row.repository}.git`;
  const first = config.environments.find((environment) => environment.entry === 'direct') ?? config.environments[0];
  return {
    name: row.name,
    provider: row.company,
    repository: row.repository,
    gitRemote,
    quarantine: { url: config.quarantine.url, host: config.quarantine.host, project: row.name },
    environments: config.environments.map((environment) => ({
      name: environment.name,
      namespace: row.name,
      imagePrefix: `${environment.registry.host}/${row.name}`,
      registry: { url: environment.registry.url, host: environment.registry.host, project: row.name },
      secrets: { url: environment.vault.url, path: row.name, role: roleOf(row.name), pullSecret: pullSecretName },
      cluster: { server: servers.get(environment.name) ?? '', labels: environment.clusterLabels },
      domain: environment.domain,
      hostName: `${row.name}.${environment.domain}`,
      curl: curlLine(config, `${row.name}.${environment.domain}`, new URL(environment.ingress.https)),
      entry: environment.entry,
    })),
    createdAt: row.created_at as ServiceView['createdAt'],
    createdBy: row.created_by,
    next: [
      `git init ${row.name} && cd ${row.name}   (or take examples/sample-app as a pattern)`,
      `git remote add origin ${gitRemote}`,
      `git config credential.helper '!desp git-credential'`,
      ...(first ? [`printf 'VALUE\\n' | desp secret put ${first.name} ${row.name}/NAME KEY=-   (when the service needs secrets)`] : []),
      'desp check',
      'git push -u origin main, then: desp delivery watch',
    ],
  };
}

/** Names of the platform are in no DNS of this machine: curl is told where they are, and whose certificates to trust. */
function curlLine(config: Config, host: string, ingress: URL): string {
  return `curl --cacert ${join(config.data, 'ca', 'root.pem')} --resolve ${host}:${ingress.port}:${ingress.hostname} https://${host}:${ingress.port}/`;
}
