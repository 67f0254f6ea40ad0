import { randomInt, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { NodeAccess } from '../node-access.ts';
import { Authenticator } from './auth/authenticator.ts';
import { preventEscalation } from './auth/escalation.ts';
import { Authorizer } from './auth/rbac.ts';
import { reviewResources } from './auth/reviews.ts';
import { ServiceAccountTokens, serviceAccountIssuer } from './auth/service-account-tokens.ts';
import { bootstrap, RoleAggregation } from './bootstrap.ts';
import { ClusterApiError } from './errors.ts';
import { EventExpiry } from './event-expiry.ts';
import { Discovery } from './http/discovery.ts';
import { authorize, RequestHandler } from './http/handler.ts';
import { Lister } from './http/list.ts';
import type { ResourceContext } from './http/resource-handler.ts';
import { renderKubeconfig } from './kubeconfig.ts';
import { Listeners } from './listeners.ts';
import type { ObjectsContext } from './objects/context.ts';
import { writePrivate } from './private-file.ts';
import { builtinResources } from './resources/builtin.ts';
import { definitionStrategy } from './resources/custom.ts';
import { Definitions } from './resources/definitions.ts';
import { Registry } from './resources/registry.ts';
import { parseServiceNetwork } from './resources/services.ts';
import { type Authority, openAuthority } from './serving-certificate.ts';
import { Store } from './store/store.ts';
import type { ApiServer, ApiServerOptions, KubeconfigOptions } from './types.ts';

const defaultVersion = 'v1.32.0+rehearsal';
const defaultNetwork = '10.96.0.0/16';
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

/**
 * The embedded Kubernetes API: opens the cluster's folder and is ready to listen.
 *
 * @throws ClusterApiError BAD_OPTIONS, STORE_LOCKED (another process has the folder open), STORE_BROKEN
 */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  checkOptions(options);
  await mkdir(options.dataFolder, { recursive: true, mode: 0o700 });
  const storeFile = join(options.dataFolder, 'cluster.sqlite');
  const store = new Store({ file: storeFile });
  try {
    await chmod(storeFile, 0o600);
    const authority = await openAuthority(options.dataFolder, options.name, options.clock);
    const tokens = await ServiceAccountTokens.open(options.dataFolder, store, options.clock);
    const server = new EmbeddedApiServer(options, store, authority, tokens);
    await server.start();
    return server;
  } catch (error) {
    store.close();
    throw error;
  }
}

function checkOptions({ adminToken, serviceNetwork }: ApiServerOptions): void {
  if (adminToken.length < 16) {
    throw new ClusterApiError('BAD_OPTIONS', 'The admin token is shorter than 16 characters.', {
      kind: 'bug',
      cure: 'Make a random one of 32 bytes.',
    });
  }
  if (serviceNetwork !== undefined && parseServiceNetwork(serviceNetwork) === undefined) {
    throw new ClusterApiError('BAD_OPTIONS', `The Service network ${serviceNetwork} is not an IPv4 network of /16 to /28.`, {
      kind: 'user',
    });
  }
}

class EmbeddedApiServer implements ApiServer {
  readonly name: string;
  readonly issuer = serviceAccountIssuer;
  #options: ApiServerOptions;
  #store: Store;
  #authority: Authority;
  #listeners: Listeners;
  #objects: ObjectsContext;
  #definitions: Definitions;
  #aggregation: RoleAggregation;
  #expiry: EventExpiry;
  #closing = new AbortController();
  #node: NodeAccess | undefined;

  constructor(options: ApiServerOptions, store: Store, authority: Authority, tokens: ServiceAccountTokens) {
    const { clock, log } = options;
    this.name = options.name;
    this.#options = options;
    this.#store = store;
    this.#authority = authority;
    this.#node = options.node;
    const network = parseServiceNetwork(options.serviceNetwork ?? defaultNetwork)!;
    const registry = new Registry([...builtinResources(network, definitionStrategy), ...reviewResources]);
    const authorizer = new Authorizer(store);
    const authenticator = new Authenticator(options.adminToken, tokens, options.authenticate, authorizer);
    this.#objects = {
      store,
      registry,
      clock,
      newUid: randomUUID,
      newSuffix: () => Array.from({ length: 5 }, () => suffixLetters[randomInt(suffixLetters.length)]).join(''),
      preventEscalation: (user, resource, object, old) => preventEscalation(authorizer, user, resource, object, old),
    };
    this.#definitions = new Definitions(store, registry, clock, log);
    this.#aggregation = new RoleAggregation(store, authorizer, log);
    this.#expiry = new EventExpiry(store, clock, log);
    const resources: ResourceContext = {
      ...this.#objects,
      tokens,
      lister: new Lister(store, () => clock.monotonic()),
      closing: this.#closing.signal,
      node: () => this.#node,
      authorize: (user, wanted) => authorize(authorizer, user, wanted),
      reviewContext: (user, namespace) => ({ user, namespace, authorizer, authenticator, tokens }),
    };
    const handler = new RequestHandler({
      authenticator,
      authorizer,
      discovery: new Discovery(registry, options.version ?? defaultVersion),
      resources,
      log,
      url: () => this.#url(),
    });
    this.#listeners = new Listeners({
      onRequest: (request, response) => void handler.handle(request, response),
      onUpgrade: (request, socket, head) => void handler.upgrade(request, socket, head),
    });
    // Each watch listens for the end; a thousand of them are no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  get certificateAuthority(): string {
    return this.#authority.certificate;
  }

  async start(): Promise<void> {
    await bootstrap(this.#objects);
    this.#definitions.start();
    this.#aggregation.start();
    this.#expiry.start();
  }

  async listen(port: number, hosts: readonly string[]): Promise<{ port: number; url: string }> {
    const credentials = await this.#authority.issue(this.#names(hosts));
    for (const host of hosts) await this.#listeners.add(host, this.#listeners.port || port, credentials);
    this.#options.log.info({ cluster: this.name, url: this.#url() }, 'the cluster API listens');
    return { port: this.#listeners.port, url: this.#url() };
  }

  async addHost(host: string): Promise<void> {
    const credentials = await this.#authority.issue(this.#names([...this.#listeners.hosts, host]));
    this.#listeners.renew(credentials);
    await this.#listeners.add(host, this.#listeners.port, credentials);
  }

  setNode(node: NodeAccess | undefined): void {
    this.#node = node;
  }

  kubeconfig(options: KubeconfigOptions): string {
    return renderKubeconfig(this.name, this.certificateAuthority, options.server ?? this.#url(), options);
  }

  async writeKubeconfig(file: string, options: KubeconfigOptions): Promise<void> {
    await writePrivate(file, this.kubeconfig(options));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#definitions.stop();
    this.#aggregation.stop();
    this.#expiry.stop();
    await this.#listeners.close();
    this.#store.close();
  }

  #names(hosts: readonly string[]): string[] {
    const services = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost'];
    const reachable = hosts.filter((host) => host !== '0.0.0.0' && host !== '::');
    return [...new Set([...reachable, '127.0.0.1', ...services, ...(this.#options.extraNames ?? [])])];
  }

  #url(): string {
    const [first = '127.0.0.1'] = this.#listeners.hosts;
    const host = first === '0.0.0.0' ? '127.0.0.1' : first;
    return `https://${isIP(host) === 6 ? `[${host}]` : host}:${this.#listeners.port}`;
  }
}
