import { isRecord, listAt, textAt } from '../object.ts';
import type { Column } from './resource.ts';

/** A span of time as kubectl writes ages: `5s`, `3m20s`, `2d4h`, `1y30d`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  if (hours < 24 * 365 * 8) return withRest(years, 'y', days % 365, 'd');
  return `${years}y`;
}

const withRest = (whole: number, unit: string, rest: number, restUnit: string): string =>
  rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;

export function ageSince(instant: string | undefined, now: Date): string {
  const then = instant === undefined ? Number.NaN : Date.parse(instant);
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now.getTime() - then);
}

export const joined = (values: readonly string[], none = '<none>'): string => (values.length === 0 ? none : values.join(','));

export const selectorText = (labels: unknown, none = '<none>'): string =>
  isRecord(labels) && Object.keys(labels).length > 0
    ? Object.keys(labels)
        .sort()
        .map((key) => `${key}=${String(labels[key])}`)
        .join(',')
    : none;

/** A LabelSelector object as text: `a=b,c in (d,e),f`. */
export function labelSelectorText(selector: unknown, none = '<none>'): string {
  const terms: string[] = [];
  if (isRecord(selector) && isRecord(selector['matchLabels'])) terms.push(selectorText(selector['matchLabels'], ''));
  for (const expression of listAt(selector, 'matchExpressions')) {
    const key = textAt(expression, 'key') ?? '';
    const values = listAt(expression, 'values').join(',');
    const operator = textAt(expression, 'operator');
    if (operator === 'In') terms.push(`${key} in (${values})`);
    else if (operator === 'NotIn') terms.push(`${key} notin (${values})`);
    else if (operator === 'Exists') terms.push(key);
    else if (operator === 'DoesNotExist') terms.push(`!${key}`);
  }
  return terms.filter((term) => term !== '').join(',') || none;
}

const column =
  (priority: number) =>
  (name: string, cell: Column['cell'], type: Column['type'] = 'string'): Column => ({
    name,
    type,
    format: name === 'Name' ? 'name' : '',
    description: name,
    priority,
    cell,
  });

export const shown = column(0);
export const wide = column(1);

export const nameColumn = shown('Name', (object) => object.metadata.name);
export const ageColumn = shown('Age', (object, now) => ageSince(object.metadata.creationTimestamp, now));
export const createdAtColumn = shown('Created At', (object) => object.metadata.creationTimestamp ?? '', 'date');

const podSpec = (object: unknown, path: readonly string[], field: string): string =>
  joined(listAt(object, ...path, 'containers').map((container) => textAt(container, field) ?? ''));

/** Containers, Images: the wide columns of everything with a pod template. */
export const templateColumns: readonly Column[] = [
  wide('Containers', (object) => podSpec(object, ['spec', 'template', 'spec'], 'name')),
  wide('Images', (object) => podSpec(object, ['spec', 'template', 'spec'], 'image')),
];
