import { expect, test } from 'vitest';
import { byteLength } from '../value/text.ts';
import { SourceLines } from './source-lines.ts';

test.each(['a', 'é', '😀', 'a😀é'])('columns of a long line of %s are its bytes', (piece) => {
  const lines = new SourceLines();
  const text = `${piece.repeat(3)}\n${piece.repeat(3000)}\nlast`;
  const start = text.indexOf('\n') + 1;
  for (const count of [0, 1, 255, 256, 512, 1023, 1024, 1025, 2999]) {
    const offset = start + count * piece.length;
    expect(lines.placeOf(text, offset)).toEqual({ line: 2, column: byteLength(piece) * count + 1 });
  }
  expect(lines.placeOf(text, text.length)).toEqual({ line: 3, column: 5 });
});
