import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, badRequest, notFound } from '../errors.ts';
import { unknownPath } from '../http/discovery.ts';
import { chooseContainer, noNode, notServed, type PodContext } from '../http/pod-handler.ts';
import type { RequestInfo, ResourceTarget } from '../http/request-info.ts';
import type { ObjectsContext } from '../objects/context.ts';
import { runExec } from './exec.ts';
import { openSpdyChannels } from './spdy-channels.ts';
import { openWebSocketChannels } from './web-socket-channels.ts';

/** A request to speak SPDY or WebSocket; only `pods/exec` has something to say there. */
export async function serveUpgrade(
  context: ObjectsContext & PodContext & { readonly closing: AbortSignal },
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  info: RequestInfo & { readonly target: ResourceTarget },
): Promise<void> {
  const { group, plural, subresource, namespace, name } = info.target;
  if (group !== '' || plural !== 'pods') throw unknownPath();
  if (subresource === 'attach' || subresource === 'portforward') throw notServed(subresource);
  if (subresource !== 'exec') throw unknownPath();
  const pod = context.store.get('pods', namespace, name);
  if (pod === undefined) throw notFound({ group: '', plural: 'pods' }, name);
  const container = chooseContainer(pod, info.query.get('container'));
  const command = info.query.getAll('command');
  if (command.length === 0) throw badRequest('you must specify at least 1 command');
  const node = context.node();
  if (node === undefined) throw noNode();
  const flag = (key: string) => info.query.get(key) === 'true' || info.query.get(key) === '1';
  const tty = flag('tty');
  const wanted = { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr') && !tty, tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  const protocol = (request.headers.upgrade ?? '').toLowerCase();
  if (protocol !== 'websocket' && protocol !== 'spdy/3.1')
    throw new ApiError('BadRequest', `unable to upgrade to ${protocol}: only websocket and SPDY/3.1 are served`);
  const channels =
    protocol === 'websocket'
      ? await openWebSocketChannels(request, socket, head, wanted)
      : await openSpdyChannels(request, socket, head, wanted);
  await runExec(node, channels, { namespace, pod: name, container, command, tty }, context.closing);
}
