import type { Person } from '@desp/identity';
import { describe, expect, test } from 'vitest';
import { membersOf } from './members.ts';

const person = (name: string, roles: Person['roles'], company?: string): Person => ({ name, title: name, company, roles });
const people = [
  person('paula', ['provider'], 'acme'),
  person('otto', ['provider'], 'other'),
  person('ivo', ['ivv']),
  person('selma', ['security']),
  person('olga', ['operator']),
  person('emil', ['executive']),
  person('both', ['provider', 'security'], 'other'),
  person('gone', [], 'acme'),
];
const service = { name: 'sample-app', company: 'acme' };

describe('who is what, from the table of rights', () => {
  test.each([
    ['paula', 30, 2, 5],
    ['otto', undefined, undefined, undefined],
    ['ivo', 20, 5, 5],
    ['selma', 20, 5, 5],
    ['olga', 50, 2, 5],
    ['emil', undefined, undefined, undefined],
    // A provider of another company who is a security officer too: reads everything, pushes nothing of this one.
    ['both', 20, 5, 5],
    ['gone', undefined, undefined, undefined],
  ])('%s: level %s in Git, role %s in quarantine, %s in release projects', (name, level, quarantine, release) => {
    const members = membersOf(people, service);
    expect(members.git.find(({ username }) => username === name)?.level).toBe(level);
    expect(members.quarantine.find(({ username }) => username === name)?.role).toBe(quarantine);
    expect(members.release.find(({ username }) => username === name)?.role).toBe(release);
  });

  test('everybody is in each list, so that who lost a right loses the membership', () => {
    const { git, quarantine, release } = membersOf(people, service);
    for (const list of [git, quarantine, release]) expect(list.map(({ username }) => username)).toEqual(people.map(({ name }) => name));
  });

  test('nobody pushes to a release project', () => {
    expect(membersOf(people, service).release.every(({ role }) => role === undefined || role === 5)).toBe(true);
  });
});
