import { execFile } from 'node:child_process';
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { RsaKeys } from './rsa-keys.ts';

const run = promisify(execFile);
const publicText = (key: KeyObject): string => createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();

test('keys of two sizes in turn: each of its size, no two the same, and each signs', () => {
  const keys = new RsaKeys();
  const made = [2048, 2048, 2048, 2048, 2048, 1024, 1024, 2048, 1024, 2048, 2048, 2048].map((bits) => ({ bits, key: keys.generate(bits) }));
  expect(made.map(({ key }) => key.asymmetricKeyDetails?.modulusLength)).toEqual(made.map(({ bits }) => bits));
  expect(new Set(made.map(({ key }) => publicText(key))).size).toBe(made.length);
  const data = Buffer.from('signed');
  for (const { key } of made) expect(verify('sha256', data, createPublicKey(key), sign('sha256', data, key))).toBe(true);
});

test('a second thread makes some of many keys, and lets its process end', async () => {
  const program = `
    import { RsaKeys } from ${JSON.stringify(new URL('./rsa-keys.ts', import.meta.url).href)};
    const keys = new RsaKeys();
    for (let n = 0; n < 24; n++) keys.generate(2048);
    const [all, own] = [process.cpuUsage(), process.threadCpuUsage()].map(({ user, system }) => (user + system) / 1000);
    console.log(JSON.stringify({ own, others: all - own }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 });
  const { own, others } = JSON.parse(stdout) as { own: number; others: number };
  // A key takes some 40 ms of a processor; what the collector and the compiler take is less than one.
  expect(others).toBeGreaterThan(150);
  expect(own).toBeGreaterThan(150);
}, 60_000);
