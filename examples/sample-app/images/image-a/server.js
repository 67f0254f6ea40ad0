// The backend: a counter on a volume. Everything that differs between environments comes in from outside.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import minimist from 'minimist';

const { port } = minimist(process.argv.slice(2));
const { DATA_DIR = '/data', GREETING = 'Hello', LOG_LEVEL = 'info', S3_ACCESS_KEY_VALUE = '', S3_SECRET_KEY_VALUE = '' } = process.env;
const counterFile = join(DATA_DIR, 'visits');
mkdirSync(DATA_DIR, { recursive: true });

const log = (level, message, fields = {}) => {
  if (level === 'debug' && LOG_LEVEL !== 'debug') return;
  process.stdout.write(`${JSON.stringify({ '@timestamp': new Date().toISOString(), level, service_name: 'sample-app', message, ...fields })}\n`);
};

const visits = () => {
  try {
    return Number(readFileSync(counterFile, 'utf8')) || 0;
  } catch {
    return 0;
  }
};

/** Renamed into place, so that a stop in the middle leaves the old number. */
const count = () => {
  const next = visits() + 1;
  writeFileSync(`${counterFile}.new`, String(next));
  renameSync(`${counterFile}.new`, counterFile);
  return next;
};

const credentials = S3_ACCESS_KEY_VALUE !== '' && S3_SECRET_KEY_VALUE !== '';
const answer = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
};

const server = createServer((request, response) => {
  log('debug', 'request', { method: request.method, path: request.url });
  switch (request.url) {
    case '/healthz':
      return answer(response, 200, { alive: true });
    case '/readyz':
      return answer(response, credentials ? 200 : 503, { ready: credentials });
    case '/api/visits':
      return answer(response, 200, { greeting: GREETING, visits: request.method === 'POST' ? count() : visits(), storage: credentials });
    default:
      return answer(response, 404, { error: 'not found' });
  }
});

server.listen(port, () => log('info', 'listening', { port }));
process.on('SIGTERM', () => {
  log('info', 'stopping');
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
