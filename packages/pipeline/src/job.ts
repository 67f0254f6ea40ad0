import { PipelineError } from './errors.ts';
import { booleanOf, durationOf, mapOf, oneOf, retriesOf, scriptOf, textOf, textsOf, variablesOf, wrong } from './node-values.ts';
import { decideRules, type RuleDecision } from './rules.ts';
import type { SourceEntry, SourceMap, SourceNode } from './source-tree.ts';
import type { PlannedJob, PlannedNeed, PlannedWhen } from './types.ts';
import { expandText, expandVariables, jobVariables, layer, literalValues, type OnUnset, type Variables } from './variables.ts';

/** What a job takes from around it. */
export interface JobSurroundings {
  /** Predefined variables and the file's own, in this order. */
  readonly base: Variables;
  /** Variables from outside the file. */
  readonly outside: Variables;
  readonly stages: readonly string[];
  readonly onUnset: OnUnset;
}

/** Plans one job whose `extends` and `default` are resolved. Undefined: its rules leave it out. Throws `PipelineError`. */
export function planJob(name: string, entry: SourceEntry, around: JobSurroundings): PlannedJob | undefined {
  const map = mapOf(`Job "${name}"`, entry.node);
  const get = (keyword: string): SourceNode | undefined => {
    const node = map.entries.get(keyword)?.node;
    return node?.kind === 'scalar' && node.value === null ? undefined : node;
  };
  const of = (keyword: string): string => `${keyword} of job "${name}"`;
  const script = get('script');
  const stage = stageOf(name, get('stage'), entry, around.stages);
  const own = variablesOf(`job "${name}"`, get('variables'));
  const environmentNode = get('environment');
  const environment = environmentNode && environmentOf(of('environment'), environmentNode);
  const predefined = jobVariables({ name, stage, ...(environment ? { environment: environment.name } : {}) });

  const decision = decideJob(name, get, layer(around.base, predefined, own, around.outside));
  if (!decision) return undefined;
  if (!script)
    throw new PipelineError('VALUE_INVALID', `Job "${name}" has no script.`, entry.place, 'Extend a template, or write a script.');

  const literal = layer(around.base, predefined, own, decision.variables, around.outside);
  const variables = expandVariables(literal, around.onUnset);
  const expand = (text: string): string => expandText(text, (reference) => variables.get(reference) ?? '');
  const environmentName = environment && expand(environment.name);
  if (environmentName !== undefined)
    for (const [key, { value }] of jobVariables({ name, stage, environment: environmentName })) variables.set(key, value);

  const lines = (keyword: string): string[] => {
    const node = get(keyword);
    return node ? scriptOf(of(keyword), node) : [];
  };
  const [needs, image, timeout, retry, tags] = ['needs', 'image', 'timeout', 'retry', 'tags'].map(get);
  return {
    name,
    stage,
    beforeScript: lines('before_script'),
    script: lines('script'),
    afterScript: lines('after_script'),
    ...(image ? { image: imageOf(of('image'), image, expand) } : {}),
    variables: Object.fromEntries(variables),
    ...(needs ? { needs: needsOf(of('needs'), needs) } : {}),
    when: decision.when,
    allowFailure: decision.allowFailure,
    ...(decision.exitCodes ? { allowFailureExitCodes: decision.exitCodes } : {}),
    ...(environmentName === undefined
      ? {}
      : { environment: { name: environmentName, ...(environment?.url ? { url: expand(environment.url) } : {}) } }),
    ...(timeout ? { timeoutSeconds: durationOf(of('timeout'), timeout) } : {}),
    retries: retry ? retriesOf(of('retry'), retry) : 0,
    tags: tags ? textsOf(of('tags'), tags) : [],
    place: entry.place,
  };
}

function stageOf(name: string, node: SourceNode | undefined, entry: SourceEntry, stages: readonly string[]): string {
  const stage = node ? textOf(`stage of job "${name}"`, node) : 'test';
  if (stages.includes(stage)) return stage;
  throw new PipelineError(
    'STAGE_UNKNOWN',
    `Job "${name}" is in stage "${stage}", which is not among the stages ${stages.join(', ')}.`,
    node?.place ?? entry.place,
    node ? `Add "${stage}" to stages, or choose another.` : 'Give the job a stage; without one it is in "test".',
  );
}

interface JobDecision {
  readonly when: PlannedWhen;
  readonly allowFailure: boolean;
  readonly exitCodes?: readonly number[];
  readonly variables: Variables;
}

/**
 * `when` and `allow_failure` of the job and of the rule that holds. A manual job may fail by default, so that nobody waits for
 * it; one that a rule made manual may not (https://docs.gitlab.com/ci/jobs/job_control/#types-of-manual-jobs).
 */
