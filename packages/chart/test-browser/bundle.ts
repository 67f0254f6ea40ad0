import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

export interface Bundle {
  readonly code: string;
  /** Bytes. */
  readonly size: number;
  readonly gzip: number;
}

/** One minified module of an entry and all that it takes, for a browser. @throws where anything of Node is in it */
export async function bundleForBrowser(entry: string): Promise<Bundle> {
  const bundle = await rolldown({
    input: new URL(entry, import.meta.url).pathname,
    platform: 'browser',
    resolve: { conditionNames: ['browser', 'import', 'default'] },
    onLog: (level, log, next) => {
      if (log.message?.includes('node:')) throw new Error(log.message);
      if (level !== 'warn' || !/externalized|Could not resolve|Unresolved/i.test(log.message ?? '')) next(level, log);
      else if (!/crypto|worker_threads/.test(log.message ?? '')) throw new Error(log.message);
    },
    external: ['crypto', 'worker_threads'],
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true, name: 'chart' });
  await bundle.close();
  const { code } = output[0];
  return { code, size: Buffer.byteLength(code), gzip: gzipSync(code).length };
}
