import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import { badRequest, type Status } from '../errors.ts';
import { type Channels, flushed, ResizeQueue, type WantedChannels } from './exec.ts';
import { SpdyConnection, type SpdyStream } from './spdy-connection.ts';

/** Exec over SPDY: one stream a channel, named by its header `streamtype`. */

const protocol = 'v4.channel.k8s.io';
const patience = 30_000;
const highWater = 1024 * 1024;

/** @throws ApiError BadRequest when the client does not offer `v4.channel.k8s.io` */
export async function openSpdyChannels(request: IncomingMessage, socket: Duplex, head: Buffer, wanted: WantedChannels): Promise<Channels> {
  const offered = (request.headersDistinct['x-stream-protocol-version'] ?? [])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim());
  if (!offered.includes(protocol))
    throw badRequest(
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${protocol}]`,
    );
  const expected = new Set([
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wanted[name]),
    ...(wanted.tty ? ['resize'] : []),
  ]);
  const gone = new AbortController();
  const streams = new Map<string, SpdyStream>();
  const stdin = wanted.stdin ? new PassThrough({ highWaterMark: highWater }) : undefined;
  const resize = wanted.tty ? new ResizeQueue() : undefined;
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  const connection = await new Promise<SpdyConnection>((resolve, reject) => {
    const late = setTimeout(() => {
      socket.destroy();
      reject(badRequest(`timed out waiting for the client to open its streams: ${[...expected].join(', ')}`));
    }, patience);
    const opened = new SpdyConnection(
      socket,
      head,
      (stream) => {
        const type = stream.headers.get('streamtype') ?? '';
        streams.set(type, stream);
        if (type === 'stdin') feed(stream, stdin, opened);
        if (type === 'resize') {
          stream.onData = (chunk) => resize?.push(chunk.toString('utf8'));
          stream.onEnd = () => resize?.end();
        }
        if (![...expected].every((name) => streams.has(name))) return;
        clearTimeout(late);
        resolve(opened);
      },
      () => {
        clearTimeout(late);
        gone.abort();
        stdin?.end();
        resize?.end();
        reject(badRequest('the client closed the connection'));
      },
    );
  });
  const stdout = wanted.stdout ? output(streams.get('stdout')!) : undefined;
  const stderr = wanted.stderr ? output(streams.get('stderr')!) : undefined;
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    ...(resize === undefined ? {} : { resize }),
    signal: gone.signal,
    finish: async (status: Status) => {
      await Promise.all([flushed(stdout), flushed(stderr)]);
      for (const name of ['stdout', 'stderr']) streams.get(name)?.end();
      const error = streams.get('error')!;
      await error.write(Buffer.from(JSON.stringify(status), 'utf8'));
      error.end();
      connection.close();
    },
  };
}

/** Standard input: a command that does not read holds the client back, not our memory. */
function feed(stream: SpdyStream, stdin: PassThrough | undefined, connection: SpdyConnection): void {
  stream.onData = (chunk) => {
    if (stdin === undefined || stdin.writableEnded || stdin.write(chunk)) return;
    connection.pause();
    stdin.once('drain', () => connection.resume());
  };
  stream.onEnd = () => stdin?.end();
}

const output = (stream: SpdyStream): Writable =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      stream.write(chunk).then(() => done(), done);
    },
  });
