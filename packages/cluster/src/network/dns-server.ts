import { createSocket, type Socket } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket as TcpSocket } from 'node:net';
import type { Logger } from '@desp/runtime';
import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import { type ClusterNames, clusterDomain } from './names.ts';

/** Seconds for which a pod may keep an answer. */
const ttl = 5;
/** What fits an answer by UDP without extensions; more is truncated, and the asker comes again by TCP. */
const maxUdpBytes = 512;
const maxTcpConnections = 256;
const tcpIdleMs = 10_000;

/** Codes of the header's last four bits (RFC 1035 section 4.1.1). */
const codes = { formatError: 1, nameError: 3, notImplemented: 4, refused: 5 };
const authoritative = 1 << 10;
const truncated = 1 << 9;

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * The cluster's DNS: Services' names and nothing else. Names within `cluster.local` that do not exist are NXDOMAIN, all
 * others are refused: a rehearsal asks nobody outside.
 */
export async function startDnsServer(options: { address: string; port: number; names: ClusterNames; log: Logger }): Promise<DnsServer> {
  const { address, names, log } = options;
  const udp = createSocket('udp4');
  udp.on('message', (message, peer) => {
    const reply = answerQuery(message, names, maxUdpBytes);
    if (reply !== undefined) udp.send(reply, peer.port, peer.address);
  });
  udp.on('error', (error) => log.warn({ error: error.message }, 'the DNS server failed'));
  const tcp = createServer((socket) => serveTcp(socket, names));
  tcp.maxConnections = maxTcpConnections;
  const port = await bindBoth(udp, tcp, address, options.port);
  return {
    address,
    port,
    async close() {
      udp.close();
      await new Promise<void>((resolve) => {
        tcp.close(() => resolve());
        for (const socket of open.get(tcp) ?? []) socket.destroy();
      });
    },
  };
}

const open = new WeakMap<Server, Set<TcpSocket>>();

/** The answer to one message; undefined when it is not even a query and deserves none. */
export function answerQuery(message: Buffer, names: ClusterNames, maxBytes: number): Buffer | undefined {
  // A header has 12 bytes; a message with the answer bit set could make two servers talk for ever.
  if (message.length < 12 || (message[2]! & 0x80) !== 0) return undefined;
  const id = message.readUInt16BE(0);
  const opcode = (message[2]! >> 3) & 0xf;
  if (opcode !== 0) return encode({ type: 'response', id, flags: codes.notImplemented });
  let query: Packet;
  try {
    query = decode(message);
  } catch {
    return encode({ type: 'response', id, flags: codes.formatError });
  }
  const [question] = query.questions ?? [];
  if (question === undefined || query.questions?.length !== 1) return encode({ type: 'response', id, flags: codes.formatError });
  const { answers, code } = resolve(question, names);
  const flags = ((query.flags ?? 0) & 0x100) | (code === codes.refused ? 0 : authoritative) | code;
  const reply = encode({ type: 'response', id, flags, questions: [question], answers });
  return reply.length <= maxBytes ? reply : encode({ type: 'response', id, flags: flags | truncated, questions: [question] });
}

function resolve(question: Question, names: ClusterNames): { answers: Answer[]; code: number } {
  const name = question.name.toLowerCase().replace(/\.$/, '');
  if (name !== clusterDomain && !name.endsWith(`.${clusterDomain}`)) return { answers: [], code: codes.refused };
  const found = names.answer(name);
  if (found === undefined) return { answers: [], code: codes.nameError };
  const common = { name: question.name, ttl, class: 'IN' as const };
  if (found.kind === 'alias') {
    const alias: Answer = { ...common, type: 'CNAME', data: found.target };
    return { answers: [alias, ...(question.type === 'CNAME' ? [] : addressesBehind(found.target, names, question.type))], code: 0 };
  }
  if (found.kind === 'services') {
    const records = question.type === 'SRV' ? found.records : [];
    return { answers: records.map((data) => ({ ...common, type: 'SRV', data: { ...data, priority: 0, weight: 100 } })), code: 0 };
  }
  // Another type of an existing name is an empty answer, not a missing name: an asker for AAAA must not give up on A.
  const addresses = question.type === 'A' ? found.addresses : [];
  return { answers: addresses.map((data) => ({ ...common, type: 'A', data })), code: 0 };
}

/** Aliases that are followed from one to the next. */
const mostAliases = 4;

/** What an alias leads to within the cluster: a pod's resolver does not ask again, it wants the addresses in the same answer. */
function addressesBehind(target: string, names: ClusterNames, type: Question['type'], depth = 1): Answer[] {
  const name = target.toLowerCase().replace(/\.$/, '');
  const found = names.answer(name);
  const common = { name, ttl, class: 'IN' as const };
  if (found?.kind === 'alias' && depth < mostAliases)
    return [{ ...common, type: 'CNAME', data: found.target }, ...addressesBehind(found.target, names, type, depth + 1)];
  return found?.kind === 'addresses' && type === 'A' ? found.addresses.map((data) => ({ ...common, type: 'A', data })) : [];
}

function serveTcp(socket: TcpSocket, names: ClusterNames): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2) {
      const length = rest.readUInt16BE(0);
      if (rest.length < 2 + length) return;
      const reply = answerQuery(rest.subarray(2, 2 + length), names, 65_535);
      rest = rest.subarray(2 + length);
      if (reply === undefined) {
        socket.destroy();
        return;
      }
      const size = Buffer.alloc(2);
      size.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([size, reply]));
    }
  });
}

/** One port for both; where any will do, another is tried when the one that TCP was given is taken for UDP. */
async function bindBoth(udp: Socket, tcp: Server, address: string, port: number): Promise<number> {
  trackConnections(tcp);
  for (let tries = 1; ; tries++) {
    const given = await listen(tcp, address, port);
    try {
      await bind(udp, address, given);
      return given;
    } catch (error) {
      await new Promise((resolve) => tcp.close(resolve));
      if (port !== 0 || tries === 10 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

function bind(socket: Socket, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function trackConnections(server: Server): void {
  const sockets = new Set<TcpSocket>();
  open.set(server, sockets);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
}
