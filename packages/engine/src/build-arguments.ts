import { EngineError } from './errors.ts';

const maxValueBytes = 100 * 1024;

/**
 * Names that would steer the builder's own shell and programs if they stood in its environment. They travel as arguments
 * of the build command inside the container; a value that must not be seen has no such name.
 */
const steering =
  /^(?:PATH|HOME|TMPDIR|IFS|PPID|UID|EUID|ENV|PS\d|OPT\w+|SHELLOPTS|REGISTRY_AUTH_FILE|GODEBUG|GOTRACEBACK|GOMEMLIMIT|GOMAXPROCS|GOGC|(?:LD|XDG|BASH|BUILDAH|CONTAINERS?|STORAGE)_?.*|_.*)$/;

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Build arguments as shell text that the builder's script reads from a file of its own: it appends `--build-arg NAME` to
 * the positional parameters and puts the value into the environment, from where buildah takes it. So no value stands in a
 * process' arguments, which every user of the machine may read, or in the engine's records.
 * @throws EngineError DOCKERFILE_INVALID for a name or value that cannot be passed on
 */
export function renderBuildArguments(buildArgs: Readonly<Record<string, string>>): string {
  return Object.entries(buildArgs)
    .map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,199}$/.test(name)) throw refused(`its name ${JSON.stringify(name.slice(0, 80))} is not well-formed`);
      if (value.includes('\0')) throw refused(`the value of ${name} holds a zero byte`);
      if (Buffer.byteLength(value) > maxValueBytes) throw refused(`the value of ${name} is larger than ${maxValueBytes} bytes`);
      if (steering.test(name)) return `set -- "$@" --build-arg ${quote(`${name}=${value}`)}\n`;
      return `export ${name}=${quote(value)}\nset -- "$@" --build-arg ${name}\n`;
    })
    .join('');
}

const refused = (why: string) =>
  new EngineError('DOCKERFILE_INVALID', `A build argument cannot be passed to the build: ${why}.`, {
    kind: 'user',
    cure: 'Correct BUILD_ARGS of the job.',
  });
