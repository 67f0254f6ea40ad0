/** Order of Python versions (PEP 440, "Version scheme"; the pattern is that of its appendix B, in our own words). */

const pattern =
  /^\s*v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?(\d*))?(?:(?:-(\d+))|(?:[-_.]?(?:post|rev|r)[-_.]?(\d*)))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*$/i;

type Part = bigint | string;

/** A list whose parts compare from left to right. */
function key(text: string): Part[][] | undefined {
  const match = text.length <= 200 ? pattern.exec(text) : null;
  if (!match) return undefined;
  const [, epoch, release, pre, preNumber, dashPost, post, dev, devNumber, local] = match;
  const numbers = (release as string).split('.').map(BigInt);
  while (numbers.length > 1 && numbers.at(-1) === 0n) numbers.pop();
  const isPost =
    dashPost !== undefined ||
    (/(?:post|rev|(?<![a-z])r)(?:[-_.]?\d*)/i.test(
      text.slice(text.indexOf(release as string) + (release as string).length).split('+')[0] as string,
    ) &&
      post !== undefined);
  const phase = pre === undefined ? undefined : /^a/i.test(pre) ? 0n : /^b/i.test(pre) ? 1n : 2n;
  // A development release of a final one comes before its pre-releases; a final one after them.
  const preKey: Part[] = phase === undefined ? [!isPost && dev !== undefined ? -1n : 3n] : [phase, BigInt(preNumber || 0)];
  const postKey: Part[] = isPost ? [BigInt(dashPost ?? (post || 0))] : [-1n];
  const devKey: Part[] = dev === undefined ? [1n] : [0n, BigInt(devNumber || 0)];
  const localKey: Part[] = (local ?? '')
    .toLowerCase()
    .split(/[-_.]/)
    .filter(Boolean)
    .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part));
  return [[BigInt(epoch ?? 0)], numbers, preKey, postKey, devKey, localKey];
}

function compareParts(a: readonly Part[], b: readonly Part[]): number {
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
  const [x, y] = [key(a), key(b)];
  if (!x || !y) return undefined;
  for (const [index, part] of x.entries()) {
    const result = compareParts(part, y[index] as Part[]);
    if (result) return result;
  }
  return 0;
}
