import type { Json, JsonObject } from '../schema/index.ts';

/**
 * What becomes of each field that the schema accepts. One entry a structure (`Container`, `Probe`), since the same
 * structure stands in many kinds; the tables of this folder are the one source of the `Warning:` headers and of the support
 * table in the docs. A test walks the schema: no field may be missing here.
 */
export interface StructTreatment {
  /** Somebody acts upon it as Kubernetes does. */
  readonly acts?: readonly string[];
  /** There is nothing to act upon: the server sets it, it says what is so anyway, or Kubernetes itself ignores it there. */
  readonly inert?: readonly string[];
  /** Accepted and, wholly or for some values, not acted upon: each use raises a warning. */
  readonly ignored?: Readonly<Record<string, Ignored>>;
  /** An object that sets it is refused, by the server or, for pods, by the node, which says so in the pod's status. */
  readonly refused?: Readonly<Record<string, Refused>>;
}

/** Why a field has no effect and what happens instead: the end of a sentence. */
export type Ignored = string | PartlyIgnored;

/** A field that is acted upon but for some of its values. */
export interface PartlyIgnored {
  readonly reason: string;
  /** Values that have no effect; all others are acted upon. */
  readonly only?: readonly (string | number | boolean)[];
  /** Values that are acted upon or say what is so anyway; all others have no effect. */
  readonly except?: readonly (string | number | boolean)[];
  /** Of a map: the keys that are acted upon. */
  readonly keys?: readonly string[];
  /** Whether the value has no effect beside its neighbours; in words for the docs, and with an example of an owner for which it is so. */
  readonly when?: { readonly words: string; readonly is: (owner: JsonObject) => boolean; readonly example: JsonObject };
}

export interface Refused {
  readonly reason: string;
  /** A value that is refused; what else the field may hold says what is so anyway. */
  readonly example: Json;
  /** Who refuses: the node shows it in the pod's status, the server answers 422. */
  readonly by: 'node' | 'server' | 'controller';
}

export type StructTable = Readonly<Record<string, StructTreatment>>;

/** What becomes of a whole kind. */
export interface KindTreatment {
  /**
   * `acts`: somebody acts upon its fields; `data`: it holds what its clients make of it; `stored`: kept, and nobody acts upon it,
   * which each write is told.
   */
  readonly level: 'acts' | 'data' | 'stored';
  /** Who acts, or whose data it is. */
  readonly by: string;
  /** What each write is told. */
  readonly warning?: string;
}

/** The words of a field list; the tables read better so. */
export const fields = (text: string): readonly string[] => text.trim().split(/\s+/);
