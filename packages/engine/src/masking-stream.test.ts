import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MaskingStream } from './masking-stream.ts';

test('a secret never shows, however the text is cut', () => {
  const secret = 'glcbt-Secret.1';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }), fc.string(), (cuts, around) => {
      const text = `${around}${secret}${around}${btoa(`x${secret}`)}!`;
      const stream = new MaskingStream([secret]);
      let shown = '';
      let at = 0;
      for (const cut of cuts) {
        shown += stream.push(text.slice(at, at + cut));
        at += cut;
      }
      shown += stream.push(text.slice(at)) + stream.end();
      expect(shown).not.toContain(secret);
      expect(shown).toContain('[MASKED]');
      expect(shown.endsWith('!')).toBe(true);
    }),
    { numRuns: 200 },
  );
});
