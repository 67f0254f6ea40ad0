import { badRequest } from '../errors.ts';

/** Decides on labels or fields. */
export type Selector = (values: Readonly<Record<string, string>>) => boolean;

export const everything: Selector = () => true;

const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/**
 * A label selector as in a query: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. At most 8 KiB.
 * @throws ApiError BadRequest
 */
export function parseLabelSelector(text: string | undefined): Selector {
  if (text === undefined || text.trim() === '') return everything;
  if (text.length > 8192) throw badRequest('the label selector is longer than 8 KiB');
  const requirements = splitOutsideParentheses(text).map((part) => parseRequirement(part.trim(), text));
  return (labels) => requirements.every((matches) => matches(labels));
}

/** The same for `spec.selector`-shaped objects: matchLabels and matchExpressions. */
export function matchLabels(expected: Readonly<Record<string, string>>): Selector {
  return (labels) => Object.entries(expected).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '(') depth += 1;
    else if (text[index] === ')') depth -= 1;
    else if (text[index] === ',' && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseRequirement(part: string, whole: string): Selector {
  const wrong = () => badRequest(`unable to parse requirement: found '${part}' in the label selector '${whole}'`);
  const checked = (key: string) => {
    if (!labelKey.test(key)) throw wrong();
    return key;
  };
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set) {
    const key = checked(set[1]!);
    const values = new Set(set[3]!.split(',').map((value) => value.trim()));
    for (const value of values) if (!labelValue.test(value)) throw wrong();
    const wanted = set[2] === 'in';
    return (labels) => (Object.hasOwn(labels, key) ? values.has(labels[key]!) === wanted : !wanted);
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(part);
  if (equality) {
    const [, rawKey, operator, value] = equality;
    const key = checked(rawKey!);
    if (!labelValue.test(value!)) throw wrong();
    const wanted = operator !== '!=';
    return (labels) => (Object.hasOwn(labels, key) && labels[key] === value) === wanted;
  }
  if (part.startsWith('!')) {
    const key = checked(part.slice(1).trim());
    return (labels) => !Object.hasOwn(labels, key);
  }
  const key = checked(part);
  return (labels) => Object.hasOwn(labels, key);
}

/**
 * A field selector: `metadata.name=x,status.phase!=Running`.
 * @param known the fields that this resource can be selected by
 * @throws ApiError BadRequest for another field
 */
export function parseFieldSelector(text: string | undefined, known: readonly string[]): Selector {
  if (text === undefined || text.trim() === '') return everything;
  if (text.length > 8192) throw badRequest('the field selector is longer than 8 KiB');
  const terms = text.split(',').filter((part) => part !== '');
  const requirements = terms.map((part) => {
    const match = /^([^=!]+)(==|=|!=)(.*)$/.exec(part);
    if (!match) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    const [, field, operator, value] = match;
    if (!known.includes(field!)) throw badRequest(`field label not supported: ${field}`);
    const wanted = operator !== '!=';
    return { field: field!, value: value!, wanted };
  });
  return (values) => requirements.every(({ field, value, wanted }) => ((values[field] ?? '') === value) === wanted);
}
