import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isInlined, modelTypes, parseFact, wireMessages } from '../builtin.ts';
import { modelsJson } from './models.ts';

test('generated/models.json is what the installed @kubernetes/client-node gives (else: node generate/models.ts)', async () => {
  expect(await modelsJson()).toBe(readFileSync(join(import.meta.dirname, '../generated/models.json'), 'utf8'));
});

/** JSON names that the wire format spells otherwise; apiextensions' kinds are never decoded from protobuf. */
test('models and wire facts name the same fields', () => {
  const differences: string[] = [];
  for (const [type, fields] of Object.entries(modelTypes)) {
    if (type.startsWith('~') || type.startsWith('apiextensions.')) continue;
    const names = new Set<string>();
    const collect = (message: string): void => {
      for (const [name, line] of Object.entries(wireMessages[message] ?? {})) {
        if (name === '~') continue;
        if (isInlined(type, name, line)) collect(parseFact(line).type);
        else names.add(name);
      }
    };
    collect(type);
    for (const name of Object.keys(fields))
      if (!names.has(name) && name !== 'apiVersion' && name !== 'kind') differences.push(`${type}.${name} is not on the wire`);
    for (const name of names) if (!Object.hasOwn(fields, name)) differences.push(`${type}.${name} is only on the wire`);
  }
  expect(differences).toEqual([]);
});
