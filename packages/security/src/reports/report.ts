import type { Instant, Score, Severity } from '@desp/model';

/** What an outside scanner said about an image, in one shape whatever its format. Evidence beside our own matching, never instead. */
export interface OutsideFinding {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly package: { readonly name: string; readonly version: string; readonly purl?: string };
  readonly location: string;
  readonly scores: readonly Score[];
  readonly labels: readonly Severity[];
  readonly summary: string;
  readonly fixedIn?: string;
  /** The tool's reason for leaving it out; it is counted again all the same. */
  readonly suppressed?: string;
}

export interface OutsideReport {
  readonly tool: string;
  readonly format: string;
  /** Digests of image manifests that the report says it is about. */
  readonly subjects: readonly string[];
  readonly producedAt?: Instant;
  readonly findings: readonly OutsideFinding[];
  /** Why the report cannot count as a whole one; empty when it can. */
  readonly problems: readonly string[];
}
