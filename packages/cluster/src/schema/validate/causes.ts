/**
 * Validation's findings, in the words of apimachinery's `field` package.
 */
import type { Json } from '../json.ts';
import type { Cause, GroupVersionKind } from '../types.ts';

/** `spec.ports[0].name` from its parts: numbers are indices, `[key]` texts are map keys. */
export function at(path: string, ...parts: readonly (string | number)[]): string {
  let result = path;
  for (const part of parts) result = typeof part === 'number' ? `${result}[${part}]` : result === '' ? part : `${result}.${part}`;
  return result;
}

/** A map's key as a path: `data[a.b]`. */
export const atKey = (path: string, key: string): string => `${path}[${key}]`;

const maxCauses = 100;

/** Collects findings; more than 100 of one object help nobody. */
export class Report {
  readonly causes: Cause[] = [];

  private add(reason: Cause['reason'], field: string, message: string): void {
    const known = this.causes.some((cause) => cause.field === field && cause.message === message);
    if (!known && this.causes.length < maxCauses) this.causes.push({ reason, message, field });
  }

  required(field: string, detail = ''): void {
    this.add('FieldValueRequired', field, `Required value${detail ? `: ${detail}` : ''}`);
  }

  invalid(field: string, value: Json | undefined, detail: string): void {
    this.add('FieldValueInvalid', field, `Invalid value: ${shown(value)}: ${detail}`);
  }

  duplicate(field: string, value: Json): void {
    this.add('FieldValueDuplicate', field, `Duplicate value: ${shown(value)}`);
  }

  forbidden(field: string, detail: string): void {
    this.add('FieldValueForbidden', field, `Forbidden: ${detail}`);
  }

  unsupported(field: string, value: Json | undefined, supported: readonly string[]): void {
    const list = [...supported].sort().map((item) => JSON.stringify(item));
    this.add('FieldValueNotSupported', field, `Unsupported value: ${shown(value)}: supported values: ${list.join(', ')}`);
  }

  tooLong(field: string, limit: number): void {
    this.add('FieldValueTooLong', field, `Too long: may not be more than ${limit} bytes`);
  }

  tooMany(field: string, count: number, limit: number): void {
    this.add('FieldValueTooMany', field, `Too many: ${count}: must have at most ${limit} items`);
  }

  notFound(field: string, value: Json): void {
    this.add('FieldValueNotFound', field, `Not found: ${shown(value)}`);
  }

  wrongType(field: string, value: Json, detail: string): void {
    this.add('FieldValueTypeInvalid', field, `Invalid value: ${shown(value)}: ${detail}`);
  }
}

/** A value in a message, cut when it is long. */
function shown(value: Json | undefined): string {
  const text = JSON.stringify(value ?? null);
  return text.length > 1024 ? `${text.slice(0, 1024)}…` : text;
}

/** The message of a 422 Status: `Deployment.apps "x" is invalid: spec.selector: Required value`, several causes in brackets. */
export function describeCauses(gvk: GroupVersionKind, name: string, causes: readonly Cause[]): string {
  const kind = gvk.group ? `${gvk.kind}.${gvk.group}` : gvk.kind;
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  return `${kind} ${JSON.stringify(name)} is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`;
}
