import { PipelineError } from './errors.ts';
import { type ShellCommand, type ShellWord, shellCommands } from './shell-words.ts';
import type { PlannedJob } from './types.ts';

/** What a job asks of the platform: `desp job build` or `desp job release --env ENVIRONMENT`. A job has one at most. */
export interface JobVerb {
  readonly name: 'build' | 'release';
  readonly environment?: string;
}

type Script = Pick<PlannedJob, 'name' | 'beforeScript' | 'script' | 'afterScript' | 'variables' | 'place'>;

/** Words before a command that leave it the same command. */
const before = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'exec', 'command', 'time']);
/** Commands whose arguments are only shown. */
const shown = new Set(['echo', 'printf', ':']);
const mention = /\bdesp\s+job\b/;

/**
 * The verb that a job's script calls. The platform has to know it before the job runs: a release waits for its promotion, and
 * what a delivery's stops show follows from it. So what only the running script would know is refused.
 *
 * @throws PipelineError SCRIPT_UNCLEAR saying which line cannot be planned, and how to write it
 */
export function jobVerbOf(job: Script): JobVerb | undefined {
  const outside = [...job.beforeScript, ...job.afterScript].find((line) => verbsIn(line, job).length > 0);
  if (outside !== undefined) throw unclear(job, outside, 'a verb of the platform stands in script, not in before_script or after_script');
  const verbs = job.script.flatMap((line) => verbsIn(line, job).map((verb) => ({ line, verb })));
  const [first, ...more] = verbs;
  const other = more.find(({ verb }) => verb.name !== first?.verb.name || verb.environment !== first.verb.environment);
  if (other)
    throw unclear(job, other.line, 'a job calls one verb of the platform, for one environment', 'Write a job of its own for each.');
  return first?.verb;
}

function verbsIn(line: string, job: Script): JobVerb[] {
  const verbs: JobVerb[] = [];
  for (const command of shellCommands(line, job.variables)) {
    const words = afterPrefixes(command);
    const [program, group] = words;
    if (program?.text.replace(/^.*\//, '') === 'desp' && group?.text === 'job') verbs.push(readVerb(words.slice(2), line, job));
    else if (!shown.has(program?.text ?? '') && mention.test(words.map(({ text }) => text).join(' ')))
      throw unclear(job, line, 'the platform has to see the verb as a command of its own');
  }
  return verbs;
}

const afterPrefixes = (command: ShellCommand): ShellCommand => {
  const start = command.findIndex(({ text }) => !before.has(text) && !/^[A-Za-z_]\w*=/.test(text));
  return start < 0 ? [] : command.slice(start);
};

function readVerb([verb, ...rest]: readonly ShellWord[], line: string, job: Script): JobVerb {
  const unknown = [verb, ...rest].find((word) => word?.unknown);
  if (unknown)
    throw unclear(job, line, `only the running script knows what ${JSON.stringify(unknown.text)} becomes, and the platform plans before`);
  const name = verb?.text;
  if (name !== 'build' && name !== 'release') throw unclear(job, line, `there is no verb ${JSON.stringify(name ?? '')}`);
  let environment: string | undefined;
  for (let at = 0; at < rest.length; at++) {
    const text = rest[at]?.text ?? '';
    const value = text === '--env' ? rest[++at]?.text : /^--env=(.*)$/s.exec(text)?.[1];
    if (value === undefined || environment !== undefined)
      throw unclear(job, line, text === '--env' || environment !== undefined ? '--env is given once, with a name' : `${text} is no option`);
    environment = value;
  }
  if (environment !== undefined && !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(environment))
    throw unclear(job, line, `${JSON.stringify(environment)} cannot be the name of an environment`);
  if (name === 'release' && environment === undefined) throw unclear(job, line, 'a release names its environment');
  return { name, ...(environment === undefined ? {} : { environment }) };
}

const unclear = (job: Script, line: string, why: string, cure = 'Extend a template, or write: desp job release --env ENVIRONMENT.') =>
  new PipelineError(
    'SCRIPT_UNCLEAR',
    `Job "${job.name}": the line ${JSON.stringify(line.slice(0, 120))} cannot be planned: ${why}.`,
    job.place,
    cure,
  );
