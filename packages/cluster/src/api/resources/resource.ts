import type { StructSchema } from '../../schema/index.ts';
import type { ApiObject } from '../object.ts';

/** One column of `kubectl get`, as the server's Table prints it. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority: number;
  readonly cell: (object: ApiObject, now: Date) => unknown;
}

/** Where a kind keeps its replicas, for `/scale`; paths into the object. */
export interface ScalePaths {
  readonly spec: readonly string[];
  readonly status: readonly string[];
  /** A label selector object (built-in kinds) or text (custom resources). */
  readonly selector?: readonly string[];
}

/** A subresource beyond `status` and `scale`, for discovery. */
export interface Subresource {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

/** What the strategies of a kind may ask of the rest of the cluster, inside the transaction of the write. */
export interface WriteContext {
  readonly now: Date;
  list(storage: string, namespace?: string): readonly ApiObject[];
  get(storage: string, namespace: string, name: string): ApiObject | undefined;
}

/** One served resource of one version. Everything the generic handlers know of a kind is here. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Key of its objects in the store; the versions of a kind share it. */
  readonly storage: string;
  readonly verbs: readonly string[];
  readonly status: boolean;
  readonly scale?: ScalePaths;
  readonly subresources: readonly Subresource[];
  readonly columns: readonly Column[];
  /** Field selectors beyond metadata.name and metadata.namespace, each with its path. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** The kind's schema; undefined stores what it gets. */
  readonly schema: () => StructSchema | undefined;
  /** Custom resources have no strategic merge patch, and their unknown fields are pruned. */
  readonly custom: boolean;
  /** Changes of these paths raise `metadata.generation`; undefined: everything but metadata and status. */
  readonly countsGeneration: boolean;
  /** Fills in what the server itself decides; may change the object, which is the caller's own copy. */
  readonly prepareCreate?: (object: ApiObject, context: WriteContext) => void;
  readonly prepareUpdate?: (object: ApiObject, old: ApiObject, context: WriteContext) => void;
  /** Kind of a list of them; default the kind with `List`. */
  readonly listKind?: string;
  /** A sentence for the `Warning:` header of every request on this version. */
  readonly deprecation?: string;
}

export const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;

export const apiVersionOf = (resource: { group: string; version: string }): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version;
