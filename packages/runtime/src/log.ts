import { type DestinationStream, pino } from 'pino';

/** Structured logging; `fields` never hold a secret, and what slips through is masked by `registerSecret`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

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

/** A logger that writes JSON lines, masked, to `write` (default: standard error). */
export function createLogger(
  name: string,
  level: 'debug' | 'info' | 'warn' | 'error' = 'info',
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const stream: DestinationStream = { write: (line: string) => write(mask(line)) };
  return pino({ name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** Says nothing; for libraries' defaults and tests. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
