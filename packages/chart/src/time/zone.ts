/** Time zones by the data of the JavaScript runtime. */
export interface Zone {
  /** `UTC`, `Local`, `Europe/Rome`. */
  readonly name: string;
  /** Seconds east of UTC and abbreviation at an instant. */
  at(unixSeconds: number): { readonly offset: number; readonly abbreviation: string };
}

export const utc: Zone = { name: 'UTC', at: () => ({ offset: 0, abbreviation: 'UTC' }) };

export function fixedZone(offset: number, abbreviation: string): Zone {
  return { name: abbreviation, at: () => ({ offset, abbreviation }) };
}

const known = new Map<string, Zone | undefined>();

/** A zone by its name; undefined where there is none. `Local` is the runtime's own. */
export function loadZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC') return utc;
  if (!known.has(name)) known.set(name, makeZone(name));
  return known.get(name);
}

function makeZone(name: string): Zone | undefined {
  try {
    const timeZone = name === 'Local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : name;
    if (name === 'Local' && /^(UTC|Etc\/UTC|GMT)$/.test(timeZone)) return { ...utc, name: 'Local' };
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const names = ['en-US', 'en-GB', 'en-AU'].map((locale) => new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }));
    return {
      name,
      at(unixSeconds) {
        const offset = offsetAt(parts, unixSeconds);
        return { offset, abbreviation: abbreviationAt(names, unixSeconds, offset) };
      },
    };
  } catch {
    return undefined;
  }
}

function offsetAt(format: Intl.DateTimeFormat, unixSeconds: number): number {
  const fields: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(unixSeconds * 1000)) fields[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return Math.round(Date.UTC(year, month - 1, day, hour, minute, second) / 1000 - Math.floor(unixSeconds));
}

/** The abbreviation in whichever English has a word for it; else the offset in digits, as in the tz database. */
function abbreviationAt(formats: readonly Intl.DateTimeFormat[], unixSeconds: number, offset: number): string {
  for (const format of formats) {
    const word = format.formatToParts(unixSeconds * 1000).find(({ type }) => type === 'timeZoneName')?.value;
    if (word && /^[A-Z]{2,5}$/.test(word)) return word;
  }
  const minutes = Math.abs(offset) / 60;
  const digits = String(Math.floor(minutes / 60)).padStart(2, '0') + (minutes % 60 === 0 ? '' : String(minutes % 60).padStart(2, '0'));
  return `${offset < 0 ? '-' : '+'}${digits}`;
}
