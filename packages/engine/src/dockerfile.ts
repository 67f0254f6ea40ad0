import {
  type Arg,
  type Copy,
  DockerfileParser,
  type Env,
  type From,
  type Instruction,
  type ModifiableInstruction,
  type Run,
} from 'dockerfile-ast';
import { EngineError } from './errors.ts';

const maxBytes = 256 * 1024;
const maxInstructions = 2000;
const remote = /^(?:https?|git|ssh|ftp):\/\/|^git@/i;

/**
 * Reads a Dockerfile before it is built: which outside images it names (`FROM`, `COPY --from`, `RUN --mount=…,from=`).
 *
 * What it refuses would fail inside the build as well, which has no network and knows the given images only; here it fails
 * at once, with the line and what to do. The text is not rewritten: the build sees what its author wrote.
 * @returns the names that the build needs, each once and as written after `ARG` substitution, without `scratch` and stages
 * @throws EngineError DOCKERFILE_INVALID, BASE_IMAGE_UNKNOWN with the line
 */
export function readDockerfile(
  text: string,
  file: string,
  buildArgs: Readonly<Record<string, string>>,
  known: readonly string[],
): string[] {
  const invalid = (line: number, what: string, cure: string) =>
    new EngineError('DOCKERFILE_INVALID', `${file}, line ${line}: ${what}`, { kind: 'user', where: { file, line }, cure });
  if (Buffer.byteLength(text) > maxBytes) throw invalid(1, `it is larger than ${maxBytes} bytes.`, 'Make it smaller.');
  const instructions = parse(text);
  if (instructions === undefined) throw invalid(1, 'it cannot be parsed.', 'Write it as the Dockerfile reference says.');
  if (instructions.length > maxInstructions)
    throw invalid(1, `it has more than ${maxInstructions} instructions.`, 'Gather several commands in one RUN.');

  const stages: (string | undefined)[] = [];
  const needed = new Set<string>();
  const unknown = (name: string, line: number) =>
    new EngineError(
      'BASE_IMAGE_UNKNOWN',
      `${file}, line ${line}: the image ${JSON.stringify(name)} is not one of the platform's base images.`,
      { kind: 'user', where: { file, line }, cure: `Use one of: ${['scratch', ...known].join(', ')}.` },
    );
  /** Variables that `FROM` sees, and those of the stage; an `ARG` in a stage without a value takes the outer one. */
  const outer = new Map<string, string>();
  let scope = outer;

  /** The source of a copy or mount: an earlier stage by name or number, or an image; variables are not expanded there. */
  const needSource = (name: string, line: number, instruction: string) => {
    if (name.includes('$'))
      throw invalid(
        line,
        `${instruction} names its source with a variable, which is not expanded there.`,
        'FROM the image AS a stage, and name the stage.',
      );
    const earlier = stages.slice(0, -1);
    if (earlier.includes(name.toLowerCase()) || (/^\d+$/.test(name) && Number(name) < earlier.length)) return;
    if (!known.includes(name)) throw unknown(name, line);
    needed.add(name);
  };

  for (const instruction of instructions) {
    const line = instruction.getRange().start.line + 1;
    const keyword = instruction.getKeyword();
    if (stages.length === 0 && keyword !== 'FROM' && keyword !== 'ARG')
      throw invalid(line, `${keyword} stands before the first FROM.`, 'Begin with FROM.');
    switch (keyword) {
      case 'FROM': {
        const from = instruction as From;
        const name = substitute(from.getImage() ?? '', outer);
        const stage = from.getBuildStage()?.toLowerCase();
        if (name === '') throw invalid(line, 'FROM names no image.', 'Name one; an ARG before it needs a value.');
        if (stage !== undefined && !/^[a-z][a-z0-9_.-]{0,99}$/.test(stage))
          throw invalid(line, `${JSON.stringify(stage)} is no name of a stage.`, 'Use letters, digits, dashes; begin with a letter.');
        if (name !== 'scratch' && !stages.includes(name.toLowerCase())) {
          if (!known.includes(name)) throw unknown(name, line);
          needed.add(name);
        }
        stages.push(stage);
        scope = new Map();
        break;
      }
      case 'ARG': {
        const property = (instruction as Arg).getProperty();
        if (!property) break;
        const name = property.getName();
        const own = property.getValue();
        const value = buildArgs[name] ?? (own === null ? outer.get(name) : substitute(own, scope));
        if (value !== undefined) scope.set(name, value);
        break;
      }
      case 'ENV':
        for (const property of (instruction as Env).getProperties())
          scope.set(property.getName(), substitute(property.getValue() ?? '', scope));
        break;
      case 'COPY': {
        const source = (instruction as Copy).getFromFlag()?.getValue();
        if (source) needSource(source, line, 'COPY --from');
        break;
      }
      case 'RUN':
        for (const source of mountSources(instruction as Run)) needSource(source, line, 'RUN --mount');
        break;
      case 'ADD':
        if (instruction.getArguments().some((argument) => remote.test(substitute(argument.getValue(), scope))))
          throw invalid(
            line,
            'ADD of a URL needs a network, and builds have none.',
            'Put the file into the repository and ADD it from there.',
          );
        break;
    }
    if (keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD') {
      // The builder would take the lines of the document for instructions.
      if ((instruction as Run).getHeredocs().length > 0)
        throw invalid(
          line,
          `${keyword} has a here-document, which needs BuildKit.`,
          'Put the text into a file of the repository, or use `\\` at the ends of lines.',
        );
    }
  }
  if (stages.length === 0) throw invalid(1, 'it has no FROM.', 'Begin with FROM.');
  return [...needed];
}

/** The parser is tolerant of nearly everything; what makes it throw is no Dockerfile. */
function parse(text: string): Instruction[] | undefined {
  try {
    return DockerfileParser.parse(text).getInstructions();
  } catch {
    return undefined;
  }
}

/** `from=` of every `--mount`; the options of a mount are comma-separated, as in CSV. */
function mountSources(run: Run): string[] {
  return (run as ModifiableInstruction)
    .getFlags()
    .filter((flag) => flag.getName().toLowerCase() === 'mount')
    .flatMap((flag) => (flag.getValue() ?? '').replaceAll('"', '').split(','))
    .flatMap((option) => /^\s*from\s*=\s*(.*?)\s*$/i.exec(option)?.[1] ?? []);
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
