/**
 * Path patterns of `.Files.Glob`: `*` and `?` stay inside one path part, `**` does not, `[a-z]`, `[!a]`, `{a,b}`, `\`.
 * Matching is by a table, so no pattern can make it slow.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const alternatives = expand(pattern).map(compile);
  return (path) => alternatives.some((parts) => matches(parts, path));
}

/** Most alternatives that braces may stand for. */
const maxAlternatives = 1000;

/** Steps that matching a number of files takes, at most. */
export function globCost(pattern: string, files: number): number {
  const alternatives = Math.min(maxAlternatives, 2 ** (pattern.split(',').length - 1));
  return (alternatives * (pattern.length + files * (2 + pattern.length))) / 4;
}

/** `a{b,c}` → `ab`, `ac`; nested too. A pattern that makes too many matches as a literal. */
function expand(pattern: string): string[] {
  const open = findUnescaped(pattern, '{', 0);
  if (open < 0) return [pattern];
  let depth = 0;
  const cuts = [open];
  for (let i = open; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '\\') i++;
    else if (character === '{') depth++;
    else if (character === ',' && depth === 1) cuts.push(i);
    else if (character === '}' && --depth === 0) {
      cuts.push(i);
      break;
    }
  }
  if (depth !== 0) return [pattern.replaceAll('{', '\\{')];
  const head = pattern.slice(0, open);
  const tail = pattern.slice((cuts.at(-1) as number) + 1);
  const out: string[] = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const choice = pattern.slice((cuts[i] as number) + 1, cuts[i + 1]);
    for (const rest of expand(choice + tail)) out.push(head + rest);
    if (out.length > maxAlternatives) return [pattern.replaceAll('{', '\\{')];
  }
  return out;
}

function findUnescaped(text: string, wanted: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === wanted) return i;
  }
  return -1;
}

/** One step of a pattern: repeats (`*`, `**`) or takes one character. */
interface Part {
  readonly repeats: boolean;
  readonly accepts: (character: string) => boolean;
}

const notSlash = (character: string): boolean => character !== '/';

function compile(pattern: string): Part[] {
  const parts: Part[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (character === '*') {
      const isDouble = characters[i + 1] === '*';
      while (characters[i + 1] === '*') i++;
      parts.push({ repeats: true, accepts: isDouble ? () => true : notSlash });
    } else if (character === '?') parts.push({ repeats: false, accepts: notSlash });
    else if (character === '[') {
      const close = characters.indexOf(']', i + 2);
      if (close < 0) parts.push({ repeats: false, accepts: (c) => c === '[' });
      else {
        parts.push({ repeats: false, accepts: characterClass(characters.slice(i + 1, close)) });
        i = close;
      }
    } else {
      const literal = character === '\\' ? (characters[++i] ?? '\\') : character;
      parts.push({ repeats: false, accepts: (c) => c === literal });
    }
  }
  return parts;
}

function characterClass(members: readonly string[]): (character: string) => boolean {
  const negated = members[0] === '!';
  const list = negated ? members.slice(1) : members;
  const [low, dash, high] = list;
  const isRange = list.length === 3 && dash === '-' && low !== undefined && high !== undefined;
  return (character) => (isRange ? character >= low && character <= high : list.includes(character)) !== negated;
}

function matches(parts: readonly Part[], path: string): boolean {
  let alive = new Uint8Array(parts.length + 1);
  let next = new Uint8Array(parts.length + 1);
  alive[0] = 1;
  spread(alive, parts);
  for (const character of path) {
    next.fill(0);
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Part;
      if (alive[i] !== 1 || !part.accepts(character)) continue;
      next[part.repeats ? i : i + 1] = 1;
    }
    spread(next, parts);
    [alive, next] = [next, alive];
  }
  return alive[parts.length] === 1;
}

/** A repeating part may match nothing. */
function spread(alive: Uint8Array, parts: readonly Part[]): void {
  for (let i = 0; i < parts.length; i++) if (alive[i] === 1 && parts[i]?.repeats) alive[i + 1] = 1;
}
