import { ChartError } from '../errors.ts';
import type { Crypto } from '../functions/crypto.ts';
import { type CallContext, GoError, nilPointer } from '../functions/define.ts';
import { type FunctionTable, functionsOf } from '../functions/registry.ts';
import type { Environment } from '../language/environment.ts';
import { executeTemplate } from '../language/evaluator.ts';
import { ExecutionError, TemplateSyntaxError } from '../language/failures.ts';
import type { Tree } from '../language/nodes.ts';
import { parseTemplate } from '../language/parser.ts';
import type { Statements } from '../language/statements.ts';
import { TemplateSet } from '../language/templates.ts';
import type { Watcher } from '../language/watcher.ts';
import type { ChartTemplate } from '../loader/chart.ts';
import { missingKey, tableAt } from '../loader/dependencies.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import type { Profile } from '../profile.ts';
import { toJsonValue } from '../value/json.ts';
import type { Methods, Value, ValueMap } from '../value/kinds.ts';
import { compareText, quote } from '../value/text.ts';
import { MapView } from '../value/view.ts';
import { countNodes } from '../value/weigh.ts';
import { writeYaml } from '../yaml/writer.ts';
import type { AgainRender } from './again/again.ts';
import { type Budget, LimitReached } from './budget.ts';
import { chartValue } from './chart-value.ts';
import { executionFailure, parseFailure } from './errors.ts';
import { Files } from './files.ts';
import type { RenderMemory } from './memory.ts';

/** Runs all templates of a chart and its subcharts: what Helm's engine package does. */

export interface EngineInput {
  readonly profile: Profile;
  readonly budget: Budget;
  readonly memory: RenderMemory;
  readonly crypto: Crypto;
  readonly now: () => Date;
  readonly release: ValueMap;
  readonly capabilities: Value;
  readonly values: ValueMap;
  readonly lookup: (apiVersion: string, kind: string, namespace: string, name: string) => ValueMap;
  readonly watcher?: Watcher | undefined;
  /** Knows what earlier renders printed. */
  readonly again?: AgainRender | undefined;
  /** See {@link CallContext.tolerate}. */
  readonly tolerate?: (line: string) => void;
  /** Takes the failures of files, after each of which the next is rendered; without it the first is thrown. */
  readonly onFailure?: ((failure: ChartError) => unknown) | undefined;
}

interface Renderable {
  readonly template: ChartTemplate;
  readonly scope: ValueMap;
  readonly basePath: string;
}

export interface Rendered {
  /** Texts of all templates that are no partials, by their path, in the order in which they ran. */
  readonly texts: Map<string, string>;
  /** What the templates of each chart were given. */
  readonly scopes: ReadonlySet<ValueMap>;
}

/** @throws ChartError */
export function renderTemplates(chart: WorkChart, input: EngineInput): Rendered {
  const renderables = new Map<string, Renderable>();
  collect(chart, input.values, input, renderables);
  const order = deepestFirst([...renderables.keys()]);
  const templates = new TemplateSet();
  for (const path of order) {
    try {
      const { template } = renderables.get(path) as Renderable;
      templates.add(parsed(template, path, input));
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      const failure = parseFailure(error, path);
      if (!input.onFailure) throw failure;
      input.onFailure(failure);
    }
  }
  const scopes = new Set([...renderables.values()].map(({ scope }) => scope));
  return { texts: execute(order, renderables, templates, input), scopes };
}

function execute(
  order: readonly string[],
  renderables: ReadonlyMap<string, Renderable>,
  templates: TemplateSet,
  input: EngineInput,
): Map<string, string> {
  const session = new Session(input);
  const rendered = new Map<string, string>();
  for (const path of order) {
    if (path.slice(path.lastIndexOf('/') + 1).startsWith('_') || !templates.lookup(path)) continue;
    const { scope, basePath } = renderables.get(path) as Renderable;
    scope.set(
      'Template',
      new MapView(
        input.profile.valuesType,
        new Map([
          ['Name', path],
          ['BasePath', basePath],
        ]),
        valuesMethods,
      ),
    );
    // Its scope has its name by now: charts above see it there.
    const known = input.again?.known(path, input.budget);
    if (known !== undefined) {
      rendered.set(path, known);
      continue;
    }
    try {
      const run = (statements?: Statements): string =>
        withoutNoValue(session.run(templates, path, new MapView(input.profile.valuesType, scope, valuesMethods), statements));
      rendered.set(path, input.again ? input.again.run(path, input.budget, run) : run());
    } catch (error) {
      const failure = asFailure(error, path, input.profile);
      if (!failure || !input.onFailure) throw failure ?? error;
      input.onFailure(failure);
      if (failure.code === 'LIMIT_EXCEEDED') break;
      input.watcher?.abandoned();
      input.budget.abandon();
    }
  }
  return rendered;
}

