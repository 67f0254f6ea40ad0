import type { MemberRole, RegistryAction } from '../types.ts';

/** Harbor's roles in a project, by their numbers (its documentation, "User Permissions By Role"). */
export const roleNames: Readonly<Record<MemberRole, string>> = {
  1: 'projectAdmin',
  2: 'developer',
  3: 'guest',
  4: 'maintainer',
  5: 'limitedGuest',
};

const actionsOf: Readonly<Record<MemberRole, readonly RegistryAction[]>> = {
  1: ['pull', 'push', 'delete'],
  2: ['pull', 'push'],
  3: ['pull'],
  4: ['pull', 'push', 'delete'],
  5: ['pull'],
};

export const isMemberRole = (value: number): value is MemberRole => value in roleNames;

export const roleAllows = (role: MemberRole, action: RegistryAction): boolean => actionsOf[role].includes(action);
