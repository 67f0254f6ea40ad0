import type { SourcePlace } from '../errors.ts';
import { byteLength } from '../value/text.ts';
import type { AnyNode, Tree } from './nodes.ts';

/** The node at which a template failed, and why, without the place. */
export interface FailureSite {
  readonly tree: Tree;
  readonly node: AnyNode;
  /** The node's offset in the tree's text. */
  readonly pos: number;
  readonly problem: string;
}

/** A template that failed while it ran; the message is Go's, `template: FILE:L:C: executing …`. */
export class ExecutionError extends Error {
  /** What Go wraps with `%w`. */
  readonly wrapped: Error | undefined;
  readonly place: SourcePlace | undefined;
  readonly site: FailureSite | undefined;

  constructor(message: string, wrapped?: Error, place?: SourcePlace, site?: FailureSite) {
    super(message);
    this.name = 'ExecutionError';
    this.wrapped = wrapped;
    this.place = place;
    this.site = site;
  }
}

/** A template that cannot be parsed; the message is Go's, `template: FILE:LINE: …`. */
export class TemplateSyntaxError extends Error {
  readonly line: number;
  readonly problem: string;
  /** The word that is no function, where that is the problem. */
  readonly unknownFunction: string | undefined;

  constructor(file: string, line: number, problem: string, unknownFunction?: string) {
    super(`template: ${file}:${line}: ${problem}`);
    this.name = 'TemplateSyntaxError';
    this.line = line;
    this.problem = problem;
    this.unknownFunction = unknownFunction;
  }
}

/** Line (from 1) and column (bytes, from 0) of an offset, as Go's messages count them. */
export function placeOf({ source }: Tree, pos: number): { line: number; column: number } {
  return placeIn(source, pos);
}

export function placeIn(source: string, pos: number): { line: number; column: number } {
  const before = source.slice(0, pos);
  const start = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let at = before.indexOf('\n'); at >= 0; at = before.indexOf('\n', at + 1)) line++;
  return { line, column: byteLength(before.slice(start)) };
}
