import type { Profile } from '../profile.ts';
import type { ValueMap } from '../value/kinds.ts';
import type { Chart, ChartFile, ChartTemplate } from './chart.ts';
import type { Dependency, Metadata } from './metadata.ts';

/** A dependency while a chart's dependencies are worked out: its alias becomes its name, and it is imported from once. */
export type Declared = { -readonly [Key in keyof Dependency]: Dependency[Key] } & { isImported?: boolean };

/** What Helm keeps of Chart.yaml during one render. */
interface State {
  readonly metadata: Metadata;
  declared: Declared[] | undefined;
}

/**
 * A chart inside one render: enabled dependencies only, aliases applied, imported values merged in.
 *
 * Helm works on Go's structs and pointers, and copies less than its templates assume: charts under several aliases share
 * subcharts. Who shares what with whom is copied here, for paths, values and conditions come out otherwise without it.
 */
export class WorkChart {
  readonly chart: Chart;
  values: ValueMap;
  readonly schema: Uint8Array | undefined;
  readonly templates: readonly ChartTemplate[];
  readonly files: readonly ChartFile[];
  dependencies: WorkChart[];
  #state: State;
  #parent: WorkChart | undefined;

  /** A chart with all below it; or, of another one, a copy that shares its subcharts, parent and metadata. */
  constructor(chart: Chart | WorkChart) {
    this.values = chart.values;
    this.schema = chart.schema;
    this.templates = chart.templates;
    this.files = chart.files;
    if (chart instanceof WorkChart) {
      this.chart = chart.chart;
      this.#state = chart.#state;
      this.dependencies = chart.dependencies;
      this.#parent = chart.#parent;
      return;
    }
    this.chart = chart;
    this.#state = { metadata: chart.metadata, declared: chart.metadata.dependencies?.map((wanted) => ({ ...wanted })) };
    this.dependencies = [];
    this.adopt(chart.dependencies.map((child) => new WorkChart(child)));
  }

  /** The chart as it stands in for one dependency, perhaps under another name. */
  standIn(alias: string, profile: Profile): WorkChart {
    const copy = new WorkChart(this);
    const { metadata, declared } = this.#state;
    copy.#state = {
      metadata: alias === '' ? metadata : { ...metadata, name: alias },
      declared: profile.aliasesShareSubcharts ? declared : declared?.map((wanted) => ({ ...wanted })),
    };
    if (!profile.aliasesShareSubcharts) copy.adopt(this.dependencies.map((child) => new WorkChart(child)));
    return copy;
  }

  adopt(children: WorkChart[]): void {
    this.dependencies = children;
    for (const child of children) child.#parent = this;
  }

  /** Its name is the alias where there is one. */
  get metadata(): Metadata {
    return this.#state.metadata;
  }

  get name(): string {
    return this.#state.metadata.name;
  }

  get declared(): Declared[] | undefined {
    return this.#state.declared;
  }

  set declared(declared: Declared[] | undefined) {
    this.#state.declared = declared;
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
