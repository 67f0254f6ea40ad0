import { type DestinationStream, pino } from 'pino';
import { mask } from './mask.ts';

/** Structured logging; `fields` never hold a secret, and what slips through is masked by `registerSecret`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
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
