import { permissions } from '@desp/identity';
import { Role } from '@desp/model';
import { expect, test } from 'vitest';
import { mayActOnDeliveries } from './rights.ts';

test.each(['delivery.play', 'delivery.retry', 'delivery.cancel'] as const)('buttons follow the table of rights: %s', (action) => {
  for (const role of Role.options)
    expect(mayActOnDeliveries({ kind: 'person', name: role, roles: [role] }), role).toBe(role in permissions[action]);
});
test('nobody may nothing', () => expect(mayActOnDeliveries(undefined)).toBe(false));
