import type { Chart, ChartFile } from './chart.ts';

/** Files of crds/, the chart's own first and then those of its subcharts; names are relative to the chart that holds them. */
export function crdFiles(chart: Chart): ChartFile[] {
  const own = chart.files.filter(({ name }) => name.startsWith('crds/') && /\.(ya?ml|json)$/i.test(name));
  return [...own, ...chart.dependencies.flatMap(crdFiles)];
}
