import { Regex } from '../regex/regex.ts';
import { RegexError } from '../regex/syntax.ts';
import { nilStrings, strings, type Value } from '../value/kinds.ts';
import { quote } from '../value/text.ts';
import { type CallContext, contextual, type FunctionDefinition, type FunctionGroup, fail, fn } from './define.ts';

/** Regular expressions of Go. The plain forms panic on a malformed one, the `must` forms return its error. */

const cache = new Map<string, Regex>();
/** Expressions that are kept, and the largest of them in instructions; when full, all go. */
const maxCached = 500;
const maxCachedSize = 2000;

function compiled(pattern: string, { budget }: CallContext): Regex {
  const known = cache.get(pattern);
  if (known) return known;
  const regex = new Regex(pattern, (steps) => budget.step(steps));
  if (regex.size + pattern.length > maxCachedSize) return regex;
  if (cache.size >= maxCached) cache.clear();
  cache.set(pattern, regex);
  return regex;
}

type Use = (regex: Regex, text: string, context: CallContext) => Value;

function search(context: CallContext, pattern: string, text: string, use: Use, onError: (error: RegexError) => Value): Value {
  let regex: Regex;
  try {
    regex = compiled(pattern, context);
  } catch (error) {
    if (error instanceof RegexError) return onError(error);
    throw error;
  }
  return use(regex, text, context);
}

const panics =
  (pattern: string) =>
  (error: RegexError): never =>
    fail(`regexp: Compile(${canBackquote(pattern) ? `\`${pattern}\`` : quote(pattern)}): ${error.message}`);

const fails = (error: RegexError): never => fail(error.message);

/** Lone surrogates stand for bytes that are no UTF-8. */
const canBackquote = (text: string): boolean => !/[\0-\x08\x0a-\x1f`\x7f\ufeff]/.test(text) && text.isWellFormed();

const list = (parts: string[] | undefined): Value => (parts === undefined || parts.length === 0 ? nilStrings : strings(parts));

const findAll =
  (limit: bigint): Use =>
  (regex, text, { budget }) =>
    list(regex.findAll(text, Number(limit), budget).map(([start, end]) => text.slice(start, end)));

const split =
  (limit: bigint): Use =>
  (regex, text, { budget }) => {
    const parts = regex.split(text, Number(limit), budget);
    return parts ? strings(parts) : nilStrings;
  };

const replace =
  (replacement: string, literal: boolean): Use =>
  (regex, text, { budget }) =>
    regex.replaceAll(text, replacement, literal, budget);

/** A function and its `must` twin. */
function pair(name: string, plain: FunctionDefinition, must: FunctionDefinition): FunctionGroup {
  return { [name]: plain, [`must${name[0]?.toUpperCase()}${name.slice(1)}`]: must };
}

export const regexFunctions: FunctionGroup = {
  ...pair(
    'regexFind',
    contextual(['string', 'string'], (context, pattern, text) =>
      search(context, pattern, text, (regex) => regex.find(text, context.budget), panics(pattern)),
    ),
    contextual(['string', 'string'], (context, pattern, text) =>
      search(context, pattern, text, (regex) => regex.find(text, context.budget), fails),
    ),
  ),
  ...pair(
    'regexFindAll',
    contextual(['string', 'string', 'int'], (context, pattern, text, limit) =>
      search(context, pattern, text, findAll(limit.value), panics(pattern)),
    ),
    contextual(['string', 'string', 'int'], (context, pattern, text, limit) => search(context, pattern, text, findAll(limit.value), fails)),
  ),
  ...pair(
    'regexMatch',
    contextual(['string', 'string'], (context, pattern, text) =>
      search(
        context,
        pattern,
        text,
        (regex) => regex.test(text, context.budget),
        () => false,
      ),
    ),
    contextual(['string', 'string'], (context, pattern, text) =>
      search(context, pattern, text, (regex) => regex.test(text, context.budget), fails),
    ),
  ),
  regexQuoteMeta: fn(['string'], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
  ...pair(
    'regexReplaceAll',
    contextual(['string', 'string', 'string'], (context, pattern, text, by) =>
      search(context, pattern, text, replace(by, false), panics(pattern)),
    ),
    contextual(['string', 'string', 'string'], (context, pattern, text, by) => search(context, pattern, text, replace(by, false), fails)),
  ),
  ...pair(
    'regexReplaceAllLiteral',
    contextual(['string', 'string', 'string'], (context, pattern, text, by) =>
      search(context, pattern, text, replace(by, true), panics(pattern)),
    ),
    contextual(['string', 'string', 'string'], (context, pattern, text, by) => search(context, pattern, text, replace(by, true), fails)),
  ),
  ...pair(
    'regexSplit',
    contextual(['string', 'string', 'int'], (context, pattern, text, limit) =>
      search(context, pattern, text, split(limit.value), panics(pattern)),
    ),
    contextual(['string', 'string', 'int'], (context, pattern, text, limit) => search(context, pattern, text, split(limit.value), fails)),
  ),
};
