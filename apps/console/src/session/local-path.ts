/** A path of this console, as it was given; undefined for anything that could lead to another site. */
export function localPath(to: unknown): string | undefined {
  if (typeof to !== 'string' || !/^\/(?![/\\])[!-~]{0,2000}$/.test(to)) return undefined;
  return new URL(to, 'http://console.invalid').origin === 'http://console.invalid' ? to : undefined;
}
