/** YAML that cannot be read; the message is go-yaml's, `yaml: line N: …`. */
export class YamlError extends Error {
  /** As the message counts it; where it names none, the line (from 1) on which it was found, or 0. */
  readonly line: number;
  /** It is our bounds that the text goes past, where go-yaml would have read on. */
  readonly isLimit: boolean;

  constructor(problem: string, line = 0, { isLimit = false, foundOn = 0 } = {}) {
    super(`yaml: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
    this.name = 'YamlError';
    this.line = line > 0 ? line : foundOn;
    this.isLimit = isLimit;
  }
}
