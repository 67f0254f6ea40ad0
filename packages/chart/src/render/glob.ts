const anything = (): boolean => true;

/**
 * Path patterns of `.Files.Glob`, as Helm's library of globs reads them: `*` and `?` stay inside one path part, `**` does
 * not; `[abc]`, `[!abc]` and `[a-z]` take any one character, `/` too; `{a,b}` may nest and need not be closed; `\` takes
 * the next character as it is. A wrong pattern takes every path, as in Helm.
 *
 * A pattern becomes the steps of an automaton that follows all its ways at once, so no pattern can make it slow.
 */
export function globMatcher(pattern: string): (path: string) => boolean {
  const steps = compile(pattern);
  if (!steps) return anything;
  const ends = twoEnds.exec(pattern);
  if (ends) return (path) => path.startsWith(ends[1] as string) && path.endsWith(ends[2] as string);
  const start = plainStart(pattern);
  return (path) => path.startsWith(start) && matches(steps, path);
}

/** The text that every path begins with which the pattern takes. */
const plainStart = (pattern: string): string => /^[^*?[{\\\0]*/.exec(pattern)?.[0] as string;

/** `start**end`, of which Helm's library looks at either end alone: they may overlap, so `a/**` + `/b` takes `a/b`. */
const twoEnds = /^([^*?[{\\\0]+)\*\*([^*?[{\\\0]+)$/;

/** Steps that matching paths takes, at most: only what follows plain text is many ways at once. */
export function globCost(pattern: string, paths: Iterable<string>): number {
  const start = plainStart(pattern);
  const ways = 1 + pattern.length - start.length;
  let sum = pattern.length;
  for (const path of paths) sum += path.startsWith(start) ? ways * (1 + path.length) : 4;
  return sum / 8;
}

/** A step that takes characters, and may repeat (`*`, `**`), or one that goes on at other steps without any. */
type Step = { readonly accepts: (character: string) => boolean; readonly repeats: boolean } | { readonly targets: number[] };

/** Braces that are open: where their alternatives begin, and the ends of those that must go on behind the braces. */
interface Braces {
  readonly starts: number[];
  readonly ends: number[][];
}

const notSlash = (character: string): boolean => character !== '/';

/** What the library takes for the end of a text. */
const nul = '\0';

function compile(pattern: string): Step[] | undefined {
  const characters = [...pattern];
  const steps: Step[] = [];
  const open: Braces[] = [];
  const close = (braces: Braces): void => {
    for (const end of braces.ends) end.push(steps.length);
  };
  const add = (accepts: (character: string) => boolean, repeats = false): void => {
    steps.push({ accepts, repeats });
  };
  let inText = false;
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (isUnreadable(character)) return undefined;
    const braces = open.at(-1);
    const wasInText = inText;
    inText = false;
    if (character === nul) {
      if (!wasInText) break;
    } else if (character === '*') {
      const isDouble = characters[i + 1] === '*';
      if (isDouble) i++;
      add(isDouble ? anything : notSlash, true);
    } else if (character === '?') add(notSlash);
    else if (character === '[') {
      const found = readClass(characters, i + 1);
      if (!found) return undefined;
      add(found.accepts);
      i = found.end;
    } else if (character === '{') {
      const starts = [steps.length + 1];
      steps.push({ targets: starts });
      open.push({ starts, ends: [] });
    } else if (character === ',' && braces) {
      const end: number[] = [];
      steps.push({ targets: end });
      braces.ends.push(end);
      braces.starts.push(steps.length);
    } else if (character === '}' && braces) {
      close(braces);
      open.pop();
    } else {
      const literal = character === '\\' ? characters[++i] : character;
      if (literal === undefined || literal === nul) continue;
      if (isUnreadable(literal)) return undefined;
      inText = true;
      add((c) => c === literal);
    }
  }
  for (const braces of open) close(braces);
  return steps;
}

/** Bytes that are no UTF-8, and the character that stands for them: the library refuses both. */
const isUnreadable = (character: string): boolean =>
  character === '\ufffd' || (character >= '\ud800' && character <= '\udfff' && character.length === 1);

/** Reads `a-z]` or `abc]`, each perhaps behind `!`. A range stands alone; a list takes `\` before a `]`. */
function readClass(characters: readonly string[], from: number): { accepts: (character: string) => boolean; end: number } | undefined {
  const isNegated = characters[from] === '!';
  const start = isNegated ? from + 1 : from;
  if (characters[start + 1] === '-') {
    const [low, , high, closing] = characters.slice(start, start + 4);
    if (!low || !high || closing !== ']' || [low, high].some((c) => c === nul || isUnreadable(c))) return undefined;
    const [first, last] = [low.codePointAt(0) as number, high.codePointAt(0) as number];
    const isInside = (character: string): boolean => {
      const code = character.codePointAt(0) as number;
      return code >= first && code <= last;
    };
    return first > last ? undefined : { accepts: (character) => isInside(character) !== isNegated, end: start + 3 };
  }
  const members = new Set<string>();
  for (let i = start; i < characters.length; i++) {
    let character = characters[i] as string;
    if (character === ']') return members.size === 0 ? undefined : { accepts: (c) => members.has(c) !== isNegated, end: i };
    if (character === '\\') character = characters[++i] ?? nul;
    if (character === nul || isUnreadable(character)) return undefined;
    members.add(character);
  }
  return undefined;
}

function matches(steps: readonly Step[], path: string): boolean {
  let alive: number[] = [];
  let next: number[] = [];
  const seenAt = new Int32Array(steps.length + 1).fill(-1);
  /** Makes a step alive behind so many characters, and all that it leads to without another. */
  const enter = (list: number[], first: number, position: number): void => {
    const pending = [first];
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (seenAt[index] === position) continue;
      seenAt[index] = position;
      const step = steps[index];
      if (step && 'targets' in step) {
        for (const target of step.targets) pending.push(target);
        continue;
      }
      list.push(index);
      if (step?.repeats) pending.push(index + 1);
    }
  };
  enter(alive, 0, 0);
  let position = 0;
  for (const character of path) {
    position++;
    next.length = 0;
    for (const index of alive) {
      const step = steps[index];
      if (step && 'accepts' in step && step.accepts(character)) enter(next, step.repeats ? index : index + 1, position);
    }
    if (next.length === 0) return false;
    [alive, next] = [next, alive];
  }
  return alive.includes(steps.length);
}
