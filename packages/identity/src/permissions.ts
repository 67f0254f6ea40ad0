import type { Role } from '@desp/model';

/**
 * Who may do what: the one table. Rights on a service go to the people of the company that develops it, and fully to the
 * operator (section 3.4 of the procedure). Nothing else in the product decides on rights; everything asks `may`.
 *
 * `own`: on services of one's own company. `any`: on every service, and on what belongs to none.
 * To add an action: a line here, and the test of the table asks for its row.
 */
export type Scope = 'own' | 'any';

export const permissions = {
  'service.create': { provider: 'own', operator: 'any' },
  'service.read': { provider: 'own', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'repository.read': { provider: 'own', ivv: 'any', security: 'any', operator: 'any' },
  'repository.push': { provider: 'own', operator: 'any' },
  'repository.administer': { operator: 'any' },
  'image.pull': { provider: 'own', ivv: 'any', security: 'any', operator: 'any' },
  'image.push': { provider: 'own', operator: 'any' },
  'secret.write': { provider: 'own', operator: 'any' },
  'delivery.read': { provider: 'own', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'delivery.play': { provider: 'own', operator: 'any' },
  'delivery.retry': { provider: 'own', operator: 'any' },
  'delivery.cancel': { provider: 'own', operator: 'any' },
  'gate.read': { provider: 'own', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'release.read': { provider: 'own', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'kubeconfig.issue': { provider: 'own', ivv: 'any', security: 'any', operator: 'any' },
  'advisories.import': { security: 'any', operator: 'any' },
  'advisories.read': { provider: 'any', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'token.create': { provider: 'any', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
  'platform.read': { provider: 'any', ivv: 'any', security: 'any', operator: 'any', executive: 'any' },
} as const satisfies Record<string, Partial<Record<Role, Scope>>>;

export type Action = keyof typeof permissions;
export const actions = Object.keys(permissions) as Action[];

/** A caller, however it proved itself. */
export type Principal =
  | { readonly kind: 'person'; readonly name: string; readonly company: string | undefined; readonly roles: readonly Role[] }
  | { readonly kind: 'job'; readonly service: string; readonly delivery: number; readonly job: string; readonly pushedBy: string }
  | { readonly kind: 'robot'; readonly service: string; readonly name: string }
  | { readonly kind: 'platform' };

/** What a job's token is good for, on its own service only; it is no person and never acts as one. */
const jobActions: readonly Action[] = ['repository.read', 'service.read'];
/** A service's robot pulls images and reads its repository: what a cluster needs. */
const robotActions: readonly Action[] = ['image.pull', 'repository.read'];

export interface Target {
  /** The service's name and the company that develops it; absent for what belongs to no service. */
  readonly service?: { readonly name: string; readonly company: string };
}

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/** Decides; pure. A person with several roles may what any of them may. */
export function may(principal: Principal, action: Action, target: Target = {}): Decision {
  const no = (reason: string): Decision => ({ allowed: false, reason });
  switch (principal.kind) {
    case 'platform':
      return { allowed: true };
    case 'job':
    case 'robot': {
      const allowed = principal.kind === 'job' ? jobActions : robotActions;
      if (!target.service || target.service.name !== principal.service)
        return no(`This token is for the service ${principal.service} only.`);
      return allowed.includes(action) ? { allowed: true } : no(`A ${principal.kind}'s token is not for ${action}.`);
    }
    case 'person': {
      const row: Partial<Record<Role, Scope>> = permissions[action];
      const scopes = principal.roles.flatMap((role) => row[role] ?? []);
      if (scopes.includes('any')) return { allowed: true };
      if (scopes.length === 0)
        return no(`${action} is for ${Object.keys(row).join(', ')}; ${principal.name} is ${principal.roles.join(', ') || 'none of them'}.`);
      if (principal.company === undefined) return no(`${principal.name} belongs to no company.`);
      if (!target.service || target.service.company === principal.company) return { allowed: true };
      return no(`The service ${target.service.name} belongs to another company.`);
    }
  }
}
