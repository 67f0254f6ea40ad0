import {
  findUnused,
  formatTemplateOutput,
  type ProfileName,
  profileOf,
  type RenderedHook,
  type RenderedManifest,
  type RenderResult,
  type RenderTrace,
  render,
  type TracedLine,
} from '@desp/chart';
import { describeLine, describeObject, describeUnused } from './explain-text.ts';
import type { Flags, FlagTable } from './flags.ts';
import { HelmError, type HelmVerb, type Output } from './helm-command.ts';
import { prepareRender } from './template.ts';
import { templateFlags } from './template-flags.ts';
import { printManifests } from './template-output.ts';

/** `desp chart explain NAME CHART`: where a line of `desp chart template` comes from, and values that nobody reads. */

const explainFlags: FlagTable = {
  ...templateFlags,
  json: { kind: 'bool' },
  line: { kind: 'text' },
  object: { kind: 'text' },
  unused: { kind: 'bool' },
};

type Rendered = RenderedManifest | RenderedHook;

/** A line of what `template` prints. */
export interface ExplainedLine {
  /** Within all that is printed; from 1. */
  readonly outputLine: number;
  readonly document: Pick<Rendered, 'source' | 'kind' | 'name'>;
  readonly traced: TracedLine;
}

async function explain(helm: ProfileName, flags: Flags, io: Output): Promise<void> {
  const ways = ['line', 'object', 'unused'].filter((name) => flags.has(name));
  if (ways.length !== 1) throw new HelmError('say what to explain: --line N, --object KIND/NAME or --unused');
  const { chart, options } = await prepareRender(helm, flags, io);
  const colour = io.terminal === true && !io.env?.['NO_COLOR'];
  const isJson = flags.isOn('json');
  if (flags.has('unused')) {
    const unused = findUnused(chart, { ...options, profile: helm });
    io.out(isJson ? `${JSON.stringify({ unused })}\n` : describeUnused(unused, { colour }));
    return;
  }
  const result = render(chart, { ...options, trace: true });
  const trace = result.trace as RenderTrace;
  if (flags.has('line')) {
    const found = lineAt(result, trace, helm, flags);
    io.out(isJson ? `${JSON.stringify(withHolders(found, trace))}\n` : describeLine(found, trace, { colour }));
  } else {
    const documents = objectsNamed(flags.text('object') ?? '', result);
    if (isJson) {
      const objects = documents.map((one) => ({ source: one.source, kind: one.kind, name: one.name, lines: trace.lines(one) }));
      io.out(`${JSON.stringify({ objects })}\n`);
    } else io.out(documents.map((one) => describeObject(one, trace, { colour })).join('\n'));
  }
}

/** The line of what `template` prints with the same flags. */
function lineAt(result: RenderResult, trace: RenderTrace, helm: ProfileName, flags: Flags): ExplainedLine {
  const wanted = flags.text('line') ?? '';
  if (!/^[1-9][0-9]{0,8}$/.test(wanted)) throw new HelmError(`--line takes the number of a line, from 1, not ${JSON.stringify(wanted)}`);
  const number = Number(wanted);
  const lines = printed(result, helm, flags).split('\n');
  // The last line ends the text: behind it is nothing.
  const count = lines.length - (lines.at(-1) === '' ? 1 : 0);
  if (number > count) throw new HelmError(`there is no line ${number}: the chart prints ${count} lines`);
  let start = number - 1;
  while (start >= 0 && !(lines[start] === '---' && lines[start + 1]?.startsWith('# Source: '))) start--;
  const source = lines[start + 1]?.slice('# Source: '.length) ?? '';
  const within = number - start - 2;
  if (within < 1)
    throw new HelmError(`line ${number} is a separator, which Helm prints: the document of ${source} begins at line ${start + 3}`);
  const before = lines.slice(0, start).filter((line, index) => line === '---' && lines[index + 1] === `# Source: ${source}`).length;
  const document = [...result.manifests, ...result.hooks].filter((one) => one.source === source)[before];
  if (!document) throw new HelmError(`line ${number} is of ${source}, which is no template: Helm prints such files as they are`);
  const traced = trace.lines(document)[within - 1];
  if (!traced) throw new HelmError(`line ${number} is white space that Helm prints between two documents`);
  return { outputLine: number, document: { source, kind: document.kind, name: document.name }, traced };
}

function printed(result: RenderResult, helm: ProfileName, flags: Flags): string {
  if (flags.texts('show-only').length === 0) {
    return formatTemplateOutput(result, { noHooks: flags.isOn('no-hooks'), skipTests: flags.isOn('skip-tests') });
  }
  let text = '';
  const out = (part: string): void => {
    text += part;
  };
  printManifests(result, flags, profileOf(helm).keepTrailingSpace, { out, err: () => {} });
  return text;
}

/** `Deployment/web`, or a name alone; of any letter case. */
function objectsNamed(wanted: string, result: RenderResult): Rendered[] {
  const all: Rendered[] = [...result.manifests, ...result.hooks];
  const [kind, name] = wanted.includes('/') ? [wanted.slice(0, wanted.indexOf('/')), wanted.slice(wanted.indexOf('/') + 1)] : ['', wanted];
  const found = all.filter((one) => one.name === name && (kind === '' || one.kind.toLowerCase() === kind.toLowerCase()));
  if (found.length > 0) return found;
  const names = all.filter((one) => one.kind !== '').map((one) => `${one.kind}/${one.name}`);
  throw new HelmError(
    `the chart prints no ${wanted}; it prints ${names.slice(0, 20).join(', ')}${names.length > 20 ? ` and ${names.length - 20} more` : ''}`,
  );
}

/** For tools: with all holders of each value, of which the first counts. */
function withHolders({ outputLine, document, traced }: ExplainedLine, trace: RenderTrace): object {
  const parts = traced.parts.map((part) => ({
    ...part,
    values: part.values.map((value) => ({ ...value, holders: trace.holders(value.path) })),
  }));
  return { outputLine, document, line: traced.line, text: traced.text, parts };
}

export const verb: HelmVerb = {
  flags: explainFlags,
  use: { path: 'explain', line: 'explain [NAME] [CHART] (--line N | --object KIND/NAME | --unused) [flags]', least: 1 },
  run: ({ helm, flags, io }) => explain(helm, flags, io),
  help: `Say where what a chart prints comes from.

Usage:
  desp chart [--helm 3|4] explain [NAME] [CHART] (--line N | --object KIND/NAME | --unused) [flags]

Examples:
  desp chart explain app ./deployment/my-chart -f values.desp-dev.yaml --line 12
  desp chart explain app ./deployment/my-chart --object Deployment/app
  desp chart explain app ./deployment/my-chart -f values.desp-prod.yaml --unused

What to explain:
      --line N             line N of what "desp chart template" prints with the same flags: the place in the template, the
                           includes that lead there, and for each value who set it
      --object KIND/NAME   each line of one object
      --unused             values that no template reads, with what may have been meant instead
      --json               for tools

All flags of "desp chart template" work too.
`,
};
