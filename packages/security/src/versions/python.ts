/** Order of Python versions (PEP 440: forms of "Version specifiers", order of "Summary of permitted suffixes and relative ordering"). */

const pattern =
  /^\s*v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)(?:[-_.]?(?<phase>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<phaseNumber>\d*))?(?:-(?<implicitPost>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d*))?(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d*))?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/i;

type Part = bigint | string;

const phases: Readonly<Record<string, bigint>> = { a: 0n, alpha: 0n, b: 1n, beta: 1n };
const candidate = 2n;
const final = 3n;
const beforePhases = -1n;

/** The keys that two versions are compared by, the first that differs deciding. */
function keysOf(text: string): Part[][] | undefined {
  const groups = text.length <= 200 ? pattern.exec(text)?.groups : undefined;
  if (!groups) return undefined;
  const { epoch, release, phase, phaseNumber, implicitPost, post, postNumber, dev, devNumber, local } = groups;
  const numbers = (release as string).split('.').map(BigInt);
  while (numbers.length > 1 && numbers.at(-1) === 0n) numbers.pop();
  const isPost = implicitPost !== undefined || post !== undefined;
  const phaseKey =
    phase === undefined
      ? [!isPost && dev !== undefined ? beforePhases : final]
      : [phases[phase.toLowerCase()] ?? candidate, BigInt(phaseNumber || 0)];
  return [
    [BigInt(epoch ?? 0)],
    numbers,
    phaseKey,
    [isPost ? BigInt(implicitPost ?? (postNumber || 0)) : -1n],
    dev === undefined ? [1n] : [0n, BigInt(devNumber || 0)],
    (local ?? '')
      .toLowerCase()
      .split(/[-_.]/)
      .filter(Boolean)
      .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part)),
  ];
}

function compareKey(a: readonly Part[], b: readonly Part[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    if (typeof x !== typeof y) return typeof x === 'bigint' ? 1 : -1;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** -1, 0 or 1; undefined when either text is no PEP 440 version. */
export function comparePython(a: string, b: string): number | undefined {
  const [x, y] = [keysOf(a), keysOf(b)];
  if (!x || !y) return undefined;
  for (const [index, key] of x.entries()) {
    const result = compareKey(key, y[index] as Part[]);
    if (result) return result;
  }
  return 0;
}
