const factors: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1000n,
  M: 1000n ** 2n,
  G: 1000n ** 3n,
  T: 1000n ** 4n,
  P: 1000n ** 5n,
  E: 1000n ** 6n,
  Ki: 1024n,
  Mi: 1024n ** 2n,
  Gi: 1024n ** 3n,
  Ti: 1024n ** 4n,
  Pi: 1024n ** 5n,
  Ei: 1024n ** 6n,
};
const gibibyte = 1024n ** 3n;

/** Bytes of a Kubernetes quantity, rounded up; undefined for what is none or below one byte. */
export function bytesOf(quantity: string | number | undefined): bigint | undefined {
  const match = /^\+?(\d{1,18})(?:\.(\d{1,9}))?(?:([eE]\d{1,2})|([kMGTPE]|[KMGTPE]i|m))?$/.exec(String(quantity ?? ''));
  if (!match) return undefined;
  const [, whole = '0', fraction = '', exponent, suffix = ''] = match;
  const factor = exponent === undefined ? (factors[suffix] ?? 0n) : 10n ** BigInt(Number(exponent.slice(1)));
  const scale = 10n ** BigInt(fraction.length) * (suffix === 'm' ? 1000n : 1n);
  const bytes = ceilDivide(BigInt(whole + fraction) * (suffix === 'm' ? 1n : factor), scale);
  return bytes > 0n ? bytes : undefined;
}

/** Whole GiB, as Cinder makes volumes: `1Mi` becomes `1Gi`. */
export function roundToGibibytes(bytes: bigint): string {
  return `${ceilDivide(bytes, gibibyte)}Gi`;
}

const ceilDivide = (value: bigint, by: bigint): bigint => (value + by - 1n) / by;
