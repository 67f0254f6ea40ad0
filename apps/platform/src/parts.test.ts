import { silentLogger } from '@desp/runtime';
import { expect, test } from 'vitest';
import { createParts } from './parts.ts';

test('parts end in their order, whatever came up first', async () => {
  const ended: string[] = [];
  const up: string[] = [];
  const parts = createParts(silentLogger, (name) => up.push(name));
  const slow = Promise.withResolvers<string>();
  parts.start('records', slow.promise, (part) => ended.push(part));
  await parts.start('api', Promise.resolve('api'), (part) => ended.push(part));
  slow.resolve('records');
  await parts.stop();
  expect(up).toEqual(['api', 'records']);
  expect(ended).toEqual(['api', 'records']);
});

test('a part that comes up after another failed is ended too, and one that fails to end holds up nobody', async () => {
  const ended: string[] = [];
  const parts = createParts(silentLogger);
  const late = Promise.withResolvers<void>();
  parts.start('container engine', late.promise, () => ended.push('engine'));
  await expect(parts.start('git', Promise.reject(new Error('the port is taken')), () => ended.push('git'))).rejects.toThrow('taken');
  parts.start('clusters', Promise.resolve(), () => {
    throw new Error('it hangs');
  });
  const stopped = parts.stop();
  late.resolve();
  await stopped;
  expect(ended).toEqual(['engine']);
});
