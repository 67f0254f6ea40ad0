import type { Duplex } from 'node:stream';
import { SpdyHeaderCodec, type SpdyHeaders } from './spdy-headers.ts';

/**
 * The server's half of SPDY/3.1 as kubectl up to 1.29 speaks it: streams that the client opens, data both ways. No flow
 * control windows: the clients' library has none either, and TCP holds a fast sender back.
 */
export interface SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  onData: (chunk: Buffer) => void;
  onEnd: () => void;
  /** Sends data; resolves when it is on its way. */
  write(chunk: Buffer): Promise<void>;
  /** Closes our half. */
  end(): void;
}

const control = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
const fin = 1;
const maxFrame = 1024 * 1024;
const maxStreams = 16;

export class SpdyConnection {
  #socket: Duplex;
  #codec = new SpdyHeaderCodec();
  #buffered: Buffer = Buffer.alloc(0);
  #streams = new Map<number, SpdyStream>();
  #work: Promise<void> = Promise.resolve();
  #onStream: (stream: SpdyStream) => void;

  constructor(socket: Duplex, head: Buffer, onStream: (stream: SpdyStream) => void, onClose: () => void) {
    this.#socket = socket;
    this.#onStream = onStream;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('close', () => {
      for (const stream of this.#streams.values()) stream.onEnd();
      this.#codec.close();
      onClose();
    });
    socket.on('end', () => socket.destroy());
    if (head.length > 0) this.#take(head);
    socket.resume();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says goodbye and closes once everything was sent. */
  close(): void {
    this.#work = this.#work.then(() => {
      const body = Buffer.alloc(8);
      body.writeUInt32BE(Math.max(0, ...this.#streams.keys()));
      this.#socket.end(controlFrame(control.goAway, 0, body));
    });
  }

  /** Frames are handled one after another: header blocks share one compression state. */
  #take(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    for (;;) {
      if (this.#buffered.length < 8) return;
      const length = this.#buffered.readUInt32BE(4) & 0xffffff;
      if (length > maxFrame) return void this.#socket.destroy();
      if (this.#buffered.length < 8 + length) return;
      const frame = this.#buffered.subarray(0, 8 + length);
      this.#buffered = this.#buffered.subarray(8 + length);
      this.#work = this.#work.then(() => this.#handle(frame)).catch(() => void this.#socket.destroy());
    }
  }

  async #handle(frame: Buffer): Promise<void> {
    const first = frame.readUInt32BE(0);
    const flags = frame[4]!;
    const body = frame.subarray(8);
    if ((first & 0x80000000) === 0) {
      const stream = this.#streams.get(first);
      if (body.length > 0) stream?.onData(body);
      if (flags & fin) stream?.onEnd();
      return;
    }
    const type = first & 0xffff;
    if (type === control.synStream) await this.#open(body, flags);
    else if (type === control.ping) this.#socket.write(frame);
    else if (type === control.reset) this.#streams.get(body.readUInt32BE(0) & 0x7fffffff)?.onEnd();
    else if (type === control.goAway) this.#socket.end();
  }

  async #open(body: Buffer, flags: number): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff;
    const headers = await this.#codec.unpack(body.subarray(10));
    if (this.#streams.size >= maxStreams || this.#streams.has(id)) throw new Error('too many SPDY streams');
    const stream: SpdyStream = {
      id,
      headers,
      onData: () => {},
      onEnd: () => {},
      write: (chunk) =>
        new Promise((resolve) => {
          if (this.#socket.destroyed) resolve();
          else this.#socket.write(dataFrame(id, 0, chunk), () => resolve());
        }),
      end: () => {
        if (!this.#socket.destroyed) this.#socket.write(dataFrame(id, fin, Buffer.alloc(0)));
      },
    };
    this.#streams.set(id, stream);
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    this.#socket.write(controlFrame(control.synReply, 0, Buffer.concat([reply, await this.#codec.pack(new Map())])));
    this.#onStream(stream);
    if (flags & fin) stream.onEnd();
  }
}

function controlFrame(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}

function dataFrame(id: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}
