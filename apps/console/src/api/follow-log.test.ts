import type { JobLog } from '@desp/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendLog, emptyLog, followLog } from './follow-log.ts';

test('joins pieces wherever they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ -~]{1,30}$/), { minLength: 1, maxLength: 20 }), fc.array(fc.nat(600)), (lines, cuts) => {
      const text = lines.map((line) => `${line}\n`).join('');
      const at = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
      const log = [0, ...at].reduce((so, from, index) => appendLog(so, text.slice(from, at[index] ?? text.length)), emptyLog);
      expect(log.lines).toEqual(lines);
    }),
    { numRuns: 200 },
  );
});

test('keeps blank lines, drops terminal codes, lets a carriage return begin anew', () => {
  expect(appendLog(emptyLog, 'a\n\n\u001b[31mred\u001b[0m\n10%\r90%\n').lines).toEqual(['a', '', 'red', '90%']);
});

test('bounds what a browser holds', () => {
  const log = appendLog(emptyLog, `${'x'.repeat(10_000)}\n`.repeat(6_000));
  expect([log.lines.length, log.lines[0]?.length, log.cut]).toEqual([5_000, 4_000, true]);
});

test('reads on from where it was, once more after the end, then stops', async () => {
  const pieces: JobLog[] = [
    { delivery: 'd-1', job: 'j', text: 'a', next: 1, ended: false },
    { delivery: 'd-1', job: 'j', text: 'b', next: 2, ended: true },
    { delivery: 'd-1', job: 'j', text: 'c', next: 3, ended: true },
  ];
  const asked: number[] = [];
  let text = '';
  await followLog({
    read: async (from) => {
      asked.push(from);
      return pieces[asked.length - 1] as JobLog;
    },
    onText: (piece) => {
      text += piece;
    },
    wait: async () => {},
    signal: new AbortController().signal,
  });
  expect([asked, text]).toEqual([[0, 1, 2], 'abc']);
});
