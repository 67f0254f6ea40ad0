import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { algorithmOf, type ContentDigest, digestOfHash } from '../digest.ts';
import { OciError } from '../errors.ts';

/**
 * Passes a stream on and fails it at its end unless size and digest are as promised; too many bytes fail it at once.
 * Whoever reads must not use what came before the end was reached.
 *
 * @param size bytes, when known.
 */
export function verifiedStream(source: AsyncIterable<Uint8Array>, digest: ContentDigest, size: number | undefined, what: string): Readable {
  const mismatch = (why: string) =>
    new OciError('CONTENT_MISMATCH', `${what} is not what its digest ${digest} promises: ${why}.`, {
      kind: 'upstream',
      cure: 'Get it from a source that you trust.',
    });
  async function* verify() {
    const hash = createHash(algorithmOf(digest));
    let total = 0;
    for await (const piece of source) {
      total += piece.length;
      if (size !== undefined && total > size) throw mismatch(`it is over ${size} bytes`);
      hash.update(piece);
      yield piece;
    }
    if (size !== undefined && total !== size) throw mismatch(`it has ${total} bytes, not ${size}`);
    const actual = digestOfHash(algorithmOf(digest), hash);
    if (actual !== digest) throw mismatch(`it is ${actual}`);
  }
  return Readable.from(verify(), { objectMode: false, highWaterMark: 1024 * 1024 });
}
