/**
 * The part of JSONPath that `additionalPrinterColumns` use: `.a.b`, `['a.b']`, `.a\.b`, `[0]`, `[*]` and
 * `[?(@.type=="Ready")]`. Anything else is refused when the definition is made, not printed wrongly later.
 */
type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly string[]; readonly value: string | number | boolean; readonly equal: boolean };

const field = /^\.((?:[^.[\]\\\s]|\\.)+)/;
const quoted = /^\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/;
const index = /^\[(-?\d{1,6})\]/;
const all = /^(?:\[\*\]|\.\*)/;
const filter = /^\[\?\(\s*@((?:\.[^.[\]\s=!()]+)+)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|(true|false)|(-?\d+(?:\.\d+)?))\s*\)\]/;

const withoutBackslashes = (text: string): string => text.replace(/\\(.)/g, '$1');

/** @returns undefined for a path outside the subset */
export function parseJsonPath(text: string): ((value: unknown) => unknown[]) | undefined {
  let rest = text
    .trim()
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/^\$/, '');
  if (rest.length > 1024) return undefined;
  if (rest === '' || rest === '.') return (value) => [value];
  const steps: Step[] = [];
  while (rest !== '') {
    const parsed = nextStep(rest);
    if (parsed === undefined) return undefined;
    steps.push(parsed.step);
    rest = rest.slice(parsed.length);
  }
  return (value) => steps.reduce<unknown[]>((values, step) => values.flatMap((item) => follow(item, step)), [value]);
}

function nextStep(rest: string): { step: Step; length: number } | undefined {
  let match = all.exec(rest);
  if (match) return { step: { kind: 'all' }, length: match[0].length };
  match = field.exec(rest);
  if (match) return { step: { kind: 'field', name: withoutBackslashes(match[1]!) }, length: match[0].length };
  match = quoted.exec(rest);
  if (match) return { step: { kind: 'field', name: withoutBackslashes(match[1] ?? match[2]!) }, length: match[0].length };
  match = index.exec(rest);
  if (match) return { step: { kind: 'index', index: Number(match[1]) }, length: match[0].length };
  match = filter.exec(rest);
  if (!match) return undefined;
  const [whole, path, operator, single, double, boolean, number] = match;
  const value = single ?? double ?? (boolean === undefined ? Number(number) : boolean === 'true');
  return { step: { kind: 'filter', path: path!.slice(1).split('.'), value, equal: operator === '==' }, length: whole.length };
}

function follow(value: unknown, step: Step): unknown[] {
  if (value === null || typeof value !== 'object') return [];
  if (step.kind === 'field') return Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
  const items = Array.isArray(value) ? value : Object.values(value);
  if (step.kind === 'all') return items;
  if (step.kind === 'index') return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : [];
  return items.filter((item) => {
    const found = step.path.reduce<unknown>((inner, name) => follow(inner, { kind: 'field', name })[0], item);
    return found !== undefined && (found === step.value) === step.equal;
  });
}
