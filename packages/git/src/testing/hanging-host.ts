/** For the crash test: a host that never decides. Arguments: the root folder and the port. */
import { createServer } from 'node:http';
import { createGitServer } from '../server.ts';

const [root = '', port = '0'] = process.argv.slice(2);
const host = createGitServer({
  root,
  authenticate: () => ({ name: 'alice' }),
  authorize: () => 'allow',
  onPush: () => {
    process.stdout.write('deciding\n');
    return new Promise<never>(() => {});
  },
});
createServer((request, response) => void host.handler(request, response)).listen(Number(port), '127.0.0.1', () =>
  process.stdout.write('listening\n'),
);
