import { ProcedureError } from '../errors.ts';
import { observed2025 } from './observed-2025.ts';
import { procedure2023 } from './procedure-2023.ts';
import type { Profile } from './profile.ts';

/** All profiles, the oldest first. To add one: a file beside this one, and a line here. */
export const profiles: readonly Profile[] = [procedure2023, observed2025];

/** The profile of this name; throws PROFILE_UNKNOWN. */
export function profileNamed(name: string): Profile {
  const profile = profiles.find((each) => each.name === name);
  if (profile) return profile;
  throw new ProcedureError(
    'PROFILE_UNKNOWN',
    `There is no profile "${name}".`,
    `Choose one of ${profiles.map((each) => each.name).join(', ')}.`,
  );
}
