import type { Role } from '@desp/model';

/** Who the platform says the caller is (GET /api/me). */
export interface Me {
  readonly kind: string;
  readonly name: string;
  readonly company?: string;
  readonly roles: readonly Role[];
}

/**
 * Roles that may start, repeat and cancel, so that nobody is offered a button that is not theirs. The platform decides; this is a
 * courtesy, and a test holds it against the table of rights in @desp/identity.
 */
const deliveryActors: readonly Role[] = ['provider', 'operator'];

export const mayActOnDeliveries = (me: Me | undefined): boolean => me?.roles.some((role) => deliveryActors.includes(role)) ?? false;
