import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Config } from '@desp/model';
import { messageOf } from '@desp/runtime';
import { parse, stringify } from 'yaml';
import { PlatformError } from './platform-error.ts';

/** The rehearsal's ports, from one base, so that two rehearsals can stand side by side. */
export const portsFrom = (base: number) => ({
  server: base,
  git: base + 1,
  acme: base + 6,
  management: base + 7,
  quarantine: base + 10,
  environment: (index: number) => ({
    registry: base + 11 + index,
    kubernetes: base + 21 + index,
    vault: base + 31 + index,
    https: base + 41 + index,
    http: base + 51 + index,
  }),
});

export const defaultPort = 7300;

/** The configuration of a rehearsal: every part embedded, E2E entered directly and production by promotion. */
export function rehearsalConfig(data: string, base = defaultPort): Config {
  const folder = resolve(data);
  const ports = portsFrom(base);
  const local = (port: number, scheme = 'http') => `${scheme}://127.0.0.1:${port}`;
  // Networks of two rehearsals on one machine must differ: the third number comes from the first port.
  const block = Math.floor(base / 100) % 256;
  const embedded = (port: number, index: number) => ({
    port,
    podSubnet: `10.${244 - index}.${block}.0/24`,
    serviceSubnet: `10.${96 + index}.${block}.0/24`,
  });
  const environment = (index: number, name: string, title: string, entry: 'direct' | 'promotion') => {
    const own = ports.environment(index);
    return {
      name,
      title,
      domain: `${name}.desp.space`,
      clusterLabels: { customer: name },
      entry,
      registry: { url: local(own.registry), host: `registry-ct.${name}.desp.space` },
      vault: { url: local(own.vault) },
      kubernetes: { kubeconfig: join(folder, 'kubeconfigs', `${name}.yaml`), embedded: embedded(own.kubernetes, index + 1) },
      ingress: { https: local(own.https, 'https'), http: local(own.http) },
    };
  };
  return Config.parse({
    data: folder,
    profile: 'procedure-2023',
    server: { url: local(ports.server) },
    git: { url: local(ports.git) },
    identity: { issuer: `${local(ports.server)}/oidc` },
    database: { url: `pglite:${join(folder, 'database')}` },
    engine: { socket: join(folder, 'engine', 'engine.sock') },
    acme: { directory: `${local(ports.acme)}/directory` },
    management: { kubeconfig: join(folder, 'kubeconfigs', 'management.yaml'), embedded: embedded(ports.management, 0) },
    quarantine: { url: local(ports.quarantine), host: 'registry-ct.build.desp.space' },
    environments: [environment(0, 'e2e', 'End-to-end integration', 'direct'), environment(1, 'prod', 'Production', 'promotion')],
  });
}

export function formatConfig(config: Config): string {
  return `# Where every part of the platform is. An embedded part and a real one differ only in the URL.\n${stringify(config)}`;
}

/** @throws PlatformError CONFIG with the file and what is wrong in it. */
export function readConfig(file: string): Config {
  const wrong = (why: string, cause?: unknown) =>
    new PlatformError('CONFIG', `The configuration ${file} cannot be used: ${why}`, {
      kind: 'user',
      cure: 'Mend the file, or remove it and run desp up to have a new one written.',
      where: { file },
      cause,
    });
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'), { maxAliasCount: 0 });
  } catch (cause) {
    throw wrong(messageOf(cause), cause);
  }
  const parsed = Config.safeParse(value);
  if (!parsed.success) throw wrong(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  return parsed.data;
}
