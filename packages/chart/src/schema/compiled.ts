import type { Regex } from '../regex/regex.ts';
import type { ExactJson } from '../value/json.ts';
import { printPlace } from './document.ts';
import type { FormatCheck } from './formats.ts';
import type { AnyNumber } from './numbers.ts';

/** A schema as the validator walks it; what is undefined does not stand in it. */
export class CompiledSchema {
  readonly url: string;
  readonly pointer: string;
  draft = 2020;
  /** The resource that it is a part of. */
  resource: CompiledSchema = this;
  dynamicAnchors: Map<string, CompiledSchema> | undefined;

  /** `true`, `false` or `{}`. */
  always: boolean | undefined;
  reference: CompiledSchema | undefined;
  recursiveReference: CompiledSchema | undefined;
  isRecursiveAnchor = false;
  dynamicReference: { readonly to: CompiledSchema; readonly anchor: string } | undefined;
  dynamicAnchor: string | undefined;
  types: readonly string[] | undefined;
  /** In a list, for null is one of them. */
  constant: readonly [ExactJson] | undefined;
  choices: readonly ExactJson[] | undefined;
  format: { readonly name: string; readonly check: FormatCheck } | undefined;
  not: CompiledSchema | undefined;
  allOf: readonly CompiledSchema[] = none;
  anyOf: readonly CompiledSchema[] = none;
  oneOf: readonly CompiledSchema[] = none;
  condition: CompiledSchema | undefined;
  whenTrue: CompiledSchema | undefined;
  whenFalse: CompiledSchema | undefined;

  minProperties: number | undefined;
  maxProperties: number | undefined;
  required: readonly string[] = none;
  properties: ReadonlyMap<string, CompiledSchema> | undefined;
  patternProperties: readonly (readonly [Regex, CompiledSchema])[] = none;
  additionalProperties: boolean | CompiledSchema | undefined;
  propertyNames: CompiledSchema | undefined;
  dependencies: readonly (readonly [string, readonly string[] | CompiledSchema])[] = none;
  dependentSchemas: readonly (readonly [string, CompiledSchema])[] = none;
  dependentRequired: readonly (readonly [string, readonly string[]])[] = none;
  unevaluatedProperties: CompiledSchema | undefined;

  minItems: number | undefined;
  maxItems: number | undefined;
  hasUniqueItems = false;
  /** Schemas of the first items, each its own. */
  firstItems: readonly CompiledSchema[] = none;
  /** What holds for the items after these. */
  otherItems: boolean | CompiledSchema | undefined;
  contains: CompiledSchema | undefined;
  minContains: number | undefined;
  maxContains: number | undefined;
  unevaluatedItems: CompiledSchema | undefined;

  minLength: number | undefined;
  maxLength: number | undefined;
  pattern: Regex | undefined;

  minimum: AnyNumber | undefined;
  maximum: AnyNumber | undefined;
  exclusiveMinimum: AnyNumber | undefined;
  exclusiveMaximum: AnyNumber | undefined;
  multipleOf: AnyNumber | undefined;

  constructor(url: string, pointer: string) {
    this.url = url;
    this.pointer = pointer;
  }

  /** As messages show it. */
  get location(): string {
    return printPlace(this.url, this.pointer);
  }
}

const none: readonly never[] = [];
