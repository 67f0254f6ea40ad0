const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/**
 * A Kubernetes quantity as a number: `500m` is 0.5, `64Mi` is 67108864. What is no quantity is 0, for the API server
 * has refused it before. Source: apimachinery `api/resource`.
 */
export function parseQuantity(value: string | number): number {
  if (typeof value === 'number') return value;
  const [, number, exponent, suffix] =
    /^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(value.trim()) ?? [];
  return number === undefined ? 0 : Number(number + (exponent ?? '')) * (factors[suffix ?? ''] ?? 1);
}
