import type { Logger } from '@desp/runtime';
import { bootstrapBindings, bootstrapRoles } from './auth/bootstrap-roles.ts';
import { type Authorizer, storageOfRoles } from './auth/rbac.ts';
import { type ApiObject, listAt, same, timestamp } from './object.ts';
import type { ObjectsContext } from './objects/context.ts';
import type { Store, Transaction } from './store/store.ts';

/** What every cluster has from its first start: namespaces, roles and bindings. Idempotent; what a person changed is left alone. */
export async function bootstrap(context: ObjectsContext): Promise<void> {
  await context.store.transact((transaction) => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      ensure(transaction, context, 'namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Active' },
      });
    }
    for (const role of bootstrapRoles) ensure(transaction, context, storageOfRoles.ClusterRole, role);
    for (const binding of bootstrapBindings) ensure(transaction, context, storageOfRoles.ClusterRoleBinding, binding);
  });
}

function ensure(transaction: Transaction, context: ObjectsContext, storage: string, object: ApiObject): void {
  if (transaction.get(storage, '', object.metadata.name) !== undefined) return;
  const metadata = { ...object.metadata, uid: context.newUid(), creationTimestamp: timestamp(context.clock.now()) };
  transaction.put(storage, { ...object, metadata });
}

/** Writes the rules of aggregated cluster roles into them, so that `kubectl describe` shows what is evaluated. */
export class RoleAggregation {
  #store: Store;
  #authorizer: Authorizer;
  #log: Logger;
  #stop: (() => void) | undefined;
  #pending = false;

  constructor(store: Store, authorizer: Authorizer, log: Logger) {
    this.#store = store;
    this.#authorizer = authorizer;
    this.#log = log;
  }

  start(): void {
    this.#stop = this.#store.subscribe(storageOfRoles.ClusterRole, () => this.#run());
    this.#run();
  }

  stop(): void {
    this.#stop?.();
  }

  #run(): void {
    if (this.#pending) return;
    this.#pending = true;
    const work = this.#store.transact((transaction) => {
      this.#pending = false;
      for (const role of transaction.list(storageOfRoles.ClusterRole)) {
        if (listAt(role, 'aggregationRule', 'clusterRoleSelectors').length === 0) continue;
        const rules = this.#authorizer.clusterRoleRules(role).map(compact);
        if (!same(rules, role['rules'] ?? [])) transaction.put(storageOfRoles.ClusterRole, { ...role, rules });
      }
    });
    work.catch((error) => {
      this.#pending = false;
      this.#log.error({ cause: String(error) }, 'aggregating cluster roles failed');
    });
  }
}

/** A rule without its empty lists, as it is written in a role. */
const compact = (rule: object): object => Object.fromEntries(Object.entries(rule).filter(([, list]) => (list as unknown[]).length > 0));
