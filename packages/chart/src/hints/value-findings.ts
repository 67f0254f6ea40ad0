import type { SourcePlace } from '../errors.ts';
import type { WorkChart } from '../loader/work-chart.ts';
import { MarkedValues } from '../trace/marked-values.ts';
import { formatPath, type ValuePath } from '../trace/paths.ts';
import type { Provenance, ValueSource } from '../trace/provenance.ts';
import { kindName, type Value, type ValueMap } from '../value/kinds.ts';
import type { ValueFinding } from './diagnosis.ts';
import { nearNames } from './near.ts';

/** A values file that was not given, but lies beside those that were: of another environment, for instance. */
export interface NeighbourValues {
  readonly name: string;
  readonly text: string;
}

/** Finds out what the sources say of a value. */
export class ValueSearch {
  readonly #provenance: Provenance;
  readonly #values: ValueMap;
  readonly #root: WorkChart;
  readonly #given: readonly string[];
  readonly #neighbours: readonly { readonly name: string; readonly documents: readonly MarkedValues[] }[];

  constructor(
    provenance: Provenance,
    values: ValueMap,
    root: WorkChart,
    sources: readonly ValueSource[],
    neighbours: readonly NeighbourValues[],
  ) {
    this.#provenance = provenance;
    this.#values = values;
    this.#root = root;
    this.#given = sources.flatMap((source) => (source.kind === 'file' ? [source.name] : []));
    this.#neighbours = neighbours
      .filter(({ name }) => !this.#given.includes(name))
      .map(({ name, text }) => ({ name, documents: MarkedValues.of(text) }));
  }

  find(path: ValuePath, value: Value): ValueFinding {
    const isMissing = value === undefined || value === null;
    const origin = this.#provenance.originOf(path, value ?? undefined);
    return {
      name: formatPath(path),
      type: value === undefined || (value === null && origin.kind === 'unset') ? 'missing' : value === null ? 'null' : kindName(value),
      origin,
      lackingIn: isMissing && origin.kind === 'unset' ? [...this.#given, ...this.#defaultsOf(path)] : [],
      elsewhere: isMissing ? this.#elsewhere(path) : [],
      near: isMissing ? this.#near(path) : [],
    };
  }

  /** The values.yaml of the charts that could have set a path. */
  #defaultsOf(path: ValuePath): string[] {
    const files: string[] = [];
    let chart: WorkChart | undefined = this.#root;
    for (let depth = 0; chart; depth++) {
      files.push(`${chart.path}/values.yaml`);
      const name = path[depth];
      chart = depth < path.length - 1 ? chart.dependencies.find((child) => child.name === name) : undefined;
    }
    return files;
  }

  #elsewhere(path: ValuePath): SourcePlace[] {
    return this.#neighbours.flatMap(({ name, documents }) => {
      for (const document of documents) {
        const answer = document.ask(path);
        if (answer.found === 'set' && answer.value !== null)
          return [{ file: name, ...(answer.line === undefined ? {} : { line: answer.line }) }];
      }
      return [];
    });
  }

  /** Keys beside a missing one. */
  #near(path: ValuePath): string[] {
    const wanted = path.at(-1);
    let parent: Value = this.#values;
    for (const key of path.slice(0, -1))
      parent = parent instanceof Map ? parent.get(String(key)) : Array.isArray(parent) ? parent[Number(key)] : undefined;
    if (typeof wanted !== 'string' || !(parent instanceof Map)) return [];
    return nearNames(wanted, parent.keys()).map((name) => formatPath([...path.slice(0, -1), name]));
  }
}
