const secrets = new Set<string>();

/** Every later log line and every `mask` hides this value. Values under 6 characters would hide half of the text: they are left out. */
export function registerSecret(value: string): void {
  if (value.length >= 6) secrets.add(value);
}

/** The text with every registered secret replaced by `[masked]`. */
export function mask(text: string): string {
  let masked = text;
  for (const secret of secrets) if (masked.includes(secret)) masked = masked.replaceAll(secret, '[masked]');
  return masked;
}
