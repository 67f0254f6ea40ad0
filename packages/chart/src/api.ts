import type { ChartError } from './errors.ts';
import type { Crypto } from './functions/crypto.ts';
import type { Limits } from './limits.ts';
import type { ProfileName } from './profile.ts';
import type { RenderTrace } from './trace/api.ts';
import type { ValueSource } from './trace/provenance.ts';
import type { ValueMap } from './value/kinds.ts';

/** Who installs what under which name: `.Release` of templates. */
export interface ReleaseInput {
  readonly name: string;
  readonly namespace: string;
  /** Counts from 1; default 1. */
  readonly revision?: number;
  readonly isUpgrade?: boolean;
  /** Default: the opposite of `isUpgrade`. */
  readonly isInstall?: boolean;
}

/** Answers `lookup "v1" "Secret" "ns" "name"`; an empty name asks for a list. Undefined: not found. */
export type Lookup = (apiVersion: string, kind: string, namespace: string, name: string) => ValueMap | undefined;

export interface RenderOptions {
  readonly release: ReleaseInput;
  /** The user's values (files and `--set` merged, see `mergeValues`); the chart's own defaults lie beneath. */
  readonly values?: ValueMap;
  /** Which Helm to be; default `helm4`. */
  readonly profile?: ProfileName;
  /** `1.34.1`, `v1.34`, `1.30.2-gke.1`. Default: the profile's. */
  readonly kubeVersion?: string;
  /** API versions on top of the profile's default set. */
  readonly apiVersions?: readonly string[];
  /** Put crds/ before the manifests, as `--include-crds`. */
  readonly includeCrds?: boolean;
  /** Do not check values against values.schema.json. */
  readonly skipSchemaValidation?: boolean;
  readonly limits?: Partial<Limits>;
  /** Default: nothing is ever found, as in `helm template`. */
  readonly lookup?: Lookup;
  /** Cryptography for hashes, passwords and certificates; default: randomness only. Node's is `nodeCrypto` of `@desp/chart/node`. */
  readonly crypto?: Crypto;
  /** The current instant for `now` and its kin; default the system's clock. */
  readonly now?: () => Date;
  /** Leave nothing for a next render of the same chart: faster for one that is rendered once. */
  readonly once?: boolean;
  /** Keep where every line came from: `RenderResult.trace`. */
  readonly trace?: boolean;
  /** What `values` was merged from, for the trace to name; it does not change the values. */
  readonly sources?: readonly ValueSource[];
  /** Go on past failures of files and documents: `RenderResult.failures`. Without it the first is thrown. */
  readonly keepGoing?: boolean;
}

/** One YAML document that a template printed. */
export interface RenderedManifest {
  /** Path of the template, as in `# Source:`. */
  readonly source: string;
  readonly content: string;
  readonly apiVersion: string;
  /** Empty for a document without kind, for instance one of only comments (Helm 3 keeps these). */
  readonly kind: string;
  readonly name: string;
}

export type HookEvent =
  | 'pre-install'
  | 'post-install'
  | 'pre-delete'
  | 'post-delete'
  | 'pre-upgrade'
  | 'post-upgrade'
  | 'pre-rollback'
  | 'post-rollback'
  | 'test';

/** A manifest that runs at points of a release's life (annotation `helm.sh/hook`). */
export interface RenderedHook extends RenderedManifest {
  readonly events: readonly HookEvent[];
  /** Lower runs first; ties by name, then kind: see `hooksFor`. */
  readonly weight: number;
  /** `before-hook-creation`, `hook-succeeded`, `hook-failed` or what else the chart wrote; empty means Helm's default, the first. */
  readonly deletePolicies: readonly string[];
  readonly outputLogPolicies: readonly string[];
}

export interface RenderedCrd {
  readonly source: string;
  readonly content: string;
}

export interface RenderResult {
  /** In Helm's install order of kinds. */
  readonly manifests: readonly RenderedManifest[];
  /** In Helm's order of printing; to run them take `hooksFor`. */
  readonly hooks: readonly RenderedHook[];
  readonly crds: readonly RenderedCrd[];
  /** The root chart's NOTES.txt, rendered; empty if there is none. */
  readonly notes: string;
  /** What Helm would have logged on standard error, one line each, without prefix. */
  readonly warnings: readonly string[];
  /** With `trace`. */
  readonly trace?: RenderTrace;
  /** With `keepGoing`: what failed, in the order in which it did; what they would have printed is missing. */
  readonly failures?: readonly ChartError[];
}
