import { ChartError } from '../errors.ts';

/** .helmignore: which files of a chart's folder are no part of the chart. */
export type Ignore = (path: string, isFolder: boolean) => boolean;

interface Rule {
  readonly negated: boolean;
  readonly foldersOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/** Rules that many files meet quickly: most are a name, or an ending behind a star, that the last part of a path has. */
interface EverydayRules {
  readonly names: Set<string>;
  readonly folderNames: Set<string>;
  readonly endings: string[];
}

/** @throws ChartError where a rule is malformed, with Helm's words */
export function readIgnore(text: string): Ignore {
  const everyday: EverydayRules = { names: new Set(), folderNames: new Set(), endings: [] };
  const rules: Rule[] = [];
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const rule = readRule(line.trim(), everyday);
    if (rule) rules.push(rule);
  }
  // Helm's default: hidden files among the templates.
  rules.push(readRule('templates/.?*', everyday) as Rule);
  return (path, isFolder) => isIgnored(everyday, rules, path, isFolder);
}

/** The order of rules does not matter: one that takes a file out is enough. */
function isIgnored({ names, folderNames, endings }: EverydayRules, rules: readonly Rule[], path: string, isFolder: boolean): boolean {
  if (path === '' || path === '.' || path === './') return false;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (names.has(name) || (isFolder && folderNames.has(name))) return true;
  for (const ending of endings) if (name.endsWith(ending)) return true;
  for (const rule of rules) {
    if (rule.negated) {
      // Helm's odd negation: what does not match a negated rule is ignored.
      if ((rule.foldersOnly && !isFolder) || !rule.matches(path)) return true;
    } else if (!(rule.foldersOnly && !isFolder) && rule.matches(path)) return true;
  }
  return false;
}

/** @returns the rule, unless it is an everyday one, which is taken up, or none */
function readRule(line: string, everyday: EverydayRules): Rule | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  if (line.includes('**'))
    throw new ChartError('CHART_INVALID', 'double-star (**) syntax is not supported', { where: { file: '.helmignore' } });
  if (!isPattern(line)) throw new ChartError('CHART_INVALID', 'syntax error in pattern', { where: { file: '.helmignore' } });
  const negated = line.startsWith('!');
  let pattern = negated ? line.slice(1) : line;
  const foldersOnly = pattern.endsWith('/');
  if (foldersOnly) pattern = pattern.slice(0, -1);
  const isRooted = pattern.startsWith('/');
  if (isRooted) pattern = pattern.slice(1);
  const ofName = !isRooted && !pattern.includes('/');
  if (!negated && ofName && !/[?[\\]/.test(pattern)) {
    if (!pattern.includes('*')) {
      (foldersOnly ? everyday.folderNames : everyday.names).add(pattern);
      return undefined;
    }
    if (!foldersOnly && pattern.lastIndexOf('*') === 0) {
      everyday.endings.push(pattern.slice(1));
      return undefined;
    }
  }
  const start = /^[^*?[\\]*/.exec(pattern)?.[0] ?? '';
  const matches = (path: string): boolean => path.startsWith(start) && matchPath(pattern, path);
  return { negated, foldersOnly, matches: ofName ? (path) => matches(path.slice(path.lastIndexOf('/') + 1)) : matches };
}

function isPattern(pattern: string): boolean {
  let open = false;
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '\\') {
      if (++i >= pattern.length) return false;
    } else if (character === '[' && !open) {
      open = true;
      if (pattern[i + 1] === '^') i++;
      if (pattern[i + 1] === ']') return false;
    } else if (character === ']' && open) open = false;
  }
  return !open;
}

/** filepath.Match: `*` and `?` stay inside one part of the path, `[a-z]` and `[^a]` are classes, `\` quotes. */
export function matchPath(pattern: string, path: string): boolean {
  const parts = compile(pattern);
  let alive = new Set([0]);
  const spread = (states: Set<number>): Set<number> => {
    for (const state of states) if (parts[state] === '*') states.add(state + 1);
    return states;
  };
  spread(alive);
  for (const character of path) {
    const next = new Set<number>();
    for (const state of alive) {
      const part = parts[state];
      if (part === '*') {
        if (character !== '/') next.add(state);
      } else if (part?.(character)) next.add(state + 1);
    }
    alive = spread(next);
    if (alive.size === 0) return false;
  }
  return alive.has(parts.length);
}

type Part = '*' | ((character: string) => boolean);

function compile(pattern: string): Part[] {
  const parts: Part[] = [];
  const characters = [...pattern];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] as string;
    if (character === '*') parts.push('*');
    else if (character === '?') parts.push((c) => c !== '/');
    else if (character === '[') {
      const members: string[] = [];
      const negated = characters[i + 1] === '^';
      if (negated) i++;
      for (i++; i < characters.length && characters[i] !== ']'; i++)
        members.push(characters[i] === '\\' ? (characters[++i] as string) : (characters[i] as string));
      parts.push((c) => inClass(members, c) !== negated);
    } else {
      const literal = character === '\\' ? (characters[++i] ?? '') : character;
      parts.push((c) => c === literal);
    }
  }
  return parts;
}

function inClass(members: readonly string[], character: string): boolean {
  for (let i = 0; i < members.length; i++) {
    const low = members[i] as string;
    const high = members[i + 1] === '-' ? members[i + 2] : undefined;
    if (high !== undefined) {
      if (character >= low && character <= high) return true;
      i += 2;
    } else if (character === low) return true;
  }
  return false;
}
