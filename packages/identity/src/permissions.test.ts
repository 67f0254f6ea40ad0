import type { Role } from '@desp/model';
import { describe, expect, test } from 'vitest';
import { type Action, actions, may, type Principal, permissions } from './index.ts';

const everyRole: readonly Role[] = ['provider', 'ivv', 'security', 'operator', 'executive'];
const person = (roles: readonly Role[], company?: string): Principal => ({ kind: 'person', name: 'somebody', company, roles });
const own = { service: { name: 'sample-app', company: 'acme' } };
const foreign = { service: { name: 'other-app', company: 'other' } };

/**
 * The table as section 3.4 of the procedure and the issue have it, written down a second time: `o` on one's own company's
 * services, `a` on all, `-` not. A change of the table must be made here, too, by somebody who means it.
 */
const recorded: Readonly<Record<Action, string>> = {
  //                    provider ivv security operator executive
  'service.create': 'o - - a -',
  'service.read': 'o a a a a',
  'repository.read': 'o a a a -',
  'repository.push': 'o - - a -',
  'repository.administer': '- - - a -',
  'image.pull': 'o a a a -',
  'image.push': 'o - - a -',
  'secret.write': 'o - - a -',
  'delivery.read': 'o a a a a',
  'delivery.play': 'o - - a -',
  'delivery.retry': 'o - - a -',
  'delivery.cancel': 'o - - a -',
  'gate.read': 'o a a a a',
  'release.read': 'o a a a a',
  'kubeconfig.issue': 'o a a a -',
  'advisories.import': '- - a a -',
  'advisories.read': 'a a a a a',
  'token.create': 'a a a a a',
  'platform.read': 'a a a a a',
};

test('the table has these actions and no other', () => expect(actions.toSorted()).toEqual(Object.keys(recorded).toSorted()));

describe.each(actions)('%s', (action) => {
  const scopes = recorded[action].split(' ');
  test.each(everyRole.map((role, index) => [role, scopes[index]] as const))('%s: %s', (role, scope) => {
    expect(may(person([role], 'acme'), action, own).allowed).toBe(scope !== '-');
    expect(may(person([role], 'acme'), action, foreign).allowed).toBe(scope === 'a');
    expect(may(person([role]), action, own).allowed).toBe(scope === 'a');
    expect(may(person([role], 'acme'), action).allowed).toBe(scope !== '-');
  });
  test('nobody without a role', () => {
    for (const target of [own, foreign, {}]) expect(may(person([], 'acme'), action, target).allowed).toBe(false);
  });
});

test('a person with two roles may what either may, and no more', () => {
  const both = person(['provider', 'security'], 'acme');
  expect(may(both, 'repository.push', own).allowed).toBe(true);
  expect(may(both, 'repository.push', foreign).allowed).toBe(false);
  expect(may(both, 'delivery.read', foreign).allowed).toBe(true);
  expect(may(both, 'advisories.import').allowed).toBe(true);
});

const job: Principal = { kind: 'job', service: 'sample-app', delivery: 1, job: 'build', pushedBy: 'operator' };
const robot: Principal = { kind: 'robot', service: 'sample-app', name: 'pull e2e' };
test.each([
  [job, ['service.read', 'repository.read']],
  [robot, ['image.pull', 'repository.read']],
] as const)('a token of $kind is good for a few actions on its own service, whoever started it', (principal, allowed) => {
  expect(actions.filter((action) => may(principal, action, own).allowed).toSorted()).toEqual(allowed.toSorted());
  expect(actions.filter((action) => may(principal, action, foreign).allowed)).toEqual([]);
  expect(actions.filter((action) => may(principal, action).allowed)).toEqual([]);
});

test('a no says why, and names who could', () => {
  const decision = may(person(['executive']), 'delivery.play', own);
  expect(decision).toEqual({ allowed: false, reason: 'delivery.play is for provider, operator; somebody is executive.' });
  for (const action of actions) {
    const row: Partial<Record<Role, unknown>> = permissions[action];
    const without = everyRole.find((role) => !row[role]);
    const no = without && may(person([without], 'acme'), action, own);
    if (no && !no.allowed) expect(no.reason).toContain(action);
  }
});
