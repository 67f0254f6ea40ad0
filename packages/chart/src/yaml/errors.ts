/** YAML that cannot be read; the message is go-yaml's, `yaml: line N: …`. */
export class YamlError extends Error {
  constructor(problem: string, line = 0) {
    super(`yaml: ${line > 0 ? `line ${line}: ` : ''}${problem}`);
    this.name = 'YamlError';
  }
}
