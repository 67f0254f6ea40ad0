import { kindName, type ValueMap } from '../value/kinds.ts';
import { quote } from '../value/text.ts';
import { canonicalUser, hostName, parseUrl, printUrl, type Url, UrlError } from '../value/url.ts';
import { type FunctionGroup, fail, fn } from './define.ts';

/** `urlParse` and `urlJoin` with the rules of Go's net/url. */

function textOf(map: ValueMap, key: string): string {
  if (!map.has(key)) return '';
  const value = map.get(key);
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return fail('runtime error: invalid memory address or nil pointer dereference');
  return fail(`unable to parse ${key} key, must be of type string, but ${kindName(value)} found`);
}

function parsed(text: string): Url {
  try {
    return parseUrl(text);
  } catch (error) {
    if (error instanceof UrlError) return fail(`unable to parse url: ${error.message}`);
    throw error;
  }
}

export const urlFunctions: FunctionGroup = {
  urlParse: fn(['string'], (text) => {
    const url = parsed(text);
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
    return printUrl({
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
