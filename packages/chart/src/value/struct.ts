import { deepCopy } from './copy.ts';
import { GoObject, type Method, type Value, type ValueMap } from './kinds.ts';

export interface StructShape {
  readonly type: string;
  readonly kind: 'struct' | 'ptr';
  /** Exported fields by Go's names, in order. */
  readonly fields: readonly (readonly [string, Value])[];
  /** Those of them that are printed, but cannot be reached. */
  readonly unexported?: readonly string[];
  /** What encoding/json writes; the fields where absent. */
  readonly json?: ValueMap;
  readonly methods?: Readonly<Record<string, Method>>;
  /** Result of its String method, where values of the type have one. */
  readonly text?: string;
  /** The same where only pointers to it have one. */
  readonly display?: string | undefined;
  /** Fields that are reached but not printed: those of an embedded struct. */
  readonly promoted?: GoObject;
}

/** A Go struct, or a pointer to one, given by a list of fields. */
export class GoStruct extends GoObject {
  readonly type: string;
  readonly kind: 'struct' | 'ptr';
  readonly #shape: StructShape;

  constructor(shape: StructShape) {
    super();
    this.type = shape.type;
    this.kind = shape.kind;
    this.#shape = shape;
  }

  override field(name: string): { value: Value } | undefined {
    const found = this.#shape.fields.find(([key]) => key === name);
    if (found) return { value: found[1] };
    return this.#shape.promoted?.field(name);
  }

  override boxed(): GoStruct {
    return this.#shape.display === undefined ? this : new GoStruct({ ...this.#shape, display: undefined });
  }

  override copied(): GoStruct {
    const fields = this.#shape.fields.map(([name, value]) => [name, this.isUnexported(name) ? '' : deepCopy(value)] as const);
    return new GoStruct({ ...this.#shape, fields });
  }

  override isUnexported(name: string): boolean {
    return this.#shape.unexported?.includes(name) === true && this.#shape.fields.some(([key]) => key === name);
  }

  override method(name: string): Method | undefined {
    const { methods } = this.#shape;
    return methods && Object.hasOwn(methods, name) ? methods[name] : undefined;
  }

  override fields(): readonly (readonly [string, Value])[] {
    return this.#shape.fields;
  }

  override hidden(): Value {
    return this.#shape.promoted;
  }

  override text(): string | undefined {
    return this.#shape.text;
  }

  override display(): string | undefined {
    return this.#shape.display;
  }

  override json(): Value {
    return this.#shape.json ?? new Map(this.#shape.fields);
  }
}
