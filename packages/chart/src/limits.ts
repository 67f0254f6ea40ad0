/** What one load or render may cost; a chart that goes past ends with `LIMIT_EXCEEDED`. */
export interface Limits {
  /**
   * Work: a step is half a microsecond or 120 bytes, four nodes of templates, or a call of a function, which costs more
   * by the size of what it reads and makes (functions/costs.ts).
   */
  readonly steps: number;
  /** Characters that all templates together may print, and that one string may hold. */
  readonly outputLength: number;
  /** Depth of include, template and tpl calls together. Go allows 100,000 on its growing stack; ours does not grow. */
  readonly depth: number;
  /** Certificates with keys of their own: a key takes 40 ms of a processor, and public charts make up to fifty. */
  readonly certificates: number;
  /** Bytes of one file of the chart. Helm's own figure. */
  readonly fileBytes: number;
  /** Bytes of all files of a chart. Helm's own figure for archives. */
  readonly chartBytes: number;
  readonly files: number;
}

export const defaultLimits: Limits = {
  steps: 2_400_000,
  outputLength: 64 * 1024 * 1024,
  depth: 1100,
  certificates: 64,
  fileBytes: 5 * 1024 * 1024,
  chartBytes: 100 * 1024 * 1024,
  files: 20_000,
};
