import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';

/** One object, as the API server limits it (1.5 MiB in etcd), with room for a Table or a real server's larger limit. */
const maxLineBytes = 16 * 1024 * 1024;

/**
 * Reads a response of one JSON document a line and hands over each as it comes.
 *
 * Resolves when the response ends, orderly or not: for a watch both mean "go on from the last version seen".
 * @throws what `onLine` throws, and an Error for a line that is not JSON or too long; the response is then destroyed.
 */
export function readJsonLines(response: IncomingMessage, onLine: (value: unknown) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    let failure: unknown;
    let failed = false;
    const fail = (error: unknown) => {
      failed = true;
      failure ??= error;
      response.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      if (failed) return;
      rest += decoder.write(chunk);
      let start = 0;
      for (let end = rest.indexOf('\n'); end >= 0 && !failed; end = rest.indexOf('\n', start)) {
        const line = rest.slice(start, end).trim();
        start = end + 1;
        if (line === '') continue;
        try {
          onLine(JSON.parse(line));
        } catch (error) {
          fail(error);
        }
      }
      rest = rest.slice(start);
      if (rest.length > maxLineBytes) fail(new Error(`a line of the watch is longer than ${maxLineBytes} bytes`));
    });
    response.on('error', () => {});
    // The request's `close` fires as soon as it is sent; only the response's tells the end.
    response.on('close', () => (failed ? reject(failure) : resolve()));
  });
}
