import type { ChartErrorCode, SourcePlace } from '../errors.ts';
import type { TracedCall } from '../trace/api.ts';
import type { ValueOrigin } from '../trace/provenance.ts';

/** A failure and all that helps to mend it. Everything is data; `formatDiagnosis` makes words of it. */
export interface Diagnosis {
  readonly code: ChartErrorCode;
  /** Helm's own words. */
  readonly message: string;
  readonly where?: SourcePlace;
  readonly excerpts: readonly Excerpt[];
  /** How the render came to the place, the outermost template first; empty where nothing was called. */
  readonly stack: readonly TracedCall[];
  /** The values that take part, and who set them. */
  readonly values: readonly ValueFinding[];
  /** What to do, the likeliest first; whole sentences. */
  readonly cures: readonly string[];
}

/** Lines of a text around a place. */
export interface Excerpt {
  readonly of: 'template' | 'rendered';
  readonly file: string;
  readonly lines: readonly { readonly line: number; readonly text: string }[];
  /** Columns count from 1, in characters. */
  readonly caret?: { readonly line: number; readonly column: number; readonly length: number };
}

export interface ValueFinding {
  /** `ingress.enabled`, from the values of the rendered chart. */
  readonly name: string;
  /** What it is: `missing`, `null`, `string`, `map` …. */
  readonly type: string;
  readonly origin: ValueOrigin;
  /** Where it is missing: the sources that could have set it. */
  readonly lackingIn: readonly string[];
  /** Other values files that set it. */
  readonly elsewhere: readonly SourcePlace[];
  /** Names beside it that differ by a letter or two. */
  readonly near: readonly string[];
}
