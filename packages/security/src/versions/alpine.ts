/**
 * Order of Alpine versions (apk-tools, "package version" in apk-package(5)):
 * `digits{.digits}[letter]{_suffix[digits]}[~hash][-r digits]`.
 */
const pattern = /^(\d+(?:\.\d+)*)([a-z])?((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'cvs', 'svn', 'git', 'hg', 'p'];

interface AlpineVersion {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly (readonly [rank: number, number: bigint])[];
  readonly revision: bigint;
}

function parse(text: string): AlpineVersion | undefined {
  const match = text.length <= 200 ? pattern.exec(text) : null;
  if (!match) return undefined;
  return {
    numbers: (match[1] as string).split('.'),
    letter: match[2] ?? '',
    suffixes: [...(match[3] ?? '').matchAll(/_([a-z]+)(\d*)/g)].map(([, name, number]) => [
      suffixes.indexOf(name as string),
      BigInt(number || 0),
    ]),
    revision: BigInt(match[4] ?? 0),
  };
}

const order = <T extends string | bigint | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/** The first number counts as such; a later one that starts with 0 counts as a fraction would. */
const compareNumber = (a: string, b: string, first: boolean): number =>
  !first && (a.startsWith('0') || b.startsWith('0')) ? order(a, b) : order(BigInt(a), BigInt(b));

/** -1, 0 or 1; undefined when either text is no Alpine version. */
export function compareAlpine(left: string, right: string): number | undefined {
  const [a, b] = [parse(left), parse(right)];
  if (!a || !b) return undefined;
  for (let i = 0; i < Math.max(a.numbers.length, b.numbers.length); i++) {
    const [x, y] = [a.numbers[i], b.numbers[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const result = compareNumber(x, y, i === 0);
    if (result) return result;
  }
  if (a.letter !== b.letter) return order(a.letter, b.letter);
  for (let i = 0; i < Math.max(a.suffixes.length, b.suffixes.length); i++) {
    const [x, y] = [a.suffixes[i] ?? ([suffixes.indexOf(''), 0n] as const), b.suffixes[i] ?? ([suffixes.indexOf(''), 0n] as const)];
    const result = order(x[0], y[0]) || order(x[1], y[1]);
    if (result) return result;
  }
  return order(a.revision, b.revision);
}