function decideJob(name: string, get: (keyword: string) => SourceNode | undefined, variables: Variables): JobDecision | undefined {
  const whenNode = get('when');
  const when = whenNode ? oneOf(`when of job "${name}"`, whenNode, ['on_success', 'on_failure', 'always', 'manual']) : undefined;
  const allowNode = get('allow_failure');
  const allow = allowNode ? allowFailureOf(`allow_failure of job "${name}"`, allowNode) : undefined;
  const rules = get('rules');
  const rule: RuleDecision | undefined = rules ? decideRules(name, rules, literalValues(variables)) : { variables: new Map() };
  if (!rule || rule.when === 'never') return undefined;
  return {
    when: rule.when ?? when ?? 'on_success',
    allowFailure: rule.allowFailure ?? allow?.allowed ?? (rule.when === undefined && when === 'manual'),
    ...(rule.allowFailure === undefined && allow?.exitCodes ? { exitCodes: allow.exitCodes } : {}),
    variables: rule.variables,
  };
}

function allowFailureOf(what: string, node: SourceNode): { allowed: boolean; exitCodes?: readonly number[] } {
  if (node.kind !== 'map') return { allowed: booleanOf(what, node) };
  const codes = node.entries.get('exit_codes')?.node;
  if (!codes || node.entries.size !== 1) throw wrong(what, node, 'boolean or map with exit_codes');
  const exitCodes = (codes.kind === 'list' ? codes.items : [codes]).map((item) => {
    if (item.kind === 'scalar' && typeof item.value === 'number' && Number.isInteger(item.value) && item.value > 0 && item.value < 256)
      return item.value;
    throw wrong(`exit_codes in ${what}`, item, 'number of 1 to 255');
  });
  return { allowed: false, exitCodes };
}

function environmentOf(what: string, node: SourceNode): { name: string; url?: string } {
  if (node.kind !== 'map') return { name: textOf(what, node) };
  const name = node.entries.get('name')?.node;
  const url = node.entries.get('url')?.node;
  const action = node.entries.get('action')?.node;
  for (const [key, entry] of node.entries)
    if (!['name', 'url', 'action'].includes(key))
      throw new PipelineError('KEYWORD_UNSUPPORTED', `${what}: "${key}" is outside the subset.`, entry.place, `Remove "${key}".`);
  if (!name) throw wrong(what, node, 'map with a name');
  if (action) oneOf(`action in ${what}`, action, ['start']);
  return { name: textOf(what, name), ...(url ? { url: textOf(`url in ${what}`, url) } : {}) };
}

function imageOf(what: string, node: SourceNode, expand: (text: string) => string): { name: string; entrypoint?: string[] } {
  if (node.kind !== 'map') return { name: expand(textOf(what, node)) };
  for (const [key, entry] of node.entries)
    if (key !== 'name' && key !== 'entrypoint')
      throw new PipelineError('KEYWORD_UNSUPPORTED', `${what}: "${key}" is outside the subset.`, entry.place, `Remove "${key}".`);
  const [name, entrypoint] = [node.entries.get('name')?.node, node.entries.get('entrypoint')?.node];
  if (!name) throw wrong(what, node, 'map with a name');
  return { name: expand(textOf(what, name)), ...(entrypoint ? { entrypoint: textsOf(`entrypoint in ${what}`, entrypoint) } : {}) };
}

/** GitLab's limit for one job. */
const needsLimit = 50;

function needsOf(what: string, node: SourceNode): PlannedNeed[] {
  if (node.kind !== 'list') throw wrong(what, node, 'list of jobs');
  if (node.items.length > needsLimit)
    throw new PipelineError(
      'NEEDS_INVALID',
      `${what} names ${node.items.length} jobs; ${needsLimit} are allowed.`,
      node.place,
      'Use stages.',
    );
  return node.items.map((item) =>
    item.kind === 'map' ? needOf(what, item) : { job: textOf(what, item), optional: false, artifacts: true },
  );
}

function needOf(what: string, map: SourceMap): PlannedNeed {
  for (const [key, entry] of map.entries)
    if (!['job', 'optional', 'artifacts'].includes(key))
      throw new PipelineError(
        'KEYWORD_UNSUPPORTED',
        `${what}: "${key}" is outside the subset: needs are jobs of the same pipeline.`,
        entry.place,
        `Remove "${key}".`,
      );
  const [job, optional, artifacts] = ['job', 'optional', 'artifacts'].map((key) => map.entries.get(key)?.node);
  if (!job) throw wrong(`An entry of ${what}`, map, 'map with a job');
  return {
    job: textOf(what, job),
    optional: optional ? booleanOf(`optional in ${what}`, optional) : false,
    artifacts: artifacts ? booleanOf(`artifacts in ${what}`, artifacts) : true,
  };
}
