/** How bad a finding of `lint` is: `error` stops an installation, `warning` breaks a convention, `info` is a hint. */
export type LintSeverity = 'info' | 'warning' | 'error';

/** One finding, in Helm's words. */
export interface LintMessage {
  readonly severity: LintSeverity;
  /** The file it concerns, relative to the chart; the chart's folder itself for its dependencies. */
  readonly path: string;
  readonly text: string;
}

/** As `helm lint` prints it: `[ERROR] Chart.yaml: version is required`. */
export function formatLintMessage({ severity, path, text }: LintMessage): string {
  return `[${severity.toUpperCase()}] ${path}: ${text}`;
}

/** Collects findings; each rule says what is wrong, or undefined. */
export class Findings {
  readonly messages: LintMessage[] = [];

  /** Notes the finding, if there is one. @returns whether the rule is met */
  rule(severity: LintSeverity, path: string, problem: string | undefined): boolean {
    if (problem === undefined) return true;
    this.messages.push({ severity, path, text: problem });
    return false;
  }
}
