import type { Server } from 'node:net';
import { PlatformError } from '../platform-error.ts';

export interface Listening {
  close(): Promise<void>;
}

/** Listens where a URL says. @throws PlatformError CONFIG with a cure when the port is taken */
export async function listen(server: Server, url: URL, what: string): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      reject(
        new PlatformError(
          'CONFIG',
          taken
            ? `Port ${url.port}, which ${what} needs, is taken by another program.`
            : `${what} cannot listen at ${url.host}: ${cause.message}`,
          {
            kind: 'user',
            cure: 'End that program, or start with a new data folder and other ports: desp up --data DIR --port PORT.',
            cause,
          },
        ),
      );
    });
    server.listen(Number(url.port), url.hostname, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) (server as { closeAllConnections(): void }).closeAllConnections();
      }),
  };
}
