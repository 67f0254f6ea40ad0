import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Vault's clients send `LIST`, which is no registered HTTP method: Node's parser refuses the request before anybody sees
 * it. So the four letters are exchanged, at the beginning of a request, for a registered method of the same length that
 * no Vault client sends. Rejected: answering from the parser's error, which ends the connection.
 */
const wireMethod = Buffer.from('LIST ');
export const standInMethod = 'LINK';
const replacement = Buffer.from(`${standInMethod} `);

/** A connection that exchanges the method of each request that comes after the previous answer (clients of Vault do not pipeline). */
class ListConnection extends Duplex {
  readonly #socket: Socket;
  /** What may be the beginning of `LIST `; undefined in the middle of a request. */
  #start: Buffer | undefined = Buffer.alloc(0);

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (piece: Buffer) => {
      const next = this.#translate(piece);
      if (next.length > 0 && !this.push(next)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
    socket.on('timeout', () => this.emit('timeout'));
  }

  #translate(piece: Buffer): Buffer {
    if (this.#start === undefined) return piece;
    const begun = Buffer.concat([this.#start, piece]);
    if (begun.length < wireMethod.length && wireMethod.subarray(0, begun.length).equals(begun)) {
      this.#start = begun;
      return Buffer.alloc(0);
    }
    this.#start = undefined;
    return begun.subarray(0, wireMethod.length).equals(wireMethod)
      ? Buffer.concat([replacement, begun.subarray(wireMethod.length)])
      : begun;
  }

  /** The next bytes are a new request's. */
  expectRequest(): void {
    this.#start = Buffer.alloc(0);
  }

  // The HTTP server sets its timeouts through these.
  setTimeout(ms: number, callback?: () => void): this {
    this.#socket.setTimeout(ms);
    if (callback) this.once('timeout', callback);
    return this;
  }

  setNoDelay(on?: boolean): this {
    this.#socket.setNoDelay(on);
    return this;
  }

  setKeepAlive(on?: boolean, delay?: number): this {
    this.#socket.setKeepAlive(on, delay);
    return this;
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** A listener that hands its connections to `http`, which itself does not listen, and understands `LIST`. */
export function listenWithList(http: HttpServer): Server {
  http.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    const connection = response.socket as unknown as ListConnection;
    response.once('finish', () => connection.expectRequest());
  });
  return createServer({ noDelay: true }, (socket) => http.emit('connection', new ListConnection(socket)));
}
