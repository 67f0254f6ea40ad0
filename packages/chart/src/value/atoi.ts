/** strconv.Atoi: the number, or what is wrong with it in Go's words. */
export function atoi(text: string): bigint | 'invalid syntax' | 'value out of range' {
  if (!/^[+-]?[0-9]+$/.test(text)) return 'invalid syntax';
  const digits = text.replace(/^[+-]?0*/, '');
  // No more of them fit, and to make a number of a million takes long.
  if (digits.length > 19) return 'value out of range';
  const value = BigInt(digits) * (text.startsWith('-') ? -1n : 1n);
  return BigInt.asIntN(64, value) === value ? value : 'value out of range';
}
