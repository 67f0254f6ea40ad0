import type { RenderOptions, RenderResult } from '../api.ts';
import { ChartError, type SourcePlace } from '../errors.ts';
import { functionsOf } from '../functions/registry.ts';
import { ExecutionError, TemplateSyntaxError } from '../language/failures.ts';
import { kind, printNode } from '../language/nodes.ts';
import type { Chart } from '../loader/chart.ts';
import { missingDependencies } from '../loader/dependencies.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { profileOf } from '../profile.ts';
import { ManifestProblem } from '../render/manifests.ts';
import { type Inspection, inspect } from '../render/render.ts';
import type { Trace } from '../trace/trace.ts';
import type { Diagnosis } from './diagnosis.ts';
import { excerptOf } from './excerpt.ts';
import { explainExecution, innermost, syntaxWithin } from './execution.ts';
import { explainManifest } from './manifest.ts';
import { nearNames } from './near.ts';
import { explainSchemas } from './schema.ts';
import { type NeighbourValues, ValueSearch } from './value-findings.ts';
import { listed } from './words.ts';

export interface DiagnoseOptions extends RenderOptions {
  /** Values files beside the given ones, in which a missing block may be found. */
  readonly neighbours?: readonly NeighbourValues[];
}

export interface Diagnosed {
  /** What could be rendered all the same, with its trace; absent where the chart could not even begin. */
  readonly result?: RenderResult;
  /** Every failure, in the order in which they came. */
  readonly diagnoses: readonly Diagnosis[];
}

/**
 * Renders a chart past all failures and explains each: where, through which templates, with whose values, and what to do.
 *
 * @throws nothing that is the chart's fault
 */
export function diagnose(chart: Chart, options: DiagnoseOptions): Diagnosed {
  let inspection: Inspection;
  try {
    inspection = inspect(chart, { ...options, trace: true, keepGoing: true });
  } catch (error) {
    if (!(error instanceof ChartError)) throw error;
    return { diagnoses: [plain(error)] };
  }
  const doctor = new Doctor(inspection, options);
  return { result: inspection.result, diagnoses: (inspection.result.failures ?? []).map((failure) => doctor.examine(failure)) };
}

const plain = (error: ChartError): Diagnosis => ({
  code: error.code,
  message: error.message,
  ...(error.where ? { where: error.where } : {}),
  excerpts: [],
  stack: [],
  values: [],
  cures: error.cure ? [error.cure] : [],
});

class Doctor {
  readonly #inspection: Inspection;
  readonly #trace: Trace;
  readonly #search: ValueSearch;
  readonly #options: DiagnoseOptions;

  constructor(inspection: Inspection, options: DiagnoseOptions) {
    this.#inspection = inspection;
    this.#options = options;
    this.#trace = inspection.trace as Trace;
    this.#search = new ValueSearch(
      this.#trace.provenance,
      inspection.values,
      inspection.work,
      options.sources ?? [],
      options.neighbours ?? [],
    );
  }

  examine(error: ChartError): Diagnosis {
    const { cause } = error;
    if (cause instanceof ExecutionError) return this.#execution(error, cause);
    if (cause instanceof TemplateSyntaxError) return this.#syntax(error, cause);
    if (cause instanceof ManifestProblem) return this.#manifest(error, cause);
    if (error.code === 'SCHEMA_VIOLATION') {
      return { ...plain(error), ...explainSchemas(this.#inspection.work, this.#inspection.values, this.#search) };
    }
    if (error.code === 'DEPENDENCY_MISSING') return this.#dependencies(error);
    return plain(error);
  }

  #execution(error: ChartError, cause: ExecutionError): Diagnosis {
    const site = innermost(cause);
    const failed = this.#inspection.recorder?.failures.find((one) => one.site.call.tree === site?.tree && one.pos === site.pos);
    if (!site || !failed) return plain(error);
    const { place, stack } = this.#trace.locate(failed.site, failed.pos);
    const syntax = syntaxWithin(cause);
    const explained = explainExecution(failed, this.#search, templateNames(this.#inspection.work));
    return {
      ...plain(error),
      where: place,
      excerpts: this.#excerpt(place, site.node.type === kind.list ? undefined : printNode(site.node)),
      stack: stack.length > 1 ? stack : [],
      values: explained.values,
      cures: syntax ? this.#syntaxCures(error, syntax) : explained.cures.length > 0 ? explained.cures : plain(error).cures,
    };
  }

  #syntax(error: ChartError, cause: TemplateSyntaxError): Diagnosis {
    const excerpts = error.where ? this.#excerpt(error.where, cause.unknownFunction) : [];
    return { ...plain(error), excerpts, cures: this.#syntaxCures(error, cause) };
  }

  #syntaxCures(error: ChartError, { unknownFunction: word }: TemplateSyntaxError): readonly string[] {
    if (word === undefined) return plain(error).cures;
    const near = nearNames(word, functionsOf(profileOf(this.#options.profile ?? 'helm4')).names());
    if (near.length > 0) return [`There is no function ${word}; ${listed(near, 'or')} is one.`];
    return [`There is no function ${word} in Helm: define a template and include it.`];
  }

  #manifest(error: ChartError, cause: ManifestProblem): Diagnosis {
    const { line, part, values, cures } = explainManifest(cause, this.#trace);
    return {
      ...plain(error),
      where: part?.place ?? { file: cause.source },
      excerpts: [excerptOf('rendered', cause.source, cause.content, line), ...(part ? this.#excerpt(part.place, undefined) : [])],
      stack: part && part.stack.length > 1 ? part.stack : [],
      values: values.map(({ name, origin }) => ({ name, type: 'set', origin, lackingIn: [], elsewhere: [], near: [] })),
      cures,
    };
  }

  #dependencies(error: ChartError): Diagnosis {
    const { work } = this.#inspection;
    const present = work.dependencies.map((child) => child.metadata.name);
    const cures = missingDependencies(work).map(({ name, version, repository }) => {
      const near = nearNames(name, present);
      if (near.length > 0) return `Chart.yaml wants ${name}; charts/ has ${listed(near, 'or')}: mend the name.`;
      return `Put ${name} ${version} into charts/${repository === '' ? '' : ` (from ${repository})`}: desp chart dependency build does.`;
    });
    return { ...plain(error), where: { file: `${work.name}/Chart.yaml` }, cures };
  }

  #excerpt(place: SourcePlace, word: string | undefined): Diagnosis['excerpts'] {
    const text = this.#trace.template(place.file);
    return text === undefined || place.line === undefined ? [] : [excerptOf('template', place.file, text, place.line, place.column, word)];
  }
}

function templateNames(chart: WorkChart): Set<string> {
  const own = chart.templates.flatMap(({ parsed }) => [...parsed.values()].flatMap((trees) => [...trees.keys()]));
  return new Set([...own, ...chart.dependencies.flatMap((child) => [...templateNames(child)])]);
}
