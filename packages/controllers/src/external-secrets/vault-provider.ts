import { isKubeError, type KubeClient, secretType, serviceType } from '@desp/kube';
import { messageOf, registerSecret } from '@desp/runtime';
import { createVaultClient, type JsonObject, VaultError } from '@desp/vault';
import { ControllerError } from '../controller-error.ts';
import { readVaultStore, type SecretStore, type VaultStoreSpec } from './schema.ts';

/** Where a Service's name leads; undefined when it is no Service or has no ready endpoint. */
export type ResolveService = (host: string, port?: number) => { address: string; port: number } | undefined;

export interface VaultProviderOptions {
  readonly client: KubeClient;
  readonly resolveService: ResolveService;
  /** Who logs in where a store names no ServiceAccount (v1alpha1). */
  readonly ownServiceAccount: { readonly name: string; readonly namespace: string };
  /** Namespaces of Services that may see a token of `ownServiceAccount`: a Service Provider's own Service may not. */
  readonly trustedNamespaces: readonly string[];
  readonly signal: AbortSignal;
}

/** A logged-in session with one store's Vault. */
export interface VaultSession {
  /** The value of a key of KV version 2; undefined when there is none, or it was deleted. @throws ControllerError */
  read(key: string, version?: string): Promise<JsonObject | undefined>;
  /** Ends the token; never rejects. */
  close(): Promise<void>;
}

/** Seconds that a requested ServiceAccount token lives. */
const tokenSeconds = 600;

/**
 * Logs in as the store says: TokenRequest on the ServiceAccount, then `auth/MOUNT/login`.
 *
 * @throws ControllerError with the text that `kubectl describe` shows
 */
export async function openVault(options: VaultProviderOptions, store: SecretStore): Promise<VaultSession> {
  const spec = readVaultStore(store);
  refuseUnsupported(spec);
  const url = serverUrl(spec.server);
  const reach = await reachService(options, url);
  const connect = (token?: string) =>
    createVaultClient({
      url: spec.server.replace(/\/+$/, ''),
      token,
      signal: options.signal,
      fetch: throughService(reach, spec.namespace),
    });

  const token = await logIn(options, store, spec, reach.namespace, connect);
  const client = connect(token);
  return {
    async read(key, version) {
      const { mount, path } = locate(spec.path, key);
      try {
        return (await client.kv(mount).read(path, version === undefined ? undefined : secretVersion(version)))?.data;
      } catch (error) {
        throw described(error, 'cannot read secret data from Vault: ', `GET ${spec.server}/v1/${mount}/data/${path}`);
      }
    },
    async close() {
      // A token that was given as such is not ours to end.
      if (spec.auth.tokenSecretRef === undefined) await client.revokeSelf().catch(() => {});
    },
  };
}

function refuseUnsupported(spec: VaultStoreSpec): void {
  const { kubernetes, tokenSecretRef, ...others } = spec.auth;
  const refuse = (what: string, cure: string): never => {
    throw new ControllerError('NOT_SUPPORTED', `${what} is not supported by this rehearsal. ${cure}`, { kind: 'user', cure });
  };
  if (spec.version === 'v1') refuse('version "v1" of the key-value store', 'Use version "v2".');
  if (kubernetes === undefined && tokenSecretRef === undefined) {
    refuse(`the login method ${Object.keys(others).join(', ') || '(none)'}`, 'Use auth.kubernetes with a serviceAccountRef.');
  }
  if (kubernetes && 'secretRef' in kubernetes) refuse('auth.kubernetes.secretRef', 'Use serviceAccountRef.');
}

function serverUrl(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'http:') return url;
  throw new ControllerError('INVALID', `unable to create client: the server ${JSON.stringify(server)} is no http:// address of a Service`, {
    kind: 'user',
    cure: 'Give the address of a Service, such as http://vault.vault.svc:8200.',
  });
}

interface Reach {
  readonly namespace: string;
  readonly address: string;
  readonly port: number;
}

/** Only Services are reached: a store must not lead this process to whatever else listens on the machine. */
async function reachService({ client, resolveService }: VaultProviderOptions, url: URL): Promise<Reach> {
  const port = url.port === '' ? 80 : Number(url.port);
  const [name = '', namespace = ''] = url.hostname.split('.');
  const found = resolveService(url.hostname, port);
  const service = found === undefined ? undefined : await client.get(serviceType, name, namespace);
  if (found === undefined || service === undefined || service.spec.type === 'ExternalName') {
    throw new ControllerError('UPSTREAM', `dial tcp: lookup ${url.hostname}: no Service with a ready endpoint at port ${port}`, {
      kind: 'upstream',
      retryable: true,
      cure: 'Look at spec.provider.vault.server: it names a Service, as in http://vault.vault.svc:8200.',
    });
  }
  return { namespace, ...found };
}

