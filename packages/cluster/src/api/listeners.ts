import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ClusterApiError } from './errors.ts';

export interface Listening {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** One HTTPS server an address, all at one port with one certificate. */
export class Listeners {
  #servers = new Map<string, Server>();
  #sockets = new Set<Duplex>();
  #handlers: Listening;
  #port = 0;

  constructor(handlers: Listening) {
    this.#handlers = handlers;
  }

  get port(): number {
    return this.#port;
  }

  get hosts(): string[] {
    return [...this.#servers.keys()];
  }

  /** @throws ClusterApiError PORT_TAKEN, ADDRESS_MISSING */
  async add(host: string, port: number, credentials: { cert: string; key: string }): Promise<void> {
    if (this.#servers.has(host)) return;
    const server = createServer({
      ...credentials,
      minVersion: 'TLSv1.2',
      requestTimeout: 60_000,
      headersTimeout: 20_000,
      keepAliveTimeout: 90_000,
      maxHeaderSize: 32 * 1024,
    });
    server.on('request', this.#handlers.onRequest);
    server.on('upgrade', (request, socket, head) => this.#handlers.onUpgrade(request, socket, head));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause)));
      server.listen(port, host, () => {
        server.removeAllListeners('error');
        server.on('error', () => {});
        resolve();
      });
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#servers.set(host, server);
  }

  /** Every server presents the new certificate from the next connection on. */
  renew(credentials: { cert: string; key: string }): void {
    for (const server of this.#servers.values()) server.setSecureContext(credentials);
  }

  /** Stops listening, lets answers under way end for a moment, then cuts what is left. */
  async close(graceMs = 1000): Promise<void> {
    const closed = [...this.#servers.values()].map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
        }),
    );
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    // Watches have just ended: their connections become idle one by one.
    const idle = setInterval(() => {
      for (const server of this.#servers.values()) server.closeIdleConnections();
    }, 20);
    await Promise.all(closed);
    clearInterval(idle);
    clearTimeout(cut);
    this.#servers.clear();
  }
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): ClusterApiError {
  if (cause.code === 'EADDRNOTAVAIL') {
    return new ClusterApiError('ADDRESS_MISSING', `The cluster's API cannot listen at ${host}: this machine has no such address.`, {
      kind: 'user',
      cure: 'Add the address to an interface, or choose another one.',
      cause,
    });
  }
  return new ClusterApiError('PORT_TAKEN', `The cluster's API cannot listen at ${host}:${port}: ${cause.code ?? cause.message}.`, {
    kind: 'user',
    cure: 'Stop what listens there, or choose another port.',
    cause,
  });
}
