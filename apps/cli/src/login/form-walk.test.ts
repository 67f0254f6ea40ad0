import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { walkForms } from './form-walk.ts';

let servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

async function site(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    answer(request, text, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const form = (action: string) =>
  `<form method="post" action="${action}"><input type="hidden" name="proof" value="a&#38;b"><input name="person" value=""><input name="password"><button name="confirm" value="yes">Yes</button><button name="abort" value="yes">No</button></form>`;
const answers = { person: 'provider', password: 'p w' };

test('fills in, keeps hidden fields and cookies, presses the first button, follows redirects, and ends at a page without a form', async () => {
  const seen: string[] = [];
  const address = await site((request, body, response) => {
    seen.push(`${request.method} ${request.url} ${body} ${request.headers.cookie ?? ''}`.trim());
    if (request.url === '/') response.writeHead(200, { 'set-cookie': 'one=1; path=/' }).end(form('/send'));
    else if (request.url === '/send') response.writeHead(303, { location: '/done', 'set-cookie': 'one=; path=/' }).end();
    else response.end('<p>Done</p>');
  });
  await walkForms(address, answers);
  expect(seen).toEqual(['GET /', 'POST /send proof=a%26b&person=provider&password=p+w&confirm=yes one=1', 'GET /done']);
});

test.each(['form', 'redirect'])('a password goes to no other origin: a %s that leads away ends it', async (way) => {
  const got: string[] = [];
  const elsewhere = await site((_request, body, response) => {
    got.push(body);
    response.end('');
  });
  const address = await site((_request, _body, response) => {
    if (way === 'form') response.end(form(elsewhere));
    else response.writeHead(307, { location: elsewhere }).end();
  });
  await expect(walkForms(address, answers)).rejects.toThrow('lead to');
  expect(got).toEqual([]);
});

test('what a page says is wrong becomes the error', async () => {
  const address = await site((_request, _body, response) =>
    response.writeHead(401).end('<p class="wrong" role="alert">Nobody &#60;here&#62;.</p>'),
  );
  await expect(walkForms(address, answers)).rejects.toThrow('Nobody <here>.');
});

test('pages without end are given up', async () => {
  const address = await site((_request, _body, response) => response.end(form('/')));
  await expect(walkForms(address, answers)).rejects.toThrow('do not come to an end');
});
