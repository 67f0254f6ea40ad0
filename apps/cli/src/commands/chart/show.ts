import { type Chart, crdFiles, formatMetadata, type ProfileName, parseJsonPath, printJsonPath } from '@desp/chart';
import { chartSourceFlags, globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb } from './helm-command.ts';
import { loadForVerb } from './load.ts';

const parts = ['all', 'chart', 'crds', 'readme', 'values'] as const;
type Part = (typeof parts)[number];

const isPart = (word: string): word is Part => (parts as readonly string[]).includes(word);

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  const [part = '', reference, ...more] = flags.args;
  if (!isPart(part))
    throw new HelmError(part === '' ? `say what to show: ${parts.join(', ')}` : `unknown command "${part}" for "helm show"`);
  if (reference === undefined || more.length > 0)
    throw new HelmError(`"helm show ${part}" requires 1 argument\n\nUsage:  helm show ${part} [CHART] [flags]`);
  const { locateChart } = await import('./remote/locate-chart.ts');
  const chart = loadForVerb(await locateChart(reference, helm, flags, io), helm, io, false);
  const jsonPath = flags.text('jsonpath');
  io.out(jsonPath ? showValue(chart, jsonPath) : show(chart, part, helm));
}

/** Where the expression finds nothing, Helm prints nothing and calls it a success. */
const showValue = (chart: Chart, jsonPath: string): string =>
  chart.valuesFile ? printJsonPath(parseJsonPath(jsonPath), chart.values).text : '';

function show(chart: Chart, part: Part, helm: ProfileName): string {
  const isAll = part === 'all';
  const text = (data: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);
  const rule = isAll ? '---\n' : '';
  let out = '';
  if (isAll || part === 'chart') out += `${formatMetadata(chart.metadata)}\n`;
  if ((isAll || part === 'values') && chart.valuesFile) out += `${rule}${text(chart.valuesFile)}\n`;
  if (isAll || part === 'readme') {
    const readme = chart.files.find(({ name }) => /^readme(\.md|\.txt)?$/i.test(name));
    if (readme) out += `${rule}${text(readme.data)}\n`;
  }
  if (isAll || part === 'crds') {
    for (const [index, { data }] of crdFiles(chart).entries()) {
      const crd = text(data);
      // Helm 3 separates only the first, and only behind other parts.
      const isApart = helm === 'helm4' || (isAll && index === 0);
      out += `${isApart && !crd.startsWith('---') ? '---\n' : ''}${crd}\n`;
    }
  }
  return out;
}

export const verb: HelmVerb = {
  flags: { ...globalFlags, ...chartSourceFlags, devel: { kind: 'bool' }, jsonpath: { kind: 'text' } },
  foreign: (part) => (part === 'values' ? [] : ['jsonpath']),
  use: { path: 'show', line: 'show' },
  run,
  help: `Print what a chart says of itself: from a folder, an archive, a repository or a registry.

Usage:
  desp chart [--helm 3|4] show all|chart|values|readme|crds CHART

Example:
  desp chart show values ./deployment/
  desp chart show values ./deployment/ --jsonpath '{.image.tag}'
  desp chart show chart web --repo https://charts.example.org --version '^1.2'

      --jsonpath EXPR  of values, only what this finds: {.image.tag} or {range .ports[*]}{.name}{"\\n"}{end}
      --repo URL       take CHART from this repository
      --version V      a version, or a range such as ^1.2
      --devel          take pre-releases too
      --verify         check the provenance file first (--keyring FILE)
`,
};
