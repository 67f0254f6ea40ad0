import type { ValueMap } from '../value/kinds.ts';
import type { Chart, ChartFile, ChartTemplate } from './chart.ts';
import type { Dependency, Metadata } from './metadata.ts';

/** A chart inside one render: enabled dependencies only, aliases applied, imported values merged in. */
export class WorkChart {
  readonly chart: Chart;
  readonly metadata: Metadata;
  /** The alias where there is one. */
  readonly name: string;
  values: ValueMap;
  readonly schema: Uint8Array | undefined;
  readonly templates: readonly ChartTemplate[];
  readonly files: readonly ChartFile[];
  declared: Dependency[] | undefined;
  dependencies: WorkChart[];
  #parent: WorkChart | undefined;

  constructor(chart: Chart | WorkChart, alias = '') {
    this.chart = chart instanceof WorkChart ? chart.chart : chart;
    const original = chart instanceof WorkChart ? chart.metadata : chart.metadata;
    this.name = alias || original.name;
    this.metadata = alias === '' ? original : { ...original, name: alias };
    this.values = chart.values;
    this.schema = chart.schema;
    this.templates = chart.templates;
    this.files = chart.files;
    this.declared = original.dependencies ? [...original.dependencies] : undefined;
    this.dependencies = chart.dependencies.map((child) => new WorkChart(child));
    this.adopt(this.dependencies);
  }

  adopt(children: WorkChart[]): void {
    this.dependencies = children;
    for (const child of children) child.#parent = this;
  }

  get isRoot(): boolean {
    return this.#parent === undefined;
  }

  /** `parent/charts/child`: what template names begin with. */
  get path(): string {
    return this.#parent ? `${this.#parent.path}/charts/${this.name}` : this.name;
  }

  get isLibrary(): boolean {
    return this.metadata.type.toLowerCase() === 'library';
  }
}
