/** strconv.FormatFloat for float64: JavaScript finds the same shortest digits, only the dress differs. */

/** `%e` with a number of decimals, or the shortest (`-1`). */
export function formatE(value: number, decimals = -1): string {
  if (!Number.isFinite(value)) return special(value);
  const { digits, exponent } = decimals < 0 ? shortest(value) : rounded(value, decimals + 1);
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${sign(value)}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** `%f` with a number of decimals, or the shortest (`-1`). */
export function formatF(value: number, decimals = -1): string {
  if (!Number.isFinite(value)) return special(value);
  if (decimals < 0) {
    const { digits, exponent } = shortest(value);
    return sign(value) + place(digits, exponent);
  }
  const kept = Math.min(decimals, lastDecimal);
  const units = scaled(Math.abs(value), kept)
    .toString()
    .padStart(kept + 1, '0');
  const split = units.length - kept;
  return sign(value) + units.slice(0, split) + (decimals > 0 ? `.${units.slice(split)}${'0'.repeat(decimals - kept)}` : '');
}

/** `%g` with a number of significant digits, or the shortest (`-1`), which is what `%v` prints: `1e+06`, `999999`. */
export function formatG(value: number, significant = -1): string {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return `${sign(value)}0`;
  const { digits, exponent } = significant < 0 ? shortest(value) : rounded(value, Math.max(significant, 1));
  const kept = digits.replace(/0+$/, '') || '0';
  let limit = significant < 0 ? 6 : Math.max(significant, 1);
  if (significant >= 0 && limit > kept.length && kept.length >= exponent + 1) limit = kept.length;
  if (exponent < -4 || exponent >= limit) {
    const mantissa = kept.length > 1 ? `${kept[0]}.${kept.slice(1)}` : kept;
    return `${sign(value)}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return sign(value) + place(kept, exponent);
}

/** `%x`: a hexadecimal mantissa and a power of two; only the shortest form. */
export function formatHex(value: number, digits: number): string {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return `${sign(value)}0x0p+00`;
  let exponent = Math.floor(Math.log2(Math.abs(value)));
  let mantissa = Math.abs(value) / 2 ** exponent;
  if (mantissa >= 2) {
    mantissa /= 2;
    exponent++;
  }
  const fraction = mantissa.toString(16).slice(2);
  const shown = digits < 0 ? fraction : fraction.padEnd(digits, '0').slice(0, digits);
  return `${sign(value)}0x1${shown && `.${shown}`}p${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** encoding/json's form: plain between 1e-6 and 1e21, and an exponent of as few digits as possible. */
export function formatJsonNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return formatF(value);
  return formatE(value).replace(/e-0(\d)$/, 'e-$1');
}

const sign = (value: number): string => (value < 0 || Object.is(value, -0) ? '-' : '');

function special(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Digits `d.ddd` times ten to the exponent, written without one. */
function place(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const fraction = digits.slice(exponent + 1);
  return digits.slice(0, exponent + 1).padEnd(exponent + 1, '0') + (fraction ? `.${fraction}` : '');
}

function shortest(value: number): { digits: string; exponent: number } {
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

function rounded(value: number, significant: number): { digits: string; exponent: number } {
  const size = Math.abs(value);
  if (size === 0) return { digits: '0'.repeat(significant), exponent: 0 };
  let { exponent } = shortest(size);
  const asked = significant - 1 - exponent;
  const kept = Math.min(asked, lastDecimal);
  let digits = scaled(size, kept).toString() + '0'.repeat(asked - kept);
  if (digits.length > significant) {
    exponent++;
    digits = digits.slice(0, significant);
  }
  return { digits, exponent };
}

/** A float64 has no digits past this decimal. */
const lastDecimal = 1075;

/** A positive number times ten to the power, rounded half to even, exactly. */
function scaled(size: number, power: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, size);
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n) & 0x7ff;
  let top = (bits & 0xfffffffffffffn) + (biased === 0 ? 0n : 1n << 52n);
  let bottom = 1n;
  const binary = (biased === 0 ? 1 : biased) - 1075;
  if (binary >= 0) top <<= BigInt(binary);
  else bottom <<= BigInt(-binary);
  if (power >= 0) top *= 10n ** BigInt(power);
  else bottom *= 10n ** BigInt(-power);
  const whole = top / bottom;
  const twice = (top % bottom) * 2n;
  return twice > bottom || (twice === bottom && whole % 2n === 1n) ? whole + 1n : whole;
}
