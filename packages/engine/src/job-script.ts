import { type TarItem, tarOf } from './tar-writer.ts';

/**
 * The shell side of a job. The container's program waits for a mark, then runs the script that came with it: script and
 * variables travel as files into memory, never as arguments or as the container's environment, where anybody who may
 * inspect the engine would read the token.
 */

/** The first line that a job's container prints: it can take the repository now. Never shown. */
export const readyLine = 'desp: ready\n';

/** Runs first in the container: says that it is there, then waits 120 s at most for the script. */
export const waitScript = `mkdir -m 700 /run/desp
/bin/busybox mkfifo -m 600 /run/desp/go
exec 3<>/run/desp/go
printf '${readyLine.replace('\n', '\\n')}'
read -t 120 go <&3
[ -e /run/desp/start ] || exit 125
exec 3<&-
exec /bin/sh /run/desp/script`;

/** Run by `exec`: take a tar stream into the folder `$1`; the second also lets the script begin. */
export const unpackScript = 'mkdir -p "$1" && exec /bin/busybox tar -x -o -C "$1" -f -';
export const startScript = '/bin/busybox tar -x -o -C "$1" -f - && echo go > /run/desp/go';

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export interface JobScript {
  readonly variables: Readonly<Record<string, string>>;
  readonly before: readonly string[];
  readonly script: readonly string[];
  readonly after: readonly string[];
}

/** As GitLab's shell executor: each line is shown, the first that fails ends the script, `after_script` runs in a shell of its own. */
export function renderJobScript(job: JobScript, folder: string): string {
  const variables = Object.entries(job.variables)
    .map(([name, value]) => `export ${name}=${quote(value)}\n`)
    .join('');
  const body = (lines: readonly string[]) =>
    `set -eo pipefail\ncd ${quote(folder)}\n${lines.map((line) => `printf '%s\\n' ${quote(`$ ${line}`)}\n${line}\n`).join('')}`;
  const main = body([...job.before, ...job.script]);
  const after = body(job.after);
  return `exec 2>&1
${variables}export CI_JOB_STATUS=running
/bin/sh -c ${quote(main)} </dev/null
code=$?
${job.after.length === 0 ? '' : `[ "$code" = 0 ] && CI_JOB_STATUS=success || CI_JOB_STATUS=failed\nexport CI_JOB_STATUS\n/bin/sh -c ${quote(after)} </dev/null\n`}exit $code
`;
}

/** What is put into the container's `/run/desp`; the mark comes last. */
export function jobFiles(script: string): Buffer {
  const items: TarItem[] = [
    { kind: 'folder', path: 'desp', mode: 0o700 },
    { kind: 'file', path: 'desp/script', mode: 0o600, content: Buffer.from(script) },
    { kind: 'file', path: 'desp/start', mode: 0o600, content: new Uint8Array() },
  ];
  return tarOf(items);
}
