import { addressProblem } from './address.ts';
import { byteSlice, fromBytes, quote, toBytes } from './text.ts';

/** Go's net/url: how it parses, joins and prints. */
export interface Url {
  readonly scheme: string;
  readonly opaque: string;
  /** As in a URL: escaped, with the password. */
  readonly user: string;
  readonly host: string;
  /** Unescaped. */
  readonly path: string;
  /** As it was written, where that is a valid way to write the path. */
  readonly rawPath?: string;
  readonly query: string;
  /** A question mark with nothing behind it. */
  readonly hasEmptyQuery?: boolean;
  /** A scheme with a path right behind it: `file:/x`. */
  readonly omitsHost?: boolean;
  readonly fragment: string;
}

/** What Go's url.Parse says: `parse "TEXT": REASON`. */
export class UrlError extends Error {
  constructor(text: string, reason: string) {
    super(`parse ${quote(text)}: ${reason}`);
  }
}

type Bad = (reason: string) => never;

/** url.Parse. @throws UrlError */
export function parseUrl(text: string): Url {
  const hash = text.indexOf('#');
  const before = hash < 0 ? text : text.slice(0, hash);
  const url = parseBefore(before, (reason) => {
    throw new UrlError(before, reason);
  });
  if (hash < 0) return url;
  return {
    ...url,
    fragment: unescapeUrl(text.slice(hash + 1), (reason) => {
      throw new UrlError(text, reason);
    }),
  };
}

function parseBefore(text: string, bad: Bad): Url {
  if (/[\0-\x1f\x7f]/.test(text)) bad('net/url: invalid control character in URL');
  const colon = /^([a-zA-Z][a-zA-Z0-9+.-]*)?:/.exec(text);
  if (colon && colon[1] === undefined) bad('missing protocol scheme');
  const scheme = colon ? (colon[1] as string).toLowerCase() : '';
  let rest = colon ? text.slice(colon[0].length) : text;
  const mark = rest.indexOf('?');
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  const hasEmptyQuery = mark >= 0 && query === '';
  if (mark >= 0) rest = rest.slice(0, mark);
  const url = { scheme, opaque: '', user: '', host: '', path: '', query, hasEmptyQuery, fragment: '' };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...url, opaque: rest };
    if (rest.split('/')[0]?.includes(':')) bad('first path segment in URL cannot contain colon');
  }
  const hasAuthority = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  if (!hasAuthority) return { ...url, omitsHost: scheme !== '' && rest.startsWith('/'), ...pathOf(rest, bad) };
  const end = rest.indexOf('/', 2);
  const authority = end < 0 ? rest.slice(2) : rest.slice(2, end);
  const at = authority.lastIndexOf('@');
  const host = parseHost(scheme, authority.slice(at + 1), bad);
  const user = at < 0 ? '' : canonicalUser(authority.slice(0, at), bad);
  return { ...url, host, user, ...pathOf(end < 0 ? '' : rest.slice(end), bad) };
}

const pathOf = (raw: string, bad: Bad): Pick<Url, 'path' | 'rawPath'> => ({ path: unescapeUrl(raw, bad), rawPath: raw });

/** Go shows three bytes, which may be half a character. */
const badEscape = (text: string, at: number, bad: Bad): never =>
  bad(`invalid URL escape ${quote(byteSlice(text.slice(at, at + 4), 0, 3))}`);

/** url.PathUnescape. @param bad is given Go's reason */
export function unescapeUrl(text: string, bad: Bad): string {
  const wrong = text.search(/%(?![0-9a-fA-F]{2})/);
  if (wrong >= 0) badEscape(text, wrong, bad);
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

/** User and password as a URL shows them. */
export function canonicalUser(user: string, bad: Bad): string {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) bad('net/url: invalid userinfo');
  const colon = user.indexOf(':');
  const name = escapeUser(unescapeUrl(colon < 0 ? user : user.slice(0, colon), bad));
  return colon < 0 ? name : `${name}:${escapeUser(unescapeUrl(user.slice(colon + 1), bad))}`;
}

