import { expect, test } from 'vitest';
import { profiles } from './index.ts';
import { parseProfile } from './profile.ts';

const good = profiles[0] as (typeof profiles)[number];

test.each(profiles.map((profile) => [profile.name, profile] as const))('%s is a profile', (_, profile) => {
  expect(parseProfile(structuredClone(profile))).toEqual(profile);
});

test.each([
  ['nothing', undefined, 'without a name'],
  ['a field that nobody reads', { ...good, gateway: {} }, 'gateway'],
  ['a gate without limits', { ...good, gate: undefined }, 'gate'],
  ['a score that is none', { ...good, gate: { ...good.gate, scoreAbove: 70 } }, 'gate.scoreAbove'],
  ['a label that is none', { ...good, gate: { ...good.gate, labels: ['grave'] } }, 'gate.labels.0'],
  ['limits for one way of entry only', { ...good, gate: { ...good.gate, entries: { direct: good.gate.entries.direct } } }, 'promotion'],
  ['no environment', { ...good, environments: [] }, 'environments'],
  ['an environment twice', { ...good, environments: [good.environments[0], good.environments[0]] }, 'two environments have one name'],
])('refuses %s', (_, value, why) => {
  expect(() => parseProfile(value)).toThrow(expect.objectContaining({ code: 'PROFILE_INVALID', message: expect.stringContaining(why) }));
});

test('a profile cannot be changed in passing', () => {
  expect(() => Object.assign(good.gate, { scoreAbove: 10 })).toThrow(TypeError);
});
