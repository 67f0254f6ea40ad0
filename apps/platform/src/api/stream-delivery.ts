import { PassThrough } from 'node:stream';
import { loadDelivery, parseDeliveryId } from '../deliveries/records.ts';
import type { Call } from './endpoint.ts';

const heartbeatMs = 15_000;

/** Server-sent events: the delivery now, and again whenever it changes. The page shows what this tells, so it needs no reload. */
export async function streamDelivery({ platform, params, request, reply }: Call<undefined, undefined>): Promise<unknown> {
  const id = parseDeliveryId(params['id'] ?? '');
  const stream = new PassThrough();
  let last = '';
  let sending: Promise<void> = Promise.resolve();
  const send = () => {
    sending = sending.then(async () => {
      const text = JSON.stringify((await loadDelivery(platform.database.sql, id)).view);
      if (text === last || stream.destroyed) return;
      last = text;
      stream.write(`event: delivery\ndata: ${text}\n\n`);
    });
    sending.catch(() => stream.end());
  };
  const stop = platform.announcer.listen((changed) => changed === id && send());
  const heartbeat = setInterval(() => stream.write(': here\n\n'), heartbeatMs);
  request.raw.once('close', () => {
    stop();
    clearInterval(heartbeat);
    stream.destroy();
  });
  send();
  reply.header('cache-control', 'no-store').type('text/event-stream');
  return stream;
}
