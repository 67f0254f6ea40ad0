/**
 * One shape for every failure that leaves a package.
 *
 * Principle: an error says what was attempted, on what, why it failed and what to do next; its `code` is from a closed
 * list of its package, its `kind` says whose move it is. One edge file per protocol turns it into an HTTP status, an
 * exit code or a protocol code. Nobody matches on text.
 */

/** Whose move it is: the caller's (`user`), an outside part's (`upstream`), ours (`bug`). */
export type ErrorKind = 'user' | 'upstream' | 'bug';

/** A place in a text that a person wrote; lines and columns count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface ErrorDetails {
  readonly kind: ErrorKind;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** What to do next, one sentence. */
  readonly cure?: string;
  readonly where?: SourcePlace;
  readonly cause?: unknown;
}

/** Base of all packages' errors. `Code` is the package's closed list. */
export class DespError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly kind: ErrorKind;
  readonly retryable: boolean;
  readonly cure: string | undefined;
  readonly where: SourcePlace | undefined;

  constructor(code: Code, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.kind = details.kind;
    this.retryable = details.retryable ?? false;
    this.cure = details.cure;
    this.where = details.where;
  }

  /** The JSON form that APIs and `--json` print; never holds the cause, which may hold what others must not see. */
  toJSON(): { code: Code; message: string; kind: ErrorKind; retryable: boolean; cure?: string; where?: SourcePlace } {
    return {
      code: this.code,
      message: this.message,
      kind: this.kind,
      retryable: this.retryable,
      ...(this.cure === undefined ? {} : { cure: this.cure }),
      ...(this.where === undefined ? {} : { where: this.where }),
    };
  }
}

/** `file:line:column`, as editors and terminals link it. */
export function formatPlace(place: SourcePlace): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(':');
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Fails as a bug when a union was not exhausted. */
export function unreachable(value: never): never {
  throw new DespError('UNREACHABLE', `A case was forgotten: ${JSON.stringify(value)}.`, { kind: 'bug' });
}
