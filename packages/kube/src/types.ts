/**
 * Kubernetes objects as they travel: plain JSON. A controller names the fields that it reads in types of its own.
 */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  generateName?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: unknown[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** `spec` and `status` as the controller at hand knows them. */
export interface KubeResource<Spec = unknown, Status = unknown> extends KubeObject {
  spec: Spec;
  status?: Status;
}

/** Where a kind is served. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Carries the type only; never set. */
  readonly _object?: T;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export type PatchKind = 'merge' | 'json' | 'strategic' | 'apply';

export interface PatchOptions {
  readonly kind: PatchKind;
  readonly fieldManager?: string;
  readonly force?: boolean;
  readonly subresource?: 'status' | 'scale';
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
}

export interface WatchEvent<T extends KubeObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
}

/** A client of one Kubernetes API; the same for the embedded one and a real one. Throws KubeError with the Status's reason as code. */
export interface KubeClient {
  readonly server: string;
  get<T extends KubeObject>(type: ResourceType<T>, name: string, namespace?: string): Promise<T | undefined>;
  list<T extends KubeObject>(type: ResourceType<T>, options?: ListOptions): Promise<{ items: T[]; resourceVersion: string }>;
  create<T extends KubeObject>(type: ResourceType<T>, object: T, options?: { fieldManager?: string; dryRun?: boolean }): Promise<T>;
  /** PUT; fails with `Conflict` when the object's resourceVersion is not the live one. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, options?: { subresource?: 'status'; fieldManager?: string }): Promise<T>;
  patch<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    namespace: string | undefined,
    body: unknown,
    options: PatchOptions,
  ): Promise<T>;
  /** Resolves with false when there was nothing to delete. */
  delete(type: ResourceType, name: string, namespace?: string, options?: DeleteOptions): Promise<boolean>;
  /** Calls `onEvent` for each change after `resourceVersion` until `signal` aborts or the server ends the watch; rejects with `Expired` on 410. */
  watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions & { resourceVersion: string; onBookmark?: (resourceVersion: string) => void },
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Finds where a kind is served, by discovery, cached; undefined when the server does not know it. */
  resolve(apiVersion: string, kind: string): Promise<ResourceType | undefined>;
  /** A request of any path, for subresources and discovery. */
  raw(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown>;
  /** Ends the kept connections; the client is of no use afterwards. */
  close(): void;
}
