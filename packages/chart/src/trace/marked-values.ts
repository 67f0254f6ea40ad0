import { documentsOf } from '../loader/documents.ts';
import type { Value, ValueMap } from '../value/kinds.ts';
import { Marks } from '../yaml/marks.ts';
import { readYaml } from '../yaml/reader.ts';
import type { ValuePath } from './paths.ts';

/** What a source says of a path. `cut`: it puts something else in the way, so that nothing below shows through. */
export type Answer =
  | { readonly found: 'set'; readonly value: Value; readonly line: number | undefined }
  | { readonly found: 'cut'; readonly line: number | undefined }
  | { readonly found: 'none' };

export const none: Answer = { found: 'none' };

/** A document of values with the lines of its keys. */
export class MarkedValues {
  readonly values: ValueMap;
  readonly #marks: Marks;

  constructor(values: ValueMap, marks: Marks) {
    this.values = values;
    this.#marks = marks;
  }

  /** The documents of a values file, the last first, for it counts most. What cannot be read is left out: the render has said so. */
  static of(text: string, multiDocument = true): MarkedValues[] {
    const documents = multiDocument ? documentsOf(text) : [{ text, line: 0 }];
    return documents
      .flatMap((document) => {
        const marks = new Marks();
        try {
          // Empty lines before it put a document's keys on the lines of the file.
          const values = readYaml('\n'.repeat(document.line) + document.text, { marks });
          return values instanceof Map ? [new MarkedValues(values, marks)] : [];
        } catch {
          return [];
        }
      })
      .reverse();
  }

  ask(path: ValuePath): Answer {
    let value: Value = this.values;
    let line: number | undefined;
    for (const key of path) {
      if (value instanceof Map) {
        if (!value.has(String(key))) return none;
        line = this.#marks.lineOf(value, String(key)) ?? line;
        value = value.get(String(key));
      } else if (Array.isArray(value)) {
        // Lists replace one another as a whole.
        if (typeof key !== 'number' || key >= value.length) return { found: 'cut', line };
        line = this.#marks.lineOf(value, key) ?? line;
        value = value[key];
      } else return { found: 'cut', line };
    }
    return { found: 'set', value, line };
  }

  /** The paths of its scalars and empty containers. */
  leaves(): ValuePath[] {
    return leavesOf(this.values);
  }
}

export function leavesOf(value: Value, path: ValuePath = []): ValuePath[] {
  const entries: [string | number, Value][] = value instanceof Map ? [...value] : Array.isArray(value) ? [...value.entries()] : [];
  if (entries.length > 0) return entries.flatMap(([key, item]) => leavesOf(item, [...path, key]));
  return path.length > 0 ? [path] : [];
}
