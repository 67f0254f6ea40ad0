import { createLogger, messageOf } from '@desp/runtime';
import { purgeRehearsal } from './purge.ts';

/** The process of `desp down --purge`: a program of its own, for it needs a tenth of what the server loads. */
const [data, ...more] = process.argv.slice(2).filter((argument) => argument !== '--data');
if (data === undefined || more.length > 0) {
  process.stderr.write('usage: purge --data DIR\n');
  process.exit(2);
}
try {
  await purgeRehearsal(data, createLogger('purge'));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
