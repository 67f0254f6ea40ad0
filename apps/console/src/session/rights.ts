import type { Caller, Role } from '@desp/model';

/**
 * Roles that may start, repeat and cancel, so that nobody is offered a button that is not theirs. The platform decides; this is a
 * courtesy, and a test holds it against the table of rights in @desp/identity.
 */
const deliveryActors: readonly Role[] = ['provider', 'operator'];

export const mayActOnDeliveries = (me: Caller | undefined): boolean => me?.roles.some((role) => deliveryActors.includes(role)) ?? false;
