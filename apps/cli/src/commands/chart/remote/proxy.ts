import { BlockList, isIP } from 'node:net';

/** Which proxy a request takes: the environment's, by the rules of Go's net/http, which Helm follows. */

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The settings of an agent for one address; none where it is reached directly.
 *
 * @param environment HTTP_PROXY, HTTPS_PROXY and NO_PROXY, of either case
 */
export function proxySettings(url: URL, environment: Environment): { proxyEnv?: Environment } {
  const either = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = either(name);
  if (proxy === '' || !usesProxy(url, either('NO_PROXY'))) return {};
  return { proxyEnv: { [name]: proxy.includes('://') ? proxy : `http://${proxy}` } };
}

function usesProxy(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const version = isIP(host);
  if (host === 'localhost' || (version === 4 && host.startsWith('127.')) || host === '::1') return false;
  return !noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || (entry.includes('/') ? isInNetwork(entry, host, version) : isNamed(entry, host, port, version)));
}

function isInNetwork(entry: string, host: string, version: number): boolean {
  const [network = '', bits = ''] = entry.split('/');
  const family = isIP(network);
  if (version === 0 || family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** A domain stands for itself and all below it; with a dot before it, only for those. */
function isNamed(entry: string, host: string, port: string, version: number): boolean {
  const [, bare = entry, wanted] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const name = isIP(entry) ? entry : bare.replace(/^\[|\]$/g, '').replace(/^\*(?=\.)/, '');
  if (!isIP(entry) && wanted !== undefined && wanted !== port) return false;
  if (version !== 0 || isIP(name)) return name === host;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}
