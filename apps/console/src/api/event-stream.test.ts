import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventParser } from './event-stream.ts';

test('reads events, and nothing from comments', () => {
  const parse = createEventParser();
  expect(parse(': here\n\nevent: delivery\ndata: {"a":1}\n\n')).toEqual([{ event: 'delivery', data: '{"a":1}' }]);
  expect(parse('data:x\ndata: y\n\n')).toEqual([{ event: 'message', data: 'x\ny' }]);
});

test('gives the same events wherever the pieces are cut', () => {
  const lineEnds = ['\n', '\r\n', '\r'];
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[ -~]{1,20}$/), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...lineEnds),
      fc.array(fc.nat(200)),
      (payloads, end, cuts) => {
        const text = payloads.map((payload) => `event: e${end}data: ${payload}${end}${end}: beat${end}`).join('') + end;
        const parse = createEventParser();
        const at = [...new Set(cuts.map((cut) => cut % text.length))].sort((a, b) => a - b);
        const events = [0, ...at].flatMap((from, index) => parse(text.slice(from, at[index] ?? text.length)));
        // A last lone CR stays held back; it ends no event.
        expect(events.map(({ data }) => data)).toEqual(payloads);
      },
    ),
    { numRuns: 300 },
  );
});

test('refuses an event without end', () => {
  const parse = createEventParser();
  expect(() => {
    for (let piece = 0; piece < 6; piece++) parse(`data: ${'x'.repeat(1024 * 1024)}`);
  }).toThrow(RangeError);
});
