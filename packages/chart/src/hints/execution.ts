import { GoError } from '../functions/define.ts';
import { warningStart } from '../functions/rendering.ts';
import { ExecutionError, type FailureSite, TemplateSyntaxError } from '../language/failures.ts';
import { type AnyNode, type CommandNode, kind, printNode } from '../language/nodes.ts';
import { deepest } from '../trace/paths.ts';
import type { Read } from '../trace/pieces.ts';
import type { FailedSite } from '../trace/recorder.ts';
import type { ValueFinding } from './diagnosis.ts';
import { nearNames } from './near.ts';
import type { ValueSearch } from './value-findings.ts';
import { listed, missingCures, originText, typeWord } from './words.ts';

/** The innermost template's failure, which is the one to mend. */
export function innermost(error: ExecutionError): FailureSite | undefined {
  let site = error.site;
  for (let current: Error | undefined = error; current; current = wrappedBy(current)) {
    if (current instanceof ExecutionError && current.site) site = current.site;
  }
  return site;
}

/** The text of a tpl that could not be parsed. */
export function syntaxWithin(error: ExecutionError): TemplateSyntaxError | undefined {
  let current: Error | undefined = error;
  while (current && !(current instanceof TemplateSyntaxError)) current = wrappedBy(current);
  return current;
}

const wrappedBy = (error: Error): Error | undefined =>
  error instanceof ExecutionError || error instanceof GoError ? error.wrapped : undefined;

/** What a failed node read, and what to do about it. */
export function explainExecution(
  failed: FailedSite,
  search: ValueSearch,
  templates: Iterable<string>,
): { values: ValueFinding[]; cures: string[] } {
  const { node } = failed.site;
  const values = findings(failed.reads, search);
  const template = undefinedTemplate(node, failed.problem);
  if (template !== undefined) return { values: [], cures: undefinedTemplateCures(template, templates) };
  const missing = values.filter((value) => value.type === 'missing' || value.type === 'null');
  if (failed.problem.includes(warningStart)) {
    const deciding = [...values, ...findings(failed.conditions, search)];
    const own = 'The chart itself refuses these values: its message above says what it wants.';
    return { values: deciding, cures: [own, ...missing.flatMap(missingCures)] };
  }
  const last = values.at(-1);
  return { values, cures: missing.length > 0 ? missing.flatMap(missingCures) : last ? typeCures(failed, last) : [] };
}

/** Values that are told of one failure: a single action may read thousands. */
const mostFindings = 40;

/** Each value once, the last read last; what is below a missing one is not there to be looked for. */
function findings(reads: readonly Read[], search: ValueSearch): ValueFinding[] {
  const byNode = new Map(reads.map((read) => [read.node, read]));
  return deepest([...byNode.values()])
    .slice(-mostFindings)
    .map(({ node, value }) => search.find(node.path, value))
    .filter(({ origin }) => origin.kind !== 'builtin');
}

/** A value that is there, but of another type than its place wants. */
function typeCures({ site: { node }, statement }: FailedSite, value: ValueFinding): string[] {
  const isSet = value.origin.kind === 'unset' ? '' : `, set by ${originText(value.origin)}`;
  const what = `${value.name} is a ${typeWord(value.type)}${isSet}`;
  if (statement.type === kind.range) return [`${what}; range goes over lists and maps: write a list there.`];
  if (value.type === 'float64' && node.type === kind.command) {
    const reader = node.args.find((one) => one.type === kind.field || one.type === kind.variable || one.type === kind.chain);
    return [`${what}; numbers of values are never int here: compare and index with (int ${reader ? printNode(reader) : '…'}).`];
  }
  return [`${what}: give it the form that <${printNode(node)}> works on.`];
}

/** The name of the template that `include` or `template` does not find. */
function undefinedTemplate(node: AnyNode, problem: string): string | undefined {
  if (node.type === kind.template) return problem.endsWith(' not defined') ? node.name : undefined;
  if (node.type !== kind.command || !/no template "/.test(problem)) return undefined;
  const [first, name] = (node as CommandNode).args;
  return first?.type === kind.identifier && first.name === 'include' && name?.type === kind.string ? name.text : undefined;
}

function undefinedTemplateCures(name: string, templates: Iterable<string>): string[] {
  const all = [...templates];
  const near = nearNames(name, all);
  // A chart that was renamed leaves its helpers' first word behind.
  const rest = name.slice(name.indexOf('.'));
  const alike = near.length > 0 ? near : all.filter((other) => rest.length > 1 && other !== name && other.endsWith(rest)).slice(0, 3);
  if (alike.length > 0)
    return [
      `No template defines ${JSON.stringify(name)}; ${listed(
        alike.map((one) => JSON.stringify(one)),
        'or',
      )} is defined.`,
    ];
  return [`Define ${JSON.stringify(name)} in templates/_helpers.tpl, or put the library chart that defines it into charts/.`];
}
