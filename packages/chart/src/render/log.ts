import type { Profile } from '../profile.ts';
import { logValue } from '../value/text.ts';

/** A line that Helm writes with Go's plain logger: Helm 4 sends it through its structured one. What is structured already stays. */
export const asLogged = (line: string, profile: Profile): string =>
  profile.name === 'helm4' && !line.startsWith('level=') ? `level=INFO msg=${logValue(line)}` : line;
