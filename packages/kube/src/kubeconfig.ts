import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf } from '@desp/runtime';
import { parse } from 'yaml';
import { z } from 'zod';
import { createKubeClient, type KubeClientOptions } from './client.ts';
import { KubeError } from './errors.ts';
import type { KubeClient } from './types.ts';

const base64 = z.string().transform((text) => Buffer.from(text, 'base64').toString('utf8'));

const Cluster = z.object({
  server: z.string(),
  'certificate-authority-data': base64.optional(),
  'certificate-authority': z.string().optional(),
  'tls-server-name': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
});

const User = z.object({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  'client-certificate-data': base64.optional(),
  'client-certificate': z.string().optional(),
  'client-key-data': base64.optional(),
  'client-key': z.string().optional(),
  exec: z.unknown().optional(),
  'auth-provider': z.unknown().optional(),
  username: z.string().optional(),
});

/** Source: client-go `tools/clientcmd/api/v1`. */
export const Kubeconfig = z.object({
  'current-context': z.string().optional(),
  clusters: z.array(z.object({ name: z.string(), cluster: Cluster })).default([]),
  users: z.array(z.object({ name: z.string(), user: User.nullish().transform((user) => user ?? {}) })).default([]),
  contexts: z
    .array(z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string(), namespace: z.string().optional() }) }))
    .default([]),
});
export type Kubeconfig = z.infer<typeof Kubeconfig>;

/** A kubeconfig is a small file; more is a mistake. */
const maxBytes = 1024 * 1024;

/**
 * What one context of a kubeconfig says about how to reach its cluster.
 *
 * @param text the YAML or JSON; paths in it are taken from `folder` (default: refused, for a text that came from elsewhere
 * must not name files of this machine).
 * @throws KubeError InvalidKubeconfig: unreadable, unknown context, a way of logging in that is not supported (`exec`,
 * `auth-provider`, password), or verification of the server switched off.
 */
export function optionsFromKubeconfig(text: string, context?: string, folder?: string): KubeClientOptions & { namespace: string } {
  const config = parseKubeconfig(text);
  const name = context ?? config['current-context'] ?? '';
  const chosen = config.contexts.find((entry) => entry.name === name)?.context;
  if (chosen === undefined) {
    const names = config.contexts.map((entry) => entry.name).join(', ') || 'none';
    throw bad(`The kubeconfig has no context ${JSON.stringify(name)} (it has: ${names}).`, 'Name one of its contexts.');
  }
  const cluster = config.clusters.find((entry) => entry.name === chosen.cluster)?.cluster;
  const user = config.users.find((entry) => entry.name === chosen.user)?.user;
  if (cluster === undefined || user === undefined) {
    throw bad(`The context ${JSON.stringify(name)} names a cluster or user that the kubeconfig lacks.`, 'Export the kubeconfig anew.');
  }
  if (cluster['insecure-skip-tls-verify']) {
    throw bad(
      `The cluster ${JSON.stringify(chosen.cluster)} is reached without verifying it.`,
      'Put its certificate-authority-data into the kubeconfig.',
    );
  }
  if (user.exec !== undefined || user['auth-provider'] !== undefined || user.username !== undefined) {
    throw bad(
      `The user ${JSON.stringify(chosen.user)} logs in by exec, auth-provider or password.`,
      'Use a token or a client certificate.',
    );
  }
  const file = (path: string): string => {
    if (folder === undefined)
      throw bad(`The kubeconfig names the file ${JSON.stringify(path)}.`, 'Export it with --flatten, so that it carries its data.');
    return readFileSync(resolve(folder, path), 'utf8');
  };
  const either = (data: string | undefined, path: string | undefined) => data ?? (path === undefined ? undefined : file(path));
  const { tokenFile } = user;
  return {
    server: cluster.server,
    serverName: cluster['tls-server-name'],
    ca: either(cluster['certificate-authority-data'], cluster['certificate-authority']),
    clientCertificate: either(user['client-certificate-data'], user['client-certificate']),
    clientKey: either(user['client-key-data'], user['client-key']),
    token: user.token,
    // A token file is renewed by others (a pod's projected token): it is read for each request.
    tokenSource: user.token === undefined && tokenFile !== undefined ? () => file(tokenFile).trim() : undefined,
    namespace: chosen.namespace ?? 'default',
  };
}

/**
 * A client for a kubeconfig, given as text or as `{ file }`.
 *
 * @throws KubeError InvalidKubeconfig as `optionsFromKubeconfig`, and when the file cannot be read.
 */
export function clientFromKubeconfig(
  source: string | { readonly file: string },
  context?: string,
  options: Pick<KubeClientOptions, 'userAgent' | 'fieldManager' | 'timeoutMs'> = {},
): KubeClient {
  if (typeof source === 'string') return createKubeClient({ ...optionsFromKubeconfig(source, context), ...options });
  let text: string;
  try {
    text = readFileSync(source.file, 'utf8');
  } catch (cause) {
    throw bad(`The kubeconfig ${source.file} cannot be read: ${messageOf(cause)}`, 'Check the path.', cause);
  }
  return createKubeClient({ ...optionsFromKubeconfig(text, context, dirname(source.file)), ...options });
}

function parseKubeconfig(text: string): Kubeconfig {
  if (text.length > maxBytes) throw bad(`The kubeconfig is larger than ${maxBytes} bytes.`, 'Give a kubeconfig.');
  try {
    return Kubeconfig.parse(parse(text, { maxAliasCount: 10 }));
  } catch (cause) {
    throw bad(`The kubeconfig cannot be understood: ${messageOf(cause)}`, 'Export the kubeconfig anew.', cause);
  }
}

function bad(message: string, cure: string, cause?: unknown): KubeError {
  return new KubeError('InvalidKubeconfig', message, { cure, cause });
}
