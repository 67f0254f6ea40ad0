// The front page: asks the backend and shows what it says.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const { BACKEND_URL = 'http://localhost:8081', PORT = '8080' } = process.env;
const page = readFileSync('page.html', 'utf8');
const log = (level, message, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ '@timestamp': new Date().toISOString(), level, service_name: 'sample-app', message, ...fields })}\n`);
const escape = (text) => String(text).replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return response.writeHead(200).end('alive\n');
  try {
    const backend = await fetch(`${BACKEND_URL}/api/visits`, { method: request.url === '/readyz' ? 'GET' : 'POST', signal: AbortSignal.timeout(5_000) });
    const { greeting, visits } = await backend.json();
    if (request.url === '/readyz') return response.writeHead(200).end('ready\n');
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page.replace('{{greeting}}', escape(greeting)).replace('{{visits}}', escape(visits)));
  } catch (error) {
    log('warn', 'the backend does not answer', { error: error.message });
    response.writeHead(503, { 'content-type': 'text/plain' }).end('The backend does not answer.\n');
  }
});

server.listen(Number(PORT), () => log('info', 'listening', { port: Number(PORT) }));
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
