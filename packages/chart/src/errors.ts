import { DespError, type ErrorDetails } from '@desp/runtime/errors';

export { formatPlace, type SourcePlace } from '@desp/runtime/errors';

/**
 * Why a chart could not be loaded or rendered.
 *
 * - `CHART_INVALID`: Chart.yaml or another file of the chart is missing or wrong.
 * - `VALUES_INVALID`: a values file or a `--set` expression cannot be read.
 * - `SCHEMA_VIOLATION`: values do not meet the chart's JSON Schema.
 * - `DEPENDENCY_MISSING`: Chart.yaml names a dependency that charts/ lacks.
 * - `TEMPLATE_PARSE`: a template is not in the template language.
 * - `TEMPLATE_EXECUTION`: a template failed while it ran (`required` and `fail` included).
 * - `MANIFEST_INVALID`: what a template printed is not YAML.
 * - `INCOMPATIBLE`: the chart does not support the given Kubernetes version.
 * - `LIMIT_EXCEEDED`: a render or a load went past one of its limits.
 * - `SIGNATURE_INVALID`: a provenance file does not vouch for its archive, or none can be made.
 * - `EXPRESSION_INVALID`: a JSONPath expression cannot be read.
 * - `UNSUPPORTED`: asked for something this package refuses to do.
 */
export type ChartErrorCode =
  | 'CHART_INVALID'
  | 'VALUES_INVALID'
  | 'SCHEMA_VIOLATION'
  | 'DEPENDENCY_MISSING'
  | 'TEMPLATE_PARSE'
  | 'TEMPLATE_EXECUTION'
  | 'MANIFEST_INVALID'
  | 'INCOMPATIBLE'
  | 'LIMIT_EXCEEDED'
  | 'SIGNATURE_INVALID'
  | 'EXPRESSION_INVALID'
  | 'UNSUPPORTED';

interface ChartErrorDetails extends Partial<ErrorDetails> {
  readonly log?: readonly string[];
  readonly rendered?: ReadonlyMap<string, string>;
}

/** A chart's failure. `message` is Helm's own message, byte for byte, wherever Helm has one. */
export class ChartError extends DespError<ChartErrorCode> {
  /** Lines that Helm logs on standard error before this failure; whoever logged before it was thrown adds them. */
  log: readonly string[];
  /** With MANIFEST_INVALID: what each template printed, by its path, for `--debug`. */
  readonly rendered: ReadonlyMap<string, string> | undefined;

  constructor(code: ChartErrorCode, message: string, details: ChartErrorDetails = {}) {
    super(code, message, { kind: 'user', ...details });
    this.log = details.log ?? [];
    this.rendered = details.rendered;
  }
}
