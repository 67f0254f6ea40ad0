import { PipelineError } from './errors.ts';
import { compileExpression, ExpressionError } from './expression.ts';
import { ruleKeywords } from './keywords.ts';
import { booleanOf, checkKeywords, mapOf, oneOf, textOf, variablesOf } from './node-values.ts';
import type { SourceMap, SourceNode } from './source-tree.ts';
import type { Variable } from './variables.ts';

const ruleWhens = ['on_success', 'on_failure', 'always', 'manual', 'never'] as const;

/** What the first rule that holds decides. */
export interface RuleDecision {
  readonly when?: (typeof ruleWhens)[number];
  readonly allowFailure?: boolean;
  readonly variables: ReadonlyMap<string, Variable>;
}

/**
 * Evaluates `rules` in order (https://docs.gitlab.com/ci/yaml/#rules). Undefined: none holds, and the job is not part of the
 * pipeline. Every rule is read, so that a fault in a rule that does not decide is found too. Throws `PipelineError`.
 */
export function decideRules(job: string, node: SourceNode, values: ReadonlyMap<string, string>): RuleDecision | undefined {
  const where = `rules of job "${job}"`;
  if (node.kind !== 'list') throw new PipelineError('VALUE_INVALID', `${where} is no list.`, node.place, 'Write a list of rules.');
  const rules = node.items.map((item) => readRule(where, mapOf(`An entry of ${where}`, item)));
  return rules.find((rule) => rule.holds(values))?.decision;
}

function readRule(where: string, map: SourceMap): { holds: (values: ReadonlyMap<string, string>) => boolean; decision: RuleDecision } {
  const [fault] = checkKeywords(where, map.entries, ruleKeywords).errors;
  if (fault) throw fault;
  const [condition, when, allowFailure] = ['if', 'when', 'allow_failure'].map((name) => map.entries.get(name)?.node);
  return {
    holds: condition ? compileAt(where, condition) : () => true,
    decision: {
      ...(when ? { when: oneOf(`when in ${where}`, when, ruleWhens) } : {}),
      ...(allowFailure ? { allowFailure: booleanOf(`allow_failure in ${where}`, allowFailure) } : {}),
      variables: variablesOf(where, map.entries.get('variables')?.node),
    },
  };
}

function compileAt(where: string, node: SourceNode): ReturnType<typeof compileExpression> {
  const text = textOf(`if in ${where}`, node);
  try {
    return compileExpression(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new PipelineError(
      'EXPRESSION_INVALID',
      `Cannot read the expression \`${text.slice(0, 200)}\` in ${where}: ${error.message} (character ${error.offset + 1}).`,
      node.place,
      'Use ==, !=, =~, !~, &&, ||, parentheses, null, "text", $NAME and /pattern/.',
    );
  }
}
