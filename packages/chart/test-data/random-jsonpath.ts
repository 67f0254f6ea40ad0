import { random } from './programs.ts';

/** Random expressions of `show values --jsonpath` for comparing with real Helm: mostly well formed, now and then not. */

/** Names that jsonpath.yaml has below its top, beside those of the top. */
const names = ['name', 'image', 'tag', 'items', 'port', 'tags', 'weight', 'enabled', 'list', 'words', 'mixed', 'nested', 'pairs', 'key'];
const odd = ['nothing', 'nobody', 'nulls', 'none', 'nope', 'a.b', 'a b', 'é', 'deep', 'er', 'one', 'half', 'people', 'note', '', '*'];
/** Ways that lead somewhere. */
const ways = [
  ...['.name', '.image', '.image.tag', '.deep.er.est', '.list', '.list[*]', '.words[*]', '.words[-1]', '.nested[*]', '.nested[0:2][*]'],
  ...['.items', '.items[*]', '.items[0]', '.items[*].name', '.items[*].tags', '.items[*].tags[*]', '.items[0:2].enabled', '.mixed[*]'],
  ...['.pairs[*].value', ".pairs[*]['key','value']", "['name','one']", '.nothing', '.nulls[*]', '.half', '.is', '..tag', '.items..port'],
  ...['.mixed[1]', '.a\\.b', "['é']", '.people[*].note', '.items[?(@.port>100.0)]', '.items[?(@.weight)].name', '.digits', '.negative'],
];
/** Lists, and a name that each of their items has. */
const lists: readonly (readonly [string, string])[] = [
  ['.items[*]', 'name'],
  ['.items[*]', 'port'],
  ['.items', 'tags'],
  ['.pairs[*]', 'key'],
  ['.pairs[1:]', 'value'],
  ['.people[*]', 'note'],
  ['.words[*]', ''],
  ['.list[::2]', ''],
  ['.nested[*]', ''],
  ['.items[*].tags[*]', ''],
];
const operators = ['==', '!=', '<', '>', '<=', '>=', '=', '==='];
const texts = ['" "', '"\\n"', "','", '"x"', '"first"', "'second'", '"\\u00e9"', '"a\'b"', "'it\\'s'", '"}"', '")"', '"]"'];
const numbers = ['0', '1', '-1', '2.0', '443.0', '0.5', '80', '1.', '+3'];
const rubbish = ['{', '}', '[', ']', '(', ')', '"', "'", '\\', '.', '..', '*', '@', '$', '?', ',', ':', '-', ' ', '!', '=', '😀', '\t'];

export function makeExpression(seed: number): string {
  const next = random(seed);
  const below = (count: number): number => Math.floor(next() * count);
  const pick = (list: readonly string[]): string => list[below(list.length)] as string;
  const name = (): string => (below(4) === 0 ? pick(odd) : pick(names));

  const index = (): string => {
    const at = (): string => (below(3) === 0 ? '' : String(below(7) - 2));
    return [String(below(6) - 2), '*', `${at()}:${at()}`, `${at()}:${at()}:${below(4)}`, ':', ''][below(6)] as string;
  };
  const member = (): string => (below(2) === 0 ? index() : `'${name()}'`);
  const side = (depth: number): string =>
    [`@${steps(depth + 1)}`, `@.${name()}`, pick(texts), pick(numbers), 'true', '@', '$.one'][below(7)] as string;
  const filter = (depth: number): string => {
    const space = below(3) === 0 ? ' ' : '';
    return below(3) === 0 ? side(depth) : `${side(depth)}${space}${pick(operators)}${space}${side(depth)}`;
  };
  const step = (depth: number): string => {
    switch (below(depth > 2 ? 6 : 8)) {
      case 0:
        return `[${index()}]`;
      case 1:
        return `['${name()}']`;
      case 2:
        return `[${member()},${below(2) === 0 ? ' ' : ''}${member()}]`;
      case 3:
        return below(3) === 0 ? '.*' : '[*]';
      case 6:
        return `[?(${filter(depth)})]`;
      case 7:
        return below(2) === 0 ? `..${name()}` : `.${name()}[?(@.${name()}${pick(operators)}${side(depth)})]`;
      default:
        return `.${name().replaceAll('.', '\\.')}`;
    }
  };
  function steps(depth: number): string {
    return Array.from({ length: below(4) }, () => step(depth)).join('');
  }
  const action = (): string => {
    if (below(3) > 0) return `{${pick(['', '', '$', ' '])}${pick(ways)}${below(4) === 0 ? step(0) : ''}}`;
    const start = ['', '$', '@', ' ', '.'][below(5)] as string;
    return `{${below(8) === 0 ? pick([...texts, ...numbers]) : `${start}${step(0)}${steps(0)}`}}`;
  };
  const loop = (depth: number): string => {
    if (below(3) > 0) {
      const [list, key] = lists[below(lists.length)] as readonly [string, string];
      const inner = below(4) === 0 ? part(depth + 1) : pick([' ', ',', '{"\\n"}', '', '{$}', `{@.${key}}`]);
      return `{range ${list}}${key === '' ? pick(['{@}', '{}', '{$}']) : `{.${key}}`}${inner}{end}`;
    }
    const over = `${below(4) === 0 ? '' : ' '}.${pick(['items', 'list', 'words', 'nested', 'pairs', 'nobody', 'nulls', 'mixed'])}${below(3) === 0 ? steps(1) : '[*]'}`;
    return `{range${over}}${part(depth + 1)}${below(10) === 0 ? '' : '{end}'}`;
  };
  const part = (depth: number): string => {
    const kind = below(depth > 1 ? 5 : 7);
    if (kind > 4) return loop(depth);
    if (kind === 0) return pick(['plain', ' ', ',', '; ']);
    return kind === 1 ? pick(['{@}', '{.name}', '{}', '{[*]}', '{.key}={.value}', '{"\\n"}']) : action();
  };
  // Without any expression Helm prints the file.
  const expression = Array.from({ length: 1 + below(3) }, () => part(0)).join('') || '{}';
  if (below(6) > 0) return expression;
  const at = below(expression.length + 1);
  return below(2) === 0 || expression.length < 4
    ? expression.slice(0, at) + pick(rubbish) + expression.slice(at)
    : expression.slice(0, at) + expression.slice(at + 1 + below(2));
}
