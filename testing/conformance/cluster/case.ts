import type { KubeClient } from '@desp/kube';

/** What a target may lack; found out before the first case, and said for each row that is skipped. */
export type Capability =
  /** Controllers act: namespaces get their ServiceAccount, Deployments their ReplicaSets. */
  | 'controllers'
  /** A node is ready, and there is an image to run. */
  | 'pods'
  /** A storage class provides volumes. */
  | 'storage'
  /** An ingress controller answers at an address that is known. */
  | 'ingress'
  /** kubectl reads schemas in the form of OpenAPI v3: 1.27 and later. */
  | 'schemas'
  /** It is a rehearsal cluster, which says what it does not do. */
  | 'rehearsal';

/** One row of the acceptance suite and, when it passes, of the support table. */
export interface Case {
  /** What a person reads: a whole sentence that is true when the case passes. */
  readonly name: string;
  readonly needs?: readonly Capability[];
  /** kubectl commands that it shows. */
  readonly kubectl?: readonly string[];
  /** Resources (plural, with the group unless it is the core's) and the verbs on them that it shows. */
  readonly verbs?: Readonly<Record<string, string>>;
  /** Fields that it shows to be acted upon, by the structure in the schema that has them. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly run: (bench: Bench) => Promise<void>;
}

export interface Area {
  readonly title: string;
  readonly cases: readonly Case[];
}

/** Nested values of an answer, read freely; what is not there is undefined. */
// biome-ignore lint/suspicious/noExplicitAny: answers of any kind are read here, and every reading is an expectation
export type Answer = any;

/** What one case works with: a namespace of its own, the API, and kubectl. */
export interface Bench {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Lower-case letters and digits that no other case has, for names of what has no namespace. */
  readonly unique: string;
  /** An image with a shell, for cases that need pods. */
  readonly image: string;
  /** Name of a storage class that provides volumes, for cases that need it. */
  readonly storageClass: string;
  /** `http://HOST:PORT` of the ingress controller, for cases that need it. */
  readonly ingress: string;
  /** A request on this case's namespace: `pods/p` or, with its group, `apps/v1/deployments/d`; with `/` first, any path. */
  api(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** The reason of the Status with which it is refused, and its message. */
  refused(method: string, path: string, body?: unknown, contentType?: string): Promise<{ reason: string; message: string }>;
  /** kubectl in this case's namespace. */
  kubectl(args: readonly string[], stdin?: string | object): Promise<{ code: number; out: string; err: string }>;
  /** As `kubectl`, and fails unless it succeeded. @returns standard output */
  ok(args: readonly string[], stdin?: string | object): Promise<string>;
  /** Looks until it finds something, at most half a minute; fails with what was seen last. */
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>;
  /** The pod once it is ready. */
  ready(pod: string): Promise<Answer>;
  /** The pod once all its containers came to their end. */
  ended(pod: string): Promise<Answer>;
  /** A client that sends this bearer token. */
  as(token: string): KubeClient;
  /** Done when the case has ended, however it did. */
  after(clean: () => Promise<unknown>): void;
}

/** A JSON or YAML body for a patch. */
export const patchType = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
