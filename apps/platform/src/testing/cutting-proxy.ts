import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Counts the calls that go out of the control plane, and ends it at one of them, as a kill does: the caller sees a dead connection,
 * and whether the part did what it was asked is not known to it.
 */
export interface Cutter {
  /** Calls until now. */
  readonly count: number;
  /** From call `at` on nothing goes through; that one still reaches the part when `reaches` says so. */
  cut(at: number, reaches: boolean): void;
  mend(): void;
  /** Whether this call goes out, and whether its answer comes back. */
  next(): { readonly out: boolean; readonly back: boolean };
}

export function createCutter(): Cutter {
  let count = 0;
  let at = Number.POSITIVE_INFINITY;
  let reaches = false;
  return {
    get count() {
      return count;
    },
    cut(when, how) {
      at = count + when;
      reaches = how;
    },
    mend() {
      at = Number.POSITIVE_INFINITY;
    },
    next() {
      count += 1;
      return { out: count < at || (count === at && reaches), back: count < at };
    },
  };
}

/** An HTTP proxy before one part; only on loopback. */
export async function startCuttingProxy(target: string, cutter: Cutter): Promise<{ url: string; stop(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const server = createServer((request, response) => {
    const { out, back } = cutter.next();
    if (!out) return void request.socket.destroy();
    const onward = httpRequest({ hostname, port, method: request.method, path: request.url, headers: request.headers }, (answer) => {
      if (!back) {
        answer.resume();
        answer.on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