/** A failure that is the chart's; undefined for one that is ours. */
function asFailure(error: unknown, path: string, profile: Profile): ChartError | undefined {
  if (error instanceof ExecutionError) return executionFailure(error, path, profile);
  if (error instanceof RangeError) return stackExhausted(error, path);
  return error instanceof ChartError ? error : undefined;
}

/** JavaScript's own limits: the depth of its stack and the length of a string. */
function stackExhausted(error: RangeError, file: string): ChartError {
  return new ChartError('LIMIT_EXCEEDED', `render stopped in (${file}): ${error.message}`, {
    where: { file },
    cure: 'Look for a template that includes itself.',
    cause: error,
  });
}

/** Helm's order: by the number of slashes, then by name, all turned around. */
function deepestFirst(paths: readonly string[]): string[] {
  const sorted = paths
    .map((path) => ({ path, depth: path.split('/').length }))
    .sort((a, b) => b.depth - a.depth || compareText(b.path, a.path));
  return sorted.map(({ path }) => path);
}

const withoutNoValue = (text: string): string => (text.includes('<no value>') ? text.replaceAll('<no value>', '') : text);

/** What reading a template took: charged again where its trees are at hand, so that an earlier render does not move the limit. */
const readingCosts = new WeakMap<ReadonlyMap<string, Tree>, number>();

function read(path: string, text: string, { profile, memory, budget }: EngineInput): ReadonlyMap<string, Tree> {
  const functions = functionsOf(profile);
  let cost = 0;
  const spend = (steps: number): void => {
    cost += steps;
    budget.step(steps);
  };
  const trees = parseTemplate(path, text, (name) => functions.has(name), memory.phrases(profile.name), spend);
  readingCosts.set(trees, cost);
  return trees;
}

/** Trees are kept with the chart; a profile's functions decide what parses. */
function parsed(template: ChartTemplate, path: string, input: EngineInput): ReadonlyMap<string, Tree> {
  const key = `${input.profile.name}:${path}`;
  const known = template.parsed.get(key);
  if (known) {
    chargeReading(known, path, input.budget);
    return known;
  }
  const trees = read(path, template.text, input);
  template.parsed.set(key, trees);
  return trees;
}

function chargeReading(trees: ReadonlyMap<string, Tree>, path: string, budget: Budget): void {
  try {
    budget.step(readingCosts.get(trees) ?? 0);
  } catch (error) {
    throw error instanceof LimitReached ? error.toChartError(path, 1, 0) : error;
  }
}

/** Builds each chart's `.`, from the root down. */
function collect(chart: WorkChart, values: ValueMap, input: EngineInput, out: Map<string, Renderable>): ValueMap {
  const subcharts: ValueMap = new Map();
  const scope: ValueMap = input.again?.dot(chart.path) ?? new Map();
  scope.set('Chart', chartValue(chart, input.profile));
  scope.set('Files', new Files(chart.files));
  scope.set('Release', input.release);
  scope.set('Capabilities', input.capabilities);
  scope.set('Values', new MapView(input.profile.valuesType, values, valuesMethods));
  scope.set('Subcharts', subcharts);
  for (const child of chart.dependencies) {
    const own = values.get(child.name);
    subcharts.set(child.name, collect(child, own instanceof Map ? own : new Map(), input, out));
  }
  const basePath = `${chart.path}/templates`;
  for (const template of chart.templates) {
    if (chart.isLibrary && !template.name.slice(template.name.lastIndexOf('/') + 1).startsWith('_')) continue;
    out.set(`${chart.path}/${template.name}`, { template, scope, basePath });
  }
  return scope;
}

/** Methods of Helm's Values type. */
const valuesMethods: Methods = {
  AsMap: {
    name: 'AsMap',
    params: [],
    variadic: false,
    run: (receiver) => new Map(receiver as ValueMap),
    cost: (receiver) => (receiver as ValueMap).size,
  },
  YAML: {
    name: 'YAML',
    params: [],
    variadic: false,
    run: (receiver) => writeYaml(toJsonValue(receiver)),
    cost: (receiver) => 8 * countNodes(receiver, 1_000_000),
  },
  Table: {
    name: 'Table',
    params: ['string'],
    variadic: false,
    run: (receiver, [path]) => {
      const table = tableAt(receiver as ValueMap, path as string);
      if (!table) throw new GoError(`${quote(missingKey(receiver as ValueMap, path as string))} is not a table`);
      return new MapView('common.Values', table, valuesMethods);
    },
  },
  PathValue: {
    name: 'PathValue',
    params: ['string'],
    variadic: false,
    run: (receiver, [path]) => pathValue(receiver as ValueMap, path as string),
  },
  // No template has an io.Writer but nil.
  Encode: {
    name: 'Encode',
    params: ['io.Writer'],
    variadic: false,
    run: () => {
      throw new GoError(nilPointer);
    },
  },
};

