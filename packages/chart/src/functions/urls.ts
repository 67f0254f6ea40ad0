import { kindName, type ValueMap } from '../value/kinds.ts';
import { fromBytes, quote, toBytes } from '../value/text.ts';
import { type FunctionGroup, fail, fn } from './define.ts';

/** `urlParse` and `urlJoin` with the rules of Go's net/url. */

interface Url {
  scheme: string;
  opaque: string;
  user: string;
  host: string;
  path: string;
  query: string;
  fragment: string;
}

function parseUrl(text: string): Url {
  const bad = (problem: string): never => fail(`unable to parse url: parse ${quote(text)}: ${problem}`);
  if (/[\0-\x1f\x7f]/.test(text)) bad('net/url: invalid control character in URL');
  const hash = text.indexOf('#');
  let rest = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : unescapeUrl(text.slice(hash + 1), bad);
  const colon = /^([a-zA-Z][a-zA-Z0-9+.-]*)?:/.exec(rest);
  if (colon && colon[1] === undefined) bad('missing protocol scheme');
  const scheme = colon ? (colon[1] as string).toLowerCase() : '';
  if (colon) rest = rest.slice(colon[0].length);
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  if (mark >= 0) rest = rest.slice(0, mark);
  const url: Url = { scheme, opaque: '', user: '', host: '', path: '', query, fragment };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    if (rest.split('/')[0]?.includes(':')) bad('first path segment in URL cannot contain colon');
  }
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const end = rest.indexOf('/', 2);
    const authority = end < 0 ? rest.slice(2) : rest.slice(2, end);
    rest = end < 0 ? '' : rest.slice(end);
    const at = authority.lastIndexOf('@');
    if (at >= 0) url.user = canonicalUser(authority.slice(0, at), bad);
    url.host = parseHost(authority.slice(at + 1), bad);
  }
  url.path = unescapeUrl(rest, bad);
  return url;
}

type Bad = (problem: string) => never;

function unescapeUrl(text: string, bad: Bad): string {
  const wrong = /%(?![0-9a-fA-F]{2})(.{0,2})/.exec(text);
  if (wrong) bad(`invalid URL escape ${quote(`%${wrong[1]}`)}`);
  if (!text.includes('%')) return text;
  const bytes = toBytes(text);
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 37) {
      out.push(Number.parseInt(String.fromCharCode(bytes[i + 1] as number, bytes[i + 2] as number), 16));
      i += 2;
    } else out.push(bytes[i] as number);
  }
  return fromBytes(Uint8Array.from(out));
}

function canonicalUser(user: string, bad: Bad): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) bad('net/url: invalid userinfo');
  const colon = user.indexOf(':');
  const name = escapeUser(unescapeUrl(colon < 0 ? user : user.slice(0, colon), bad));
  return colon < 0 ? name : `${name}:${escapeUser(unescapeUrl(user.slice(colon + 1), bad))}`;
}

function parseHost(host: string, bad: Bad): string {
  const port = host.startsWith('[')
    ? host.slice(host.lastIndexOf(']') + 1)
    : host.slice(host.lastIndexOf(':') < 0 ? host.length : host.lastIndexOf(':'));
  if (host.startsWith('[') && !host.includes(']')) bad("missing ']' in host");
  if (!/^(:[0-9]*)?$/.test(port)) bad(`invalid port ${quote(port)} after host`);
  if (/[ <>"]/.test(host)) bad(`invalid character ${quote(/[ <>"]/.exec(host)?.[0] ?? '')} in host name`);
  return unescapeUrl(host, bad);
}

const hostName = (host: string): string => {
  const bracket = /^\[([^\]]*)\]/.exec(host);
  if (bracket) return bracket[1] as string;
  return host.replace(/:[0-9]*$/, '');
};

const escapeBytes = (text: string, keep: RegExp): string =>
  Array.from(toBytes(text), (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && keep.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

const escapeUser = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,;=]/);
const escapePath = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,/:;=@!'()*]/);
const escapeFragment = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/);

function joinUrl({ scheme, opaque, user, host, path, query, fragment }: Url): string {
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') out += opaque;
  else {
    if (scheme !== '' || host !== '' || user !== '') {
      if (host !== '' || path !== '' || user !== '') out += '//';
      if (user !== '') out += `${user}@`;
      out += host;
    }
    const shown = path === '*' ? '*' : escapePath(path);
    if (shown !== '' && !shown.startsWith('/') && host !== '') out += '/';
    if (out === '' && shown.split('/')[0]?.includes(':')) out += './';
    out += shown;
  }
  if (query !== '') out += `?${query}`;
  return fragment === '' ? out : `${out}#${escapeFragment(fragment)}`;
}

function textOf(map: ValueMap, key: string): string {
  if (!map.has(key)) return '';
  const value = map.get(key);
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return fail('runtime error: invalid memory address or nil pointer dereference');
  return fail(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`);
}

export const urlFunctions: FunctionGroup = {
  urlParse: fn(['string'], (text) => {
    const url = parseUrl(text);
    return new Map([
      ['scheme', url.scheme],
      ['host', url.host],
      ['hostname', hostName(url.host)],
      ['path', url.path],
      ['query', url.query],
      ['opaque', url.opaque],
      ['fragment', url.fragment],
      ['userinfo', url.user],
    ]);
  }),
  urlJoin: fn(['map'], (map) => {
    const user = textOf(map, 'userinfo');
    const bad = (problem: string): never => fail(`unable to parse userinfo in dict: parse ${quote(`proto://${user}@host`)}: ${problem}`);
    return joinUrl({
      scheme: textOf(map, 'scheme'),
      host: textOf(map, 'host'),
      path: textOf(map, 'path'),
      query: textOf(map, 'query'),
      opaque: textOf(map, 'opaque'),
      fragment: textOf(map, 'fragment'),
      user: user === '' ? '' : canonicalUser(user, bad),
    });
  }),
};
