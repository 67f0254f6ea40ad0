import { constants, createDeflate, createInflate, type Deflate, type DeflateRaw, type Inflate } from 'node:zlib';

/** SPDY/3 header blocks: length-prefixed pairs, one zlib stream a direction, primed with the draft's dictionary (section 2.6.10.1). */

const words = (
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status'
).split(' ');
const later = ['200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin'];
const tail =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found' +
  '500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 ' +
  'Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,' +
  'text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.';

const prefixed = (word: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(word.length);
  return Buffer.concat([length, Buffer.from(word, 'latin1')]);
};

/** 1,423 bytes; its Adler-32 is 0xe3c6a7c2. */
export const spdyDictionary: Buffer = Buffer.concat([...[...words, ...later].map(prefixed), Buffer.from(tail, 'latin1')]);

export type SpdyHeaders = ReadonlyMap<string, string>;

const maxBlock = 64 * 1024;
const maxPairs = 100;

/** Packs and unpacks the header blocks of one connection; calls must not overlap. */
export class SpdyHeaderCodec {
  #inflate: Inflate = createInflate({ dictionary: spdyDictionary, finishFlush: constants.Z_SYNC_FLUSH });
  #deflate: Deflate | DeflateRaw = createDeflate({ dictionary: spdyDictionary });

  constructor() {
    // A stream that fails between two blocks must not end the process; the next block is refused.
    this.#inflate.on('error', () => {});
    this.#deflate.on('error', () => {});
  }

  /** @throws Error for a block that is broken or larger than 64 KiB */
  async unpack(block: Buffer): Promise<SpdyHeaders> {
    return parse(await pump(this.#inflate, block));
  }

  async pack(headers: SpdyHeaders): Promise<Buffer> {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(headers.size);
    return await pump(this.#deflate, Buffer.concat([count, ...[...headers].flatMap(([name, value]) => [prefixed(name), prefixed(value)])]));
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

/** Puts one block through a zlib stream and takes what comes out up to the flush. */
function pump(stream: Inflate | Deflate | DeflateRaw, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (error?: Error) => {
      stream.off('data', take);
      stream.off('error', settle);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks));
    };
    const take = (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxBlock) return;
      settle(new Error('a SPDY header block is larger than 64 KiB'));
      stream.destroy();
    };
    if (stream.destroyed) return reject(new Error('the SPDY header stream is broken'));
    stream.on('data', take);
    stream.on('error', settle);
    stream.write(input);
    stream.flush(constants.Z_SYNC_FLUSH, () => settle());
  });
}

function parse(block: Buffer): SpdyHeaders {
  let offset = 0;
  const word = (): string => {
    const length = block.readUInt32BE(offset);
    offset += 4;
    if (length > block.length - offset) throw new Error('a SPDY header block ends early');
    offset += length;
    return block.toString('latin1', offset - length, offset);
  };
  const count = block.readUInt32BE(offset);
  offset += 4;
  if (count > maxPairs) throw new Error(`a SPDY header block has more than ${maxPairs} pairs`);
  const headers = new Map<string, string>();
  for (let index = 0; index < count; index += 1) headers.set(word().toLowerCase(), word());
  return headers;
}
