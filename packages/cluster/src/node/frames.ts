export interface Frame {
  readonly isError: boolean;
  readonly data: Buffer;
}

/**
 * Splits what the engine sends of a container without a terminal into its frames: one byte of stream, three of nothing,
 * four of length.
 *
 * @returns takes what came next and gives the frames that it completed
 */
export function frameSplitter(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const frames: Frame[] = [];
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const end = 8 + rest.readUInt32BE(4);
      if (rest.length < end) break;
      frames.push({ isError: rest[0] === 2, data: rest.subarray(8, end) });
      rest = rest.subarray(end);
    }
    return frames;
  };
}
