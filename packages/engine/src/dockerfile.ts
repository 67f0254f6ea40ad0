import { DockerfileParser } from 'dockerfile-ast';
import { EngineError } from './errors.ts';

const maxBytes = 256 * 1024;
const remote = /^(?:https?|git|ssh):\/\/|^git@/i;

/**
 * Reads a Dockerfile before it is built: which outside images it names (`FROM`, `COPY --from`), after `ARG` substitution.
 *
 * @returns the names, each once, without `scratch` and stages; and the text in which FROM and COPY name the n-th of them by
 *   its full local name `localhost/desp-base/n:1`, for buildah looks a short name up at registries only
 * @throws EngineError DOCKERFILE_INVALID, BASE_IMAGE_UNKNOWN with the line
 */
export function readDockerfile(
  text: string,
  file: string,
  buildArgs: Readonly<Record<string, string>>,
  known: readonly string[],
): { images: string[]; text: string } {
  if (text.length > maxBytes)
    throw new EngineError('DOCKERFILE_INVALID', `${file} is larger than ${maxBytes} bytes.`, { kind: 'user', where: { file } });
  const dockerfile = DockerfileParser.parse(text);
  const values = new Map<string, string>();
  for (const arg of dockerfile.getInitialARGs()) {
    const property = arg.getProperty();
    if (!property) continue;
    const value = buildArgs[property.getName()] ?? property.getValue();
    if (value !== null && value !== undefined) values.set(property.getName(), substitute(value, values));
  }
  const stages = new Set<string>();
  const needed = new Set<string>();
  const replacements: { line: number; written: string; local: string }[] = [];
  const need = (written: string, line: number) => {
    const name = substitute(written, values);
    if (name === 'scratch' || stages.has(name.toLowerCase()) || /^\d+$/.test(name)) return;
    if (!known.includes(name))
      throw new EngineError(
        'BASE_IMAGE_UNKNOWN',
        `${file}, line ${line}: the image ${JSON.stringify(name)} is not one of the platform's base images.`,
        {
          kind: 'user',
          where: { file, line },
          cure: `Use one of: ${['scratch', ...known].join(', ')}.`,
        },
      );
    needed.add(name);
    replacements.push({ line: line - 1, written, local: `localhost/desp-base/${[...needed].indexOf(name)}:1` });
  };
  const froms = dockerfile.getFROMs();
  if (froms.length === 0) throw new EngineError('DOCKERFILE_INVALID', `${file} has no FROM.`, { kind: 'user', where: { file, line: 1 } });
  for (const instruction of dockerfile.getInstructions()) {
    const line = instruction.getRange().start.line + 1;
    const start = froms.find((candidate) => candidate.getRange().start.line + 1 === line);
    if (start) {
      need(start.getImage() ?? '', line);
      const stage = start.getBuildStage();
      if (stage) stages.add(stage.toLowerCase());
      continue;
    }
    const words = instruction.getArguments().map((argument) => argument.getValue());
    const source = text
      .split('\n')
      .slice(line - 1, instruction.getRange().end.line + 1)
      .join(' ');
    const from = instruction.getKeyword() === 'COPY' ? /\s--from=(\S+)/.exec(source)?.[1] : undefined;
    if (from) need(from, line);
    if (instruction.getKeyword() === 'ADD' && words.some((word) => remote.test(substitute(word, values))))
      throw new EngineError('DOCKERFILE_INVALID', `${file}, line ${line}: ADD of a URL needs a network, and builds have none.`, {
        kind: 'user',
        where: { file, line },
        cure: 'Put the file into the repository and ADD it from there.',
      });
  }
  const lines = text.split('\n');
  for (const { line, written, local } of replacements) {
    // An instruction may go on over several lines: the name stands on the first that has it.
    const at = lines.findIndex((content, index) => index >= line && content.includes(written));
    if (at >= 0) lines[at] = (lines[at] as string).replace(written, () => local);
  }
  return { images: [...needed], text: lines.join('\n') };
}

/** `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`, as the Dockerfile reference has them for FROM. */
function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (_whole, plain: string, braced: string, operator: string, word: string) => {
      const value = values.get(plain ?? braced);
      if (operator === '-') return value || word;
      if (operator === '+') return value ? word : '';
      return value ?? '';
    },
  );
}
