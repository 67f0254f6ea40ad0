import { ChartError } from '../errors.ts';
import { GoError } from '../functions/define.ts';
import { warningEnd, warningStart } from '../functions/rendering.ts';
import { ExecutionError, type TemplateSyntaxError } from '../language/failures.ts';
import type { Profile } from '../profile.ts';

/** Gives failures of templates the words that Helm gives them. */

/** `parse error at (FILE:LINE): …`. */
export function parseFailure(error: TemplateSyntaxError, file: string): ChartError {
  const tokens = error.message.split(': ');
  const message = tokens.length === 1 ? `parse error in (${file}): ${error.message}` : `parse error at (${tokens[1]}): ${tokens.at(-1)}`;
  return new ChartError('TEMPLATE_PARSE', message, { where: { file, line: error.line }, cure: 'Mend the template.', cause: error });
}

/** What `fail` and `required` say stands alone; other failures keep Go's chain, split over lines in Helm 4. */
export function executionFailure(error: ExecutionError, file: string, profile: Profile): ChartError {
  const where = error.place ?? { file };
  const tokens = splitInThree(error.message);
  const failure = (message: string): ChartError =>
    new ChartError('TEMPLATE_EXECUTION', message, { where, cure: 'Look at the named line and at the values it reads.', cause: error });
  if (!tokens) return failure(`execution error in (${file}): ${error.message}`);
  const [, location, rest] = tokens;
  const start = rest.indexOf(warningStart);
  const end = rest.lastIndexOf(warningEnd);
  if (start >= 0 && end > start) return failure(`execution error at (${location}): ${rest.slice(start + warningStart.length, end)}`);
  return failure(profile.indentedErrors ? indented(error) : error.message);
}

function splitInThree(text: string): [string, string, string] | undefined {
  const first = text.indexOf(': ');
  const second = first < 0 ? -1 : text.indexOf(': ', first + 2);
  return second < 0 ? undefined : [text.slice(0, first), text.slice(first + 2, second), text.slice(second + 2)];
}

/** Helm 4's form, one step of the chain after the other; the plain message where a step is no template error. */
function indented(error: ExecutionError): string {
  const steps: string[] = [];
  for (let current: Error | undefined = error; current; current = wrappedBy(current)) {
    const step = traceStep(current.message);
    if (step === undefined) return error.message;
    if (steps.at(-1) !== step) steps.push(step);
  }
  return steps.join('').trim();
}

function wrappedBy(error: Error): Error | undefined {
  return error instanceof ExecutionError || error instanceof GoError ? error.wrapped : undefined;
}

function traceStep(message: string): string | undefined {
  const prefix = 'template: ';
  if (!message.startsWith(prefix)) return undefined;
  const rest = message.slice(prefix.length);
  if (rest.startsWith('no template ')) return `${message}\n`;
  const found = /^(.*?): executing "([^"]*)" at <(.*?)>: ([\s\S]*)$/s.exec(rest);
  if (found) {
    const [, location, name, at, problem = ''] = found;
    return `${location}\n  executing "${name}" at <${at}>:\n    ${cutChain(problem)}\n`;
  }
  const last = rest.lastIndexOf(': ');
  return last < 0 ? undefined : `${rest.slice(0, last)}\n  ${cutChain(rest.slice(last + 2))}\n`;
}

/** A step shows its own problem, not the next template's. */
function cutChain(problem: string): string {
  const next = problem.indexOf(' template:');
  return next < 0 ? problem : problem.slice(0, next);
}