/** Calls go to the Service's endpoint with the Service's name in `Host`, written as PUT where Vault's own client does. */
function throughService(reach: Reach, vaultNamespace: string | undefined): typeof fetch {
  return (input, init) => {
    const url = new URL(String(input));
    const headers = new Headers(init?.headers);
    if (vaultNamespace !== undefined) headers.set('x-vault-namespace', vaultNamespace);
    url.hostname = reach.address;
    url.port = String(reach.port);
    return fetch(url, { ...init, method: init?.method === 'POST' ? 'PUT' : init?.method, headers });
  };
}

async function logIn(
  options: VaultProviderOptions,
  store: SecretStore,
  spec: VaultStoreSpec,
  serviceNamespace: string,
  connect: () => ReturnType<typeof createVaultClient>,
): Promise<string> {
  const { kubernetes, tokenSecretRef } = spec.auth;
  const namespace = store.metadata.namespace ?? '';
  if (kubernetes === undefined) return tokenFromSecret(options.client, namespace, tokenSecretRef);
  const reference = kubernetes.serviceAccountRef;
  if (reference === undefined && !options.trustedNamespaces.includes(serviceNamespace)) {
    throw new ControllerError(
      'NOT_SUPPORTED',
      `a store without serviceAccountRef may name only a Service of ${options.trustedNamespaces.join(', ')}`,
      {
        kind: 'user',
        cure: 'Name a ServiceAccount of your own namespace in serviceAccountRef.',
      },
    );
  }
  const account = reference === undefined ? options.ownServiceAccount : { name: reference.name, namespace };
  const jwt = await requestToken(options.client, account, reference?.audiences ?? []);
  try {
    return (await connect().kubernetes(kubernetes.mountPath).login(kubernetes.role, jwt)).token;
  } catch (error) {
    const call = `PUT ${spec.server}/v1/auth/${kubernetes.mountPath}/login`;
    throw described(error, 'unable to log in to auth method: unable to log in with Kubernetes auth: ', call);
  }
}

async function requestToken(
  client: KubeClient,
  account: { name: string; namespace: string },
  audiences: readonly string[],
): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences, expirationSeconds: tokenSeconds } };
  const path = `/api/v1/namespaces/${encodeURIComponent(account.namespace)}/serviceaccounts/${encodeURIComponent(account.name)}/token`;
  try {
    const { status } = (await client.raw('POST', path, body)) as { status: { token: string } };
    registerSecret(status.token);
    return status.token;
  } catch (cause) {
    const why = isKubeError(cause, 'NotFound') ? `serviceaccounts "${account.name}" not found` : messageOf(cause);
    throw new ControllerError('NOT_FOUND', `could not request a token of the ServiceAccount ${account.namespace}/${account.name}: ${why}`, {
      kind: 'user',
      cause,
    });
  }
}

async function tokenFromSecret(
  client: KubeClient,
  namespace: string,
  reference: { readonly name: string; readonly key?: string | undefined } | undefined,
): Promise<string> {
  const { name = '', key = 'token' } = reference ?? {};
  const value = (await client.get(secretType, name, namespace))?.data?.[key];
  if (value === undefined) {
    throw new ControllerError('NOT_FOUND', `cannot find secret data for key: "${key}" in the Secret "${name}"`, { kind: 'user' });
  }
  return Buffer.from(value, 'base64').toString('utf8').trim();
}

/**
 * Mount and path of a key. With a mount in the store, a key may repeat it (and KV's `data/`); without one, the key's
 * first segment is the mount.
 */
function locate(storePath: string | undefined, key: string): { mount: string; path: string } {
  const trimmed = key.replace(/^\/+|\/+$/g, '');
  if (trimmed.split('/').some((segment) => segment === '..' || segment === '.' || segment === '')) {
    throw new ControllerError('INVALID', `the key ${JSON.stringify(key)} is no path of a secret`, { kind: 'user' });
  }
  const mount = storePath?.replace(/^\/+|\/+$/g, '') || trimmed.split('/')[0] || '';
  const own = trimmed.startsWith(`${mount}/`) ? trimmed.slice(mount.length + 1).replace(/^data\//, '') : trimmed;
  return { mount, path: own };
}

function secretVersion(version: string): number {
  if (/^\d{1,9}$/.test(version)) return Number(version);
  throw new ControllerError('INVALID', `the version ${JSON.stringify(version)} is no number`, { kind: 'user' });
}

/** A refusal in the words of Vault's own Go client, which people search for. */
function described(error: unknown, prefix: string, call: string): ControllerError {
  if (!(error instanceof VaultError) || error.status === undefined) {
    return new ControllerError('UPSTREAM', `${prefix}${messageOf(error)}`, { kind: 'upstream', retryable: true, cause: error });
  }
  const reasons = error.answered.map((reason) => `* ${reason}`).join('\n');
  const text = `Error making API request.\n\nURL: ${call}\nCode: ${error.status}. Errors:\n\n${reasons}`;
  return new ControllerError('UPSTREAM', prefix + text, { kind: 'upstream', retryable: true, cause: error });
}
