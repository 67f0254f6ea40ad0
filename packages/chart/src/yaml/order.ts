/** go-yaml's order of keys: digits by number, letters after all else (`a2` before `a10`). */
export function naturalOrder(left: string, right: string): number {
  if (left === right) return 0;
  return less(left, right) ? -1 : 1;
}

const isLetter = (character: string): boolean => {
  const code = character.charCodeAt(0);
  if (code < 0x80) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
  return /^\p{L}$/u.test(character);
};

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && (character < '\x80' ? character >= '0' && character <= '9' : /^\p{Nd}$/u.test(character));

function less(left: string, right: string): boolean {
  const a = /[\ud800-\udfff]/.test(left) ? [...left] : left;
  const b = /[\ud800-\udfff]/.test(right) ? [...right] : right;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a[i] as string;
    const y = b[i] as string;
    if (x === y) continue;
    const xLetter = isLetter(x);
    const yLetter = isLetter(y);
    if (xLetter && yLetter) return codeOf(x) < codeOf(y);
    if (xLetter || yLetter) return yLetter;
    return lessNumbers(a, b, i);
  }
  return a.length < b.length;
}

const codeOf = (character: string): number => character.codePointAt(0) as number;

type Characters = string | readonly string[];

/** Compares from a place where no letters differ: runs of digits as numbers, then by length, then by code. */
function lessNumbers(a: Characters, b: Characters, at: number): boolean {
  let x = 0n;
  let y = 0n;
  if (a[at] === '0' || b[at] === '0') {
    // Digits before, other than zeros, make the zeros count.
    for (let j = at - 1; j >= 0 && isDigit(a[j]); j--) {
      if (a[j] === '0') continue;
      x = 1n;
      y = 1n;
      break;
    }
  }
  let xEnd = at;
  let yEnd = at;
  for (; isDigit(a[xEnd]); xEnd++) x = BigInt.asIntN(64, x * 10n + BigInt(codeOf(a[xEnd] as string) - 48));
  for (; isDigit(b[yEnd]); yEnd++) y = BigInt.asIntN(64, y * 10n + BigInt(codeOf(b[yEnd] as string) - 48));
  if (x !== y) return x < y;
  if (xEnd !== yEnd) return xEnd < yEnd;
  return codeOf(a[at] as string) < codeOf(b[at] as string);
}
