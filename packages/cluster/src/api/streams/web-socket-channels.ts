import type { IncomingMessage } from 'node:http';
import { type Duplex, PassThrough, Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { badRequest, type Status } from '../errors.ts';
import { type Channels, flushed, ResizeQueue, type WantedChannels } from './exec.ts';

/**
 * Exec over WebSocket: each binary message begins with the number of its channel. `v5.channel.k8s.io` adds message 255,
 * which closes a channel (so that standard input can end).
 */
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;
const maxMessage = 4 * 1024 * 1024;

const server = new WebSocketServer({
  noServer: true,
  maxPayload: maxMessage,
  perMessageDeflate: false,
  handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
});

/** @throws ApiError BadRequest when the client speaks none of our protocols */
export async function openWebSocketChannels(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  wanted: WantedChannels,
): Promise<Channels> {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  if (!protocols.some((protocol) => offered.includes(protocol))) {
    throw badRequest(
      `unable to upgrade: the client offers ${offered.join(', ') || 'no protocol'}, this server speaks ${protocols.join(', ')}`,
    );
  }
  const webSocket = await new Promise<WebSocket>((resolve) => server.handleUpgrade(request, socket, head, resolve));
  const gone = new AbortController();
  const stdin = wanted.stdin ? new PassThrough() : undefined;
  const resize = wanted.tty ? new ResizeQueue() : undefined;
  webSocket.on('message', (data: Buffer) => {
    if (data.length === 0) return;
    const text = data.subarray(1);
    if (data[0] === channel.stdin && stdin && !stdin.writableEnded) {
      // A command that does not read holds the client back, not our memory.
      if (!stdin.write(text)) {
        webSocket.pause();
        stdin.once('drain', () => webSocket.resume());
      }
    } else if (data[0] === channel.resize) resize?.push(text.toString('utf8'));
    else if (data[0] === channel.close && text[0] === channel.stdin) stdin?.end();
  });
  const end = () => {
    gone.abort();
    stdin?.end();
    resize?.end();
  };
  webSocket.on('close', end);
  webSocket.on('error', end);
  const stdout = output(webSocket, channel.stdout);
  const stderr = output(webSocket, channel.stderr);
  // The client learns at once which channels are open.
  for (const [is, number] of [
    [wanted.stdout, channel.stdout],
    [wanted.stderr, channel.stderr],
  ] as const) {
    if (is) webSocket.send(Buffer.from([number]));
  }
  return {
    ...(stdin === undefined ? {} : { stdin }),
    ...(wanted.stdout ? { stdout } : {}),
    ...(wanted.stderr ? { stderr } : {}),
    ...(resize === undefined ? {} : { resize }),
    signal: gone.signal,
    finish: async (status: Status) => {
      await Promise.all([flushed(stdout), flushed(stderr)]);
      if (webSocket.readyState !== webSocket.OPEN) return;
      webSocket.send(Buffer.concat([Buffer.from([channel.error]), Buffer.from(JSON.stringify(status), 'utf8')]));
      webSocket.close(1000);
    },
  };
}

const output = (webSocket: WebSocket, number: number): Writable =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (webSocket.readyState !== webSocket.OPEN) return done();
      webSocket.send(Buffer.concat([Buffer.from([number]), chunk]), { binary: true }, () => done());
    },
  });
