/** What an expression is made of, as `parser.ts` reads it and `walker.ts` follows it. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  /** `range`, `end`, or a word that means nothing. */
  | { readonly kind: 'word'; readonly word: string }
  | SliceNode
  | { readonly kind: 'union'; readonly members: readonly (readonly Node[])[] }
  | FilterNode
  | ActionNode;

/** `[from:to:step]`, `[from]` and `[*]`; what is not written is undefined. */
export interface SliceNode {
  readonly kind: 'slice';
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  /** `[from]`: `to` is the next. */
  readonly isSingle: boolean;
  readonly step: bigint | undefined;
}

/** `[?(left operator right)]`; without an operator, what `left` finds need only be there. */
export interface FilterNode {
  readonly kind: 'filter';
  readonly left: readonly Node[];
  readonly operator: string | undefined;
  readonly right: readonly Node[];
}

/** What stands between braces: each node goes on from what the one before it found. */
export interface ActionNode {
  readonly kind: 'action';
  readonly nodes: readonly Node[];
}
