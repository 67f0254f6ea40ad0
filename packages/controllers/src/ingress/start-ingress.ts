import {
  createEventRecorder,
  createInformerSet,
  type InformerSet,
  type Ingress,
  ingressType,
  type KubeClient,
  keyOf,
  partsOfKey,
  type ReconcileContext,
  runController,
  secretType,
  serviceType,
  source,
} from '@desp/kube';
import type { Clock, Logger } from '@desp/runtime';
import type { ResolveService } from '../external-secrets/vault-provider.ts';
import { createBasicAuth } from './basic-auth.ts';
import { ingressClassName, ingressClassType, installIngressClass, isOurs } from './class.ts';
import { type AnswerChallenge, startProxy } from './proxy.ts';
import { buildRouteTable, type RouteTable } from './route-table.ts';
import { createTlsContexts, makeDefaultCertificate } from './tls-contexts.ts';
import { findUpstream } from './upstream.ts';

export interface IngressOptions {
  readonly client: KubeClient;
  readonly resolveService: ResolveService;
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly http: number; readonly https: number };
  /** Answers HTTP-01 challenges before any route; `startCertificates` offers it. */
  readonly answerChallenge?: AnswerChallenge;
  /** Caches over `client` that are shared with other controllers; default: its own. */
  readonly informers?: InformerSet;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface RunningIngress {
  readonly http: number;
  readonly https: number;
  /** Resolves when the signal has aborted and all has ended. */
  readonly done: Promise<void>;
}

/**
 * A reverse proxy for the Ingresses of class `nginx`, which it installs as the default class.
 *
 * @throws when a port is taken, or the cluster does not answer
 */
export async function startIngress(options: IngressOptions): Promise<RunningIngress> {
  const { client, clock, signal } = options;
  const log = options.log.child({ controller: 'ingress' });
  await installIngressClass(client);
  const informers = options.informers ?? createInformerSet({ client, clock, log, signal });
  const ingresses = informers.of<Ingress>(ingressType);
  const [secrets, services, classes] = [informers.of(secretType), informers.of(serviceType), informers.of(ingressClassType)];
  const events = createEventRecorder({ client, component: 'nginx-ingress-controller', clock, log });
  await informers.synced();

  let built: RouteTable | undefined;
  const nginx = () => classes.get(ingressClassName);
  const ours = () => ingresses.list().filter((ingress) => isOurs(ingress, nginx()));
  const table = () => {
    built ??= buildRouteTable(ours());
    return built;
  };
  const outdate = () => {
    built = undefined;
  };
  ingresses.onChange(outdate);
  classes.onChange(outdate);

  const contexts = createTlsContexts(secrets, log);
  const proxy = await startProxy({
    listen: options.listen,
    table,
    upstream: (backend) => findUpstream(backend, services, options.resolveService),
    context: (host) => contexts.of(table().tlsSecret(host)),
    defaultCertificate: await makeDefaultCertificate(clock),
    answerChallenge: options.answerChallenge ?? (() => undefined),
    authenticate: createBasicAuth(secrets),
    log,
  });
  const address = options.listen.host;

  /** What was told already, so that a resync does not tell it again. */
  const told = new Map<string, string>();

  async function reconcile(key: string, context: ReconcileContext): Promise<void> {
    const { name, namespace } = partsOfKey(key);
    const live = await context.client.get(ingressType, name, namespace);
    if (live === undefined) {
      told.delete(key);
      return;
    }
    const notices = table().notices.filter(({ about }) => keyOf(about) === key);
    const facts = JSON.stringify(notices.map(({ message }) => message));
    if (told.get(key) !== facts) {
      for (const { reason, message } of notices) events.event(live, 'Warning', reason, message);
      told.set(key, facts);
    }
    const wanted = table().served.has(key) ? [{ ip: address }] : [];
    const current = live.status?.loadBalancer?.ingress ?? [];
    if (JSON.stringify(current) === JSON.stringify(wanted) || (!isOurs(live, nginx()) && current.length === 0)) return;
    events.event(live, 'Normal', 'Sync', 'Scheduled for sync');
    await context.client.patch(
      ingressType,
      name,
      namespace,
      { status: { loadBalancer: { ingress: wanted } } },
      { kind: 'merge', subresource: 'status' },
    );
  }

  const controller = runController({
    name: 'ingress',
    client,
    clock,
    log: options.log,
    signal,
    informers,
    // One Ingress may free or take what another one wants: all are looked at again, which costs little.
    sources: [source<Ingress>(ingressType, (ingress) => [keyOf(ingress), ...ours().map(keyOf)])],
    reconcile,
  });
  const done = controller.then(async () => {
    await proxy.close();
    await events.flushed();
  });
  log.info({ http: proxy.http, https: proxy.https }, 'the ingress listens');
  return { http: proxy.http, https: proxy.https, done };
}
