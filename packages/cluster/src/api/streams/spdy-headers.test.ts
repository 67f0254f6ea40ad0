import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SpdyHeaderCodec, spdyDictionary } from './spdy-headers.ts';

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

describe('SPDY header blocks', () => {
  test('the dictionary is the draft’s, by its length and the identifier that every client sends', () => {
    expect(spdyDictionary.length).toBe(1423);
    expect(adler32(spdyDictionary)).toBe(0xe3c6a7c2);
  });

  test('what one end packs the other unpacks, block after block', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,10}$/), fc.stringMatching(/^[ -~]{0,50}$/), { maxKeys: 5 }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (blocks) => {
          const [sender, receiver] = [new SpdyHeaderCodec(), new SpdyHeaderCodec()];
          for (const block of blocks) {
            const headers = new Map(Object.entries(block));
            expect(await receiver.unpack(await sender.pack(headers))).toEqual(headers);
          }
          sender.close();
          receiver.close();
        },
      ),
      { numRuns: 30 },
    );
  });

  test('broken and oversized blocks are refused', async () => {
    const codec = new SpdyHeaderCodec();
    await expect(codec.unpack(Buffer.from('no zlib at all'))).rejects.toThrow();
    const [sender, receiver] = [new SpdyHeaderCodec(), new SpdyHeaderCodec()];
    await expect(receiver.unpack(await sender.pack(new Map([['a', 'x'.repeat(100_000)]])))).rejects.toThrow(/64 KiB/);
    sender.close();
  });
});
