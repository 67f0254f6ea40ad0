/** YAML that cannot be read; the message is go-yaml's, `yaml: line N: …`. */
export class YamlError extends Error {
  /** As the message counts it; 0 where it names none. */
  readonly line: number;

  constructor(problem: string, line = 0) {
    super(`yaml: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
    this.name = 'YamlError';
    this.line = Math.max(line, 0);
  }
}
