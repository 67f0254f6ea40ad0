import { request } from './client.ts';

/** Saves an answer's bytes as they are, under a name, through the browser's own download. */
export async function download(path: string, name: string): Promise<void> {
  const address = URL.createObjectURL(await (await request(path)).blob());
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  // The browser holds its own reference once the click is handled.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
