import type { ProxySettings } from './types.ts';

/**
 * The annotations of ingress-nginx that are done here, one line each. Every other one of its prefix is told of in a
 * Warning event; one that protects (`protections`) closes the Ingress, for serving it unprotected would be worse.
 */

const prefix = 'nginx.ingress.kubernetes.io/';

const supported = new Set([
  ...['ssl-redirect', 'force-ssl-redirect', 'use-regex', 'rewrite-target', 'app-root', 'proxy-body-size'],
  ...['proxy-connect-timeout', 'proxy-read-timeout', 'proxy-send-timeout', 'auth-type', 'auth-secret', 'auth-realm'],
  // Both directions are streamed anyway; connections to upstreams carry WebSockets anyway.
  ...[
    'proxy-buffering',
    'proxy-request-buffering',
    'proxy-buffer-size',
    'proxy-buffers-number',
    'websocket-services',
    'proxy-http-version',
  ],
]);
const protections = new Set([
  ...['auth-url', 'auth-signin', 'auth-tls-secret', 'auth-tls-verify-client', 'auth-secret-type', 'satisfy'],
  ...['whitelist-source-range', 'denylist-source-range', 'allowlist-source-range', 'configuration-snippet', 'server-snippet'],
]);

export interface ReadAnnotations {
  readonly settings: ProxySettings;
  /** One sentence each. */
  readonly warnings: readonly string[];
}

export function readAnnotations(annotations: Readonly<Record<string, string>> = {}): ReadAnnotations {
  const warnings: string[] = [];
  const given = (name: string): string | undefined => annotations[prefix + name];
  const invalid = (name: string, wanted: string) => {
    warnings.push(`The annotation ${prefix}${name} is ${JSON.stringify(given(name))}, not ${wanted}; the default is used.`);
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = given(name)?.toLowerCase();
    if (value !== undefined && value !== 'true' && value !== 'false') invalid(name, '"true" or "false"');
    return value === 'true' ? true : value === 'false' ? false : fallback;
  };
  const seconds = (name: string, fallback: number): number => {
    const value = given(name);
    if (value === undefined) return fallback * 1000;
    if (/^\d{1,6}s?$/.test(value) && Number.parseInt(value, 10) > 0) return Number.parseInt(value, 10) * 1000;
    invalid(name, 'a number of seconds');
    return fallback * 1000;
  };
  const bodySize = given('proxy-body-size');
  const maxBodyBytes = bodySize === undefined ? defaultBodyBytes : parseSize(bodySize);
  if (maxBodyBytes === undefined) invalid('proxy-body-size', 'a size such as 8m');

  let refusal: string | undefined;
  for (const name of Object.keys(annotations)) {
    if (!name.startsWith(prefix)) continue;
    const short = name.slice(prefix.length);
    if (supported.has(short)) continue;
    if (protections.has(short)) refusal = `the annotation ${name} protects and is not supported`;
    warnings.push(
      `The annotation ${name} is not supported by this rehearsal${protections.has(short) ? ' and protects: the Ingress is not served' : ' and has no effect'}.`,
    );
  }
  const authType = given('auth-type');
  if (authType !== undefined && authType !== 'basic') {
    refusal = `the authentication type ${JSON.stringify(authType)} is not supported`;
    warnings.push(`The annotation ${prefix}auth-type may only be "basic": the Ingress is not served.`);
  }
  if (authType === 'basic' && given('auth-secret') === undefined) {
    refusal = 'auth-type is "basic" and no auth-secret is named';
    warnings.push(`The annotation ${prefix}auth-type needs ${prefix}auth-secret: the Ingress is not served.`);
  }
  return {
    warnings,
    settings: {
      sslRedirect: flag('ssl-redirect', true),
      forceSslRedirect: flag('force-ssl-redirect', false),
      useRegex: flag('use-regex', false) || given('rewrite-target') !== undefined,
      rewriteTarget: given('rewrite-target'),
      appRoot: given('app-root'),
      maxBodyBytes: maxBodyBytes ?? defaultBodyBytes,
      connectTimeoutMs: seconds('proxy-connect-timeout', 5),
      readTimeoutMs: seconds('proxy-read-timeout', 60),
      sendTimeoutMs: seconds('proxy-send-timeout', 60),
      basicAuth:
        authType === 'basic' ? { secret: given('auth-secret') ?? '', realm: given('auth-realm') ?? 'Authentication Required' } : undefined,
      refusal,
    },
  };
}

/** nginx's `client_max_body_size` of ingress-nginx. */
const defaultBodyBytes = 1024 * 1024;
const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function parseSize(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(text.trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit.toLowerCase()] ?? 1);
}