const notInHost = /[\0-\x20#/?@\\^`{|}\x7f]/;
const escapedOrNotInHost = new RegExp(`%([0-9a-fA-F]{2})?|${notInHost.source}`, 'g');

/** A percent sign itself may be escaped; else only bytes beyond ASCII in a host, and in a zone what may stand by itself and spaces. */
function unescapeHost(text: string, bad: Bad, isZone = false): string {
  for (const { 0: found, 1: hex, index } of text.matchAll(escapedOrNotInHost)) {
    if (!found.startsWith('%')) bad(`invalid character ${quote(found)} in host name`);
    const code = Number.parseInt(hex ?? '', 16);
    const isInZone = code === 0x20 || (code < 0x80 && !notInHost.test(String.fromCharCode(code)));
    if (code !== 0x25 && !(isZone ? isInZone : code >= 0x80)) badEscape(text, index, bad);
  }
  return unescapeUrl(text, bad);
}

function parseHost(scheme: string, host: string, bad: Bad): string {
  const checkPort = (port: string): void => {
    if (!/^(:[0-9]*)?$/.test(port)) bad(`invalid port ${quote(port)} after host`);
  };
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) bad('invalid IP-literal');
  if (bracket === 0) {
    const end = host.lastIndexOf(']');
    if (end < 0) bad("missing ']' in host");
    const port = host.slice(end + 1);
    checkPort(port);
    const name = host.slice(1, end);
    const zone = name.indexOf('%25');
    const shown = zone < 0 ? unescapeHost(name, bad) : unescapeHost(name.slice(0, zone), bad) + unescapeHost(name.slice(zone), bad, true);
    const problem = addressProblem(shown);
    if (problem !== undefined) bad(`invalid host: ${problem}`);
    if (!shown.includes(':')) bad('invalid IP-literal');
    return `[${shown}]${port}`;
  }
  const colon = scheme === 'http' || scheme === 'https' ? host.indexOf(':') : host.lastIndexOf(':');
  if (colon >= 0) checkPort(host.slice(colon));
  return unescapeHost(host, bad);
}

/** The host without its port and brackets. */
export function hostName(host: string): string {
  const bracket = /^\[([^\]]*)\]/.exec(host);
  return bracket ? (bracket[1] as string) : host.replace(/:[0-9]*$/, '');
}

const escapeBytes = (text: string, keep: RegExp): string =>
  Array.from(toBytes(text), (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && keep.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');

const escapeUser = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,;=]/);
const escapePath = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,/:;=@]/);
const escapeFragment = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+,/:;=?@!()*]/);
const escapeHost = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~!"$&'()*+,:;<=>[\]]/);
/** url.PathEscape. */
export const escapeSegment = (text: string): string => escapeBytes(text, /[A-Za-z0-9\-_.~$&+:=@]/);

const isValidPath = /^[A-Za-z0-9\-_.~$&+,/:;=@!'()*[\]%]*$/;

function escapedPath({ path, rawPath }: Url): string {
  if (rawPath !== undefined && isValidPath.test(rawPath)) return rawPath;
  return path === '*' ? '*' : escapePath(path);
}

/** Go's URL.String. */
export function printUrl(url: Url): string {
  const { scheme, opaque, user, host, path, query, fragment } = url;
  let out = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') out += opaque;
  else {
    const showsHost = (scheme !== '' || host !== '' || user !== '') && !(url.omitsHost && host === '' && user === '');
    if (showsHost) {
      if (host !== '' || path !== '' || user !== '') out += '//';
      if (user !== '') out += `${user}@`;
      out += escapeHost(host);
    }
    const shown = escapedPath(url);
    if (shown !== '' && !shown.startsWith('/') && host !== '') out += '/';
    if (out === '' && shown.split('/')[0]?.includes(':')) out += './';
    out += shown;
  }
  if (query !== '' || url.hasEmptyQuery) out += `?${query}`;
  return fragment === '' ? out : `${out}#${escapeFragment(fragment)}`;
}

/** Go's URL.ResolveReference: a reference as it is meant at a base. */
export function resolveUrl(base: Url, reference: Url): Url {
  const scheme = reference.scheme || base.scheme;
  const withPath = (url: Url, path: string): Url => ({ ...url, ...pathOf(path, () => url.path as never) });
  if (reference.scheme !== '' || reference.host !== '' || reference.user !== '')
    return withPath({ ...reference, scheme }, cleanPath(escapedPath(reference), ''));
  if (reference.opaque !== '') return { ...reference, scheme, user: '', host: '', path: '', rawPath: '' };
  const isSame = reference.path === '' && !reference.hasEmptyQuery && reference.query === '';
  const target: Url = isSame
    ? { ...reference, scheme, query: base.query, fragment: reference.fragment || base.fragment }
    : { ...reference, scheme };
  if (reference.path === '' && base.opaque !== '') return { ...target, opaque: base.opaque, user: '', host: '', path: '', rawPath: '' };
  return withPath({ ...target, host: base.host, user: base.user }, cleanPath(escapedPath(base), escapedPath(reference)));
}

/** Two paths joined, without `.` and `..`. */
function cleanPath(base: string, reference: string): string {
  const full = reference === '' ? base : reference.startsWith('/') ? reference : base.slice(0, base.lastIndexOf('/') + 1) + reference;
  if (full === '') return '';
  const parts = full.split('/');
  const kept: string[] = [];
  for (const part of parts) {
    if (part === '..') kept.pop();
    else if (part !== '.') kept.push(part);
  }
  const last = parts.at(-1);
  const path = `/${kept.join('/')}${(last === '.' || last === '..') && kept.length > 0 ? '/' : ''}`;
  return path.startsWith('//') ? path.slice(1) : path;
}
