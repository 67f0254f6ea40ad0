import { formatPlace, type SourcePlace } from '../errors.ts';
import type { ValueOrigin } from '../trace/provenance.ts';
import type { ValueFinding } from './diagnosis.ts';

/** Findings in words, for cures and for people. */

export const listed = (items: readonly string[], word = 'and'): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`;

/** `values.prod.yaml:12`, `--set a=1`, `the chart's default (app/values.yaml:3)`. */
export function originText(origin: ValueOrigin): string {
  switch (origin.kind) {
    case 'file':
      return formatPlace(origin);
    case 'flag':
      return `${origin.flag} ${origin.text}`;
    case 'default':
    case 'parent':
      return `${formatPlace({ file: origin.file, ...(origin.line === undefined ? {} : { line: origin.line }) })} (${origin.kind === 'default' ? "the chart's default" : 'of a chart above'}${origin.importedFrom ? ', imported' : ''})`;
    case 'builtin':
      return 'the release or the chart itself';
    case 'computed':
      return 'a template';
    case 'unset':
      return 'nobody';
  }
}

/** Go's kinds, as people who write YAML know them. */
export const typeWord = (type: string): string => ({ float64: 'number', int64: 'number', slice: 'list', bool: 'boolean' })[type] ?? type;

const places = (all: readonly SourcePlace[]): string => listed(all.map(formatPlace));

/** What to do about a value that is missing. */
export function missingCures({ name, lackingIn, elsewhere, near, origin }: ValueFinding): string[] {
  const cures: string[] = [];
  if (near.length > 0) cures.push(`${name} is not set, but ${listed(near, 'or')} is: mend the name in the template or in the values.`);
  if (elsewhere.length > 0) cures.push(`${places(elsewhere)} ${elsewhere.length === 1 ? 'sets' : 'set'} ${name}: take that block over.`);
  if (origin.kind !== 'unset')
    cures.push(`${originText(origin)} sets ${name} to nothing: give it a value there, or remove it to have the chart's default.`);
  else if (cures.length === 0 && lackingIn.length > 0)
    cures.push(`Set ${name}${lackingIn.length > 1 ? `, for instance in ${lackingIn[0]}` : `, for instance with --set ${name}=…`}.`);
  return cures;
}
