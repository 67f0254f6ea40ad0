import type { RenderedHook, RenderedManifest } from '../api.ts';
import type { SourcePlace } from '../errors.ts';
import type { ValuePath } from './paths.ts';
import type { ValueOrigin } from './provenance.ts';

/** Where each line of a render came from (`render` with `trace`). Worked out when asked, per line. */
export interface RenderTrace {
  /**
   * The lines of a document's `content`, or of the notes, in order.
   *
   * @param of a manifest or hook of the same result, or `notes`
   */
  lines(of: RenderedManifest | RenderedHook | 'notes'): readonly TracedLine[];
  /** Who set a value, by its path from the values of the rendered chart: `['redis', 'image', 'tag']`. */
  origin(path: ValuePath): ValueOrigin;
  /** All that set it, the one that counts first; the others are overridden. */
  holders(path: ValuePath): readonly ValueOrigin[];
  /** The text of a template file, by its path as traces name it. */
  template(file: string): string | undefined;
}

export interface TracedLine {
  /** From 1, within the document. */
  readonly line: number;
  readonly text: string;
  /** What was printed one after the other; together they are the line. */
  readonly parts: readonly TracedPart[];
}

export interface TracedPart {
  readonly text: string;
  /** The template's own text, or what an action printed. */
  readonly kind: 'text' | 'action';
  /** The template file and the place in it. */
  readonly place: SourcePlace;
  /** How the render came to that place, the outermost template first. */
  readonly stack: readonly TracedCall[];
  /** What was read to print it. */
  readonly values: readonly TracedValue[];
  /** False where a function on the way (`sha256sum`, `fromYaml`) hides which part of its text came from where; then `place` is that function's. */
  readonly exact: boolean;
}

export interface TracedCall {
  readonly kind: 'file' | 'include' | 'template' | 'tpl';
  /** Name of the template; a file's path. */
  readonly name: string;
  /** Where it was called; a file is not called. */
  readonly calledAt?: SourcePlace;
  /** Of tpl: the place in its text, and who set the value that the text is. */
  readonly text?: { readonly line: number; readonly column: number; readonly value?: TracedValue };
}

export interface TracedValue {
  /** From the values of the rendered chart: `redis.image.tag`. */
  readonly path: ValuePath;
  /** The same as text. */
  readonly name: string;
  readonly origin: ValueOrigin;
  /** The value's own text stands in what was printed; else it only took part. */
  readonly isPrinted: boolean;
}
