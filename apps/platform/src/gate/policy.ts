import { type Policy, policyFor } from '@desp/security';
import type { Platform } from '../platform.ts';
import { PlatformError } from '../platform-error.ts';

/**
 * The rule for an environment of this platform: the limits of its profile, by the way in which the configuration says that the
 * environment is entered. There is no other source of limits.
 *
 * @throws PlatformError NOT_FOUND
 */
export function policyIn({ profile, config }: Pick<Platform, 'profile' | 'config'>, name: string): Policy {
  const environment = config.environments.find((one) => one.name === name);
  if (!environment) throw new PlatformError('NOT_FOUND', `There is no environment ${name.slice(0, 60)}.`, { kind: 'user' });
  return policyFor(profile, environment);
}