function pathValue(values: ValueMap, path: string): Value {
  if (path === '') throw new GoError('YAML path cannot be empty');
  const parts = path.split('.');
  const last = parts.pop() as string;
  const table = parts.length === 0 ? values : tableAt(values, parts.join('.'));
  const value = table?.get(last);
  if (!table?.has(last) || value instanceof Map) throw new GoError(`${quote(last)} is not a value`);
  return value;
}

/** Longest tpl text that is kept parsed, and how many. */
const maxCachedText = 10_000;
const maxCachedTexts = 2_000;
/** Helm's own limit of nested includes of one name. */
const maxIncludes = 1000;

/** One render's include and tpl, which know the set of templates they are called from. */
class Session {
  readonly #input: EngineInput;
  readonly #functions: FunctionTable;
  readonly #includes = new Map<string, number>();
  readonly #texts = new Map<string, ReadonlyMap<string, Tree>>();

  constructor(input: EngineInput) {
    this.#input = input;
    this.#functions = functionsOf(input.profile);
  }

  run(templates: TemplateSet, name: string, data: Value, statements?: Statements): string {
    return executeTemplate(this.#environment(templates), templates, name, data, statements);
  }

  /** @param isChart whether the templates are the chart's own, not those that a text of tpl defines beside them */
  #environment(templates: TemplateSet, isChart = true): Environment {
    const { profile, budget, crypto, now, lookup, watcher, tolerate, again } = this.#input;
    const context: CallContext = {
      profile,
      budget,
      crypto,
      now,
      lookup,
      tolerate,
      changing: again?.changing,
      include: (name, data) => this.#include(environment, templates, name, data),
      tpl: (text, data) => this.#tpl(environment, templates, text, data),
    };
    const shared = isChart ? again?.shared : undefined;
    const share: Environment['share'] = shared && ((name, dot, execute) => shared.print(name, dot, budget, execute));
    const environment: Environment = { functions: this.#functions, context, budget, watcher, share };
    return environment;
  }

  #include(environment: Environment, templates: TemplateSet, name: string, data: Value): string {
    const open = this.#includes.get(name) ?? 0;
    if (open > maxIncludes) {
      throw new GoError(
        `rendering template has a nested reference name: ${name}: unable to execute template`,
        new GoError('unable to execute template'),
      );
    }
    this.#includes.set(name, open + 1);
    try {
      const { share } = environment;
      if (share) return share(name, data, () => executeTemplate(environment, templates, name, data));
      return executeTemplate(environment, templates, name, data);
    } finally {
      this.#includes.set(name, open);
    }
  }

  #tpl(environment: Environment, templates: TemplateSet, text: string, data: Value): string {
    // A text without actions is its own result.
    if (!text.includes('{{')) return withoutNoValue(text);
    let trees: ReadonlyMap<string, Tree>;
    try {
      trees = this.#parseText(text);
    } catch (error) {
      if (error instanceof TemplateSyntaxError) throw new GoError(`cannot parse template ${quote(text)}: ${error.message}`, error);
      throw error;
    }
    // Only a text that defines templates needs a set of its own.
    const inner = new TemplateSet(templates);
    inner.add(trees);
    const scope = trees.size > 1 ? this.#environment(inner, false) : environment;
    try {
      return withoutNoValue(executeTemplate(scope, inner, 'gotpl', data));
    } catch (error) {
      if (error instanceof ExecutionError)
        throw new GoError(`error during tpl function execution for ${quote(text)}: ${error.message}`, error);
      throw error;
    }
  }

  #parseText(text: string): ReadonlyMap<string, Tree> {
    const known = this.#texts.get(text);
    if (known) return known;
    const { budget, memory, profile } = this.#input;
    budget.step(20 + (text.length >> 4));
    const texts = memory.texts(profile.name);
    const kept = texts.get(text);
    if (kept) budget.step(readingCosts.get(kept) ?? 0);
    const trees = kept ?? read('gotpl', text, this.#input);
    if (text.length <= maxCachedText && this.#texts.size < maxCachedTexts) {
      this.#texts.set(text, trees);
      texts.set(text, trees);
    }
    return trees;
  }
}
