import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { createLogger, DespError, messageOf } from '@desp/runtime';
import { startRehearsal } from './rehearsal.ts';

/** The server's process. A parent that started it over a channel (`desp up`) is told when it is ready, or why it is not. */
const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string' } } });
const log = createLogger('platform');
const tell = (message: object) => process.send?.(message);

if (!values.data || (values.port !== undefined && !/^\d{4,5}$/.test(values.port))) {
  process.stderr.write('usage: platform --data DIR [--port PORT]\n');
  process.exit(2);
}

process.on('unhandledRejection', (error) =>
  log.error({ error: messageOf(error), stack: (error as Error).stack }, 'An error was not caught.'),
);

try {
  const rehearsal = await startRehearsal({
    data: values.data,
    log,
    onProgress: (progress) => tell({ progress }),
    ...(values.port ? { port: Number(values.port) } : {}),
  });
  const stop = async (signal: string) => {
    log.info({ signal }, 'Stopping.');
    const force = setTimeout(() => process.exit(1), 15_000);
    await rehearsal.stop();
    clearTimeout(force);
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('disconnect', () => {});
  tell({ ready: true });
  // Now, not at the end: a process that is killed writes nothing.
  flushCompileCache();
} catch (error) {
  const cure = error instanceof DespError ? error.cure : undefined;
  log.error(
    { error: messageOf(error), ...(error instanceof DespError ? {} : { stack: (error as Error).stack }) },
    'The platform could not start.',
  );
  tell({ failed: { message: messageOf(error), ...(cure ? { cure } : {}) } });
  process.exitCode = 1;
  setTimeout(() => process.exit(1), 500).unref();
}
