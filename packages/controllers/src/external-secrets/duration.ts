import { ControllerError } from '../controller-error.ts';

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it, `1h0m0s`, in milliseconds. @throws ControllerError INVALID */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)];
  const length = parts.reduce((sum, [part]) => sum + part.length, 0);
  if (parts.length === 0 || length !== text.length || text.length > 60) {
    throw new ControllerError('INVALID', `${JSON.stringify(text)} is no duration`, { kind: 'user', cure: 'Write it as 30s, 1m or 1h30m.' });
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit ?? ''] ?? 0), 0);
}
