/**
 * Order of Debian versions (Debian Policy 5.6.12; dpkg's `verrevcmp`): epoch, upstream version, revision; `~` sorts
 * before the end, letters before other characters.
 */
const rank = (character: string | undefined): number => {
  if (character === undefined || /\d/.test(character)) return 0;
  if (character === '~') return -1;
  return /[a-zA-Z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
};

function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !/\d/.test(a[i] as string)) || (j < b.length && !/\d/.test(b[j] as string))) {
      const difference = rank(a[i]) - rank(b[j]);
      if (difference !== 0) return Math.sign(difference);
      i++;
      j++;
    }
    const [x, y] = [/^\d*/.exec(a.slice(i))?.[0] ?? '', /^\d*/.exec(b.slice(j))?.[0] ?? ''];
    const [p, q] = [BigInt(x || 0), BigInt(y || 0)];
    if (p !== q) return p < q ? -1 : 1;
    i += x.length;
    j += y.length;
  }
  return 0;
}

const pattern = /^(?:(\d{1,9}):)?([0-9A-Za-z.+~:-]*?)(?:-([0-9A-Za-z.+~]*))?$/;

function split(version: string): readonly [bigint, string, string] | undefined {
  if (version.length === 0 || version.length > 200) return undefined;
  const colon = version.indexOf(':');
  const epoch = colon < 0 ? '0' : version.slice(0, colon);
  const rest = version.slice(colon + 1);
  if (!/^\d{1,9}$/.test(epoch) || rest === '' || !pattern.test(rest)) return undefined;
  const dash = rest.lastIndexOf('-');
  return [BigInt(epoch), dash < 0 ? rest : rest.slice(0, dash), dash < 0 ? '' : rest.slice(dash + 1)];
}

/** -1, 0 or 1; undefined when either text is no Debian version. */
export function compareDebian(a: string, b: string): number | undefined {
  const [x, y] = [split(a), split(b)];
  if (!x || !y) return undefined;
  if (x[0] !== y[0]) return x[0] < y[0] ? -1 : 1;
  return comparePart(x[1], y[1]) || comparePart(x[2], y[2]);
}
