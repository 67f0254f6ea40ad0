const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** A span in its two largest units: `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`. A negative one (clocks differ) counts as none. */
export function formatDuration(ms: number): string {
  const span = Math.max(0, ms);
  if (span > 0 && span < 950) return `${(Math.ceil(span / 100) / 10).toFixed(1)} s`;
  const seconds = Math.round(span / 1000);
  const at = units.findIndex(([size]) => seconds >= size);
  const [size, unit] = units[at] ?? [1, 's'];
  const whole = Math.floor(seconds / size);
  const lower = units[at + 1];
  if (at < 0 || !lower) return `${whole} ${unit}`;
  const part = Math.floor((seconds % size) / lower[0]);
  return part === 0 && size !== 60 ? `${whole} ${unit}` : `${whole} ${unit} ${String(part).padStart(2, '0')} ${lower[1]}`;
}

/** How long ago, in one unit: `just now`, `5 min ago`, `3 d ago`. */
export function formatAge(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const unit = units.find(([size]) => seconds >= size);
  if (!unit || unit[1] === 's') return seconds < 5 ? 'just now' : `${seconds} s ago`;
  return `${Math.floor(seconds / unit[0])} ${unit[1]} ago`;
}

const clock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const timeOfDay = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/** An instant as this browser's place and the reader's eye want it. */
export const formatInstant = (instant: string): string => clock.format(new Date(instant));
export const formatClock = (instant: string): string => timeOfDay.format(new Date(instant));
export const formatDay = (instant: string): string => day.format(new Date(instant));
