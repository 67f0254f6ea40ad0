import { type Action, permissions, type Scope } from '@desp/identity';
import type { Role } from '@desp/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitTokens, startDeviceFlow } from '../../apps/cli/src/login/device-flow.ts';
import { walkForms } from '../../apps/cli/src/login/form-walk.ts';
import { endpoints } from '../../apps/platform/src/api/routes.ts';
import { fillRecords, hookToken, platformToken, type RightsPlatform, startRightsPlatform } from './rights-platform.ts';

/**
 * Who may call what: every endpoint, as everybody, over HTTP. What is expected comes from the table of rights, read here without
 * the code that decides; `golden/rights.txt` holds the whole matrix, so that a change of it is seen and meant. An endpoint that
 * has no row below fails.
 */
interface Row {
  readonly action: Action | 'anybody' | 'git-host';
  /** The address, on the service `sample-app` of the company acme where it is about one. */
  readonly path: string;
  readonly about: 'service' | 'nothing';
  readonly body?: object | ((caller: string) => object);
}

const digest = `sha256:${'a'.repeat(64)}`;
let credentials = { person: 'provider', password: '' };
const rows: Readonly<Record<string, Row>> = {
  'GET /api/status': { action: 'anybody', path: '/api/status', about: 'nothing' },
  'GET /api/key': { action: 'anybody', path: '/api/key', about: 'nothing' },
  'GET /api/login': { action: 'anybody', path: '/api/login', about: 'nothing' },
  'POST /api/login': { action: 'anybody', path: '/api/login', about: 'nothing', body: () => credentials },
  'POST /api/tokens/revoke': { action: 'anybody', path: '/api/tokens/revoke', about: 'nothing', body: { token: 'dpat_unknown' } },
  'POST /api/tokens': {
    action: 'token.create',
    path: '/api/tokens',
    about: 'nothing',
    body: { title: 'laptop', days: 1, scopes: ['git'] },
  },
  'GET /api/me': { action: 'platform.read', path: '/api/me', about: 'nothing' },
  'POST /api/services': {
    action: 'service.create',
    path: '/api/services',
    about: 'nothing',
    body: (caller) => ({ name: 'new-app', ...(caller === 'operator' ? { provider: 'acme' } : {}) }),
  },
  'GET /api/services': { action: 'service.read', path: '/api/services', about: 'nothing' },
  'GET /api/services/:service': { action: 'service.read', path: '/api/services/sample-app', about: 'service' },
  'GET /api/deliveries': { action: 'delivery.read', path: '/api/deliveries', about: 'nothing' },
  'GET /api/deliveries/:id': { action: 'delivery.read', path: '/api/deliveries/DELIVERY', about: 'service' },
  'GET /api/deliveries/:id/events': { action: 'delivery.read', path: '/api/deliveries/DELIVERY/events', about: 'service' },
  'GET /api/deliveries/:id/jobs/:job/log': { action: 'delivery.read', path: '/api/deliveries/DELIVERY/jobs/by-hand/log', about: 'service' },
  'POST /api/deliveries/:id/play': {
    action: 'delivery.play',
    path: '/api/deliveries/DELIVERY/play',
    about: 'service',
    body: { job: 'by-hand' },
  },
  'POST /api/deliveries/:id/retry': {
    action: 'delivery.retry',
    path: '/api/deliveries/DELIVERY/retry',
    about: 'service',
    body: { job: 'broken' },
  },
  'POST /api/deliveries/:id/cancel': { action: 'delivery.cancel', path: '/api/deliveries/DELIVERY/cancel', about: 'service' },
  'GET /api/gate': { action: 'gate.read', path: `/api/gate?repository=sample-app/image-a&digest=${digest}`, about: 'service' },
  'GET /api/releases': { action: 'release.read', path: '/api/releases', about: 'nothing' },
  'GET /api/releases/:service/:version': { action: 'release.read', path: '/api/releases/sample-app/1.0.0', about: 'service' },
  'GET /api/releases/:service/:version/record': { action: 'release.read', path: '/api/releases/sample-app/1.0.0/record', about: 'service' },
  'PUT /api/services/:service/secrets/:environment/:secret': {
    action: 'secret.write',
    path: '/api/services/sample-app/secrets/e2e/s3',
    about: 'service',
    body: { values: { KEY: 'value' } },
  },
  'POST /api/advisories': {
    action: 'advisories.import',
    path: '/api/advisories',
    about: 'nothing',
    body: { database: 'test', date: '2026-01-01T00:00:00.000Z', records: [] },
  },
  'GET /api/advisories': { action: 'advisories.read', path: '/api/advisories', about: 'nothing' },
  'GET /api/environments/:environment/kubeconfig': {
    action: 'kubeconfig.issue',
    path: '/api/environments/e2e/kubeconfig',
    about: 'nothing',
  },
  'POST /api/webhooks/git': {
    action: 'git-host',
    path: '/api/webhooks/git',
    about: 'nothing',
    body: {
      object_kind: 'push',
      ref: 'refs/heads/main',
      after: 'd'.repeat(40),
      user_username: 'provider',
      project: { path_with_namespace: 'DESP/sample-app' },
    },
  },
};

type Outcome = 'yes' | '401' | '403' | '404';
interface Caller {
  readonly name: string;
  readonly authorization?: string;
  readonly is:
    | { readonly kind: 'person'; readonly role: Role; readonly company?: string }
    | { readonly kind: 'job' | 'robot'; readonly service: string }
    | { readonly kind: 'nobody' | 'platform' };
}

let walk: RightsPlatform;
let delivery: string;
const callers: Caller[] = [];

beforeAll(async () => {
  walk = await startRightsPlatform();
  const { platform, server, passwords } = walk;
  const { tokens } = platform;
  ({ delivery } = await fillRecords(platform));
  const password = passwords.get('provider') ?? '';
  credentials = { person: 'provider', password };
  const code = await startDeviceFlow(platform.config.identity.issuer);
  await walkForms(code.completeAddress, credentials);
  const access = await awaitTokens(code);
  const bearer = (token: string) => `Bearer ${token}`;
  const basic = (name: string, secret: string) => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
  const job = { service: 'sample-app', delivery: 1, job: 'build', pushedBy: 'operator' };
  const deadJob = await tokens.createJob({ ...job, job: 'ended' }, 60);
  await tokens.endJob(1, 'ended');
  const revoked = await tokens.createPersonal('operator', 'revoked', 1, ['api']);
  await tokens.revoke(revoked);
  const forged = `${access.token.slice(0, access.token.lastIndexOf('.') + 1)}${Buffer.alloc(256, 7).toString('base64url')}`;
  const person = async (name: string, role: Role, company?: string): Promise<Caller> => ({
    name,
    authorization: bearer(await tokens.createPersonal(name, 'walk', 1, ['api'])),
    is: { kind: 'person', role, ...(company ? { company } : {}) },
  });
  const provider = { kind: 'person', role: 'provider', company: 'acme' } as const;
  callers.push(
    await person('provider', 'provider', 'acme'),
    { name: 'provider by password', authorization: basic('provider', password), is: provider },
    { name: 'provider by access token', authorization: bearer(access.token), is: provider },
    await person('other-provider', 'provider', 'other'),
    await person('ivv', 'ivv'),
    await person('security', 'security'),
    await person('operator', 'operator'),
    await person('executive', 'executive'),
    { name: 'job of the service', authorization: bearer(await tokens.createJob(job, 600)), is: { kind: 'job', service: 'sample-app' } },
    {
      name: 'job of another service',
      authorization: bearer(await tokens.createJob({ ...job, service: 'other-app' }, 600)),
      is: { kind: 'job', service: 'other-app' },
    },
    {
      name: 'robot of the service',
      authorization: bearer(await tokens.createRobot('sample-app', 'pull', 1)),
      is: { kind: 'robot', service: 'sample-app' },
    },
    {
      name: 'robot of another service',
      authorization: bearer(await tokens.createRobot('other-app', 'pull', 1)),
      is: { kind: 'robot', service: 'other-app' },
    },
    { name: 'nobody', is: { kind: 'nobody' } },
    { name: 'job that has ended', authorization: bearer(deadJob), is: { kind: 'nobody' } },
    { name: 'revoked token', authorization: bearer(revoked), is: { kind: 'nobody' } },
    {
      name: 'expired token',
      authorization: bearer(await tokens.createPersonal('operator', 'expired', -1, ['api'])),
      is: { kind: 'nobody' },
    },
    {
      name: 'token for Git and registries',
      authorization: bearer(await tokens.createPersonal('operator', 'laptop', 1, ['git', 'registry'])),
      is: { kind: 'nobody' },
    },
    {
      name: 'token of a kubeconfig, as a password',
      authorization: basic('operator', await tokens.createPersonal('operator', 'kubeconfig e2e', 1, ['kubernetes:e2e'])),
      is: { kind: 'nobody' },
    },
    { name: 'forged access token', authorization: bearer(forged), is: { kind: 'nobody' } },
    strangers(basic),
    { name: 'unknown scheme', authorization: 'Negotiate AAAA', is: { kind: 'nobody' } },
  );
  expect(new URL(server).hostname).toBe('127.0.0.1');
});
afterAll(() => walk?.close());

/** A name and a password that fit nobody; another name each time, for ten wrong ones close a name for a minute. */
function strangers(basic: (name: string, secret: string) => string): Caller {
  let count = 0;
  return {
    name: 'wrong password',
    get authorization() {
      return basic(`stranger-${count++}`, 'wrong');
    },
    is: { kind: 'nobody' },
  };
}

/** What tokens of machines are good for in the API: they see their service, or not even that. */
const machineMay = { job: { sees: true, actions: ['service.read', 'repository.read'] }, robot: { sees: false, actions: [] } } as const;

/** From the table alone: who may not see the service gets 404, who sees it and may not act gets 403. */
function expected({ action, about }: Row, { is }: Caller): Outcome {
  if (action === 'anybody') return 'yes';
  // No credentials of anybody are those of the Git host, not even the platform's own.
  if (action === 'git-host') return '401';
  const reach = (wanted: Action): Scope | undefined =>
    is.kind === 'person' ? (permissions[wanted] as Partial<Record<Role, Scope>>)[is.role] : undefined;
  const onSample = (scope: Scope | undefined): boolean =>
    scope === 'any' || (scope === 'own' && is.kind === 'person' && is.company === 'acme');
  switch (is.kind) {
    case 'nobody':
      return '401';
    case 'platform':
      return 'yes';
    case 'job':
    case 'robot': {
      if (about === 'nothing') return '403';
      const { sees, actions } = machineMay[is.kind];
      if (!sees || is.service !== 'sample-app') return '404';
      return (actions as readonly Action[]).includes(action) ? 'yes' : '403';
    }
    case 'person':
      if (about === 'nothing') return reach(action) ? 'yes' : '403';
      if (!onSample(reach('service.read'))) return '404';
      return onSample(reach(action)) ? 'yes' : '403';
  }
}

interface Seen {
  readonly outcome: string;
  readonly text: string;
  readonly reached: readonly string[];
}

async function call(endpoint: string, row: Row, caller: Caller, change: { path?: string; body?: object } = {}): Promise<Seen> {
  const [method = ''] = endpoint.split(' ');
  const body = change.body ?? (typeof row.body === 'function' ? row.body(caller.name) : row.body);
  walk.reached();
  const ended = new AbortController();
  const response = await fetch(new URL((change.path ?? row.path).replace('DELIVERY', delivery), walk.server), {
    method,
    headers: {
      ...(caller.authorization ? { authorization: caller.authorization } : {}),
      ...(body ? { 'content-type': 'application/json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: ended.signal,
  });
  const streams = response.headers.get('content-type') === 'text/event-stream';
  const text = streams ? '' : await response.text();
  ended.abort();
  const reached = walk.reached();
  const { status } = response;
  // An absent part was reached: the right was there. Else the answer itself says it; 409 is about the thing, after the right.
  const outcome = reached.length > 0 || status < 300 || status === 409 ? 'yes' : String(status);
  return { outcome, text, reached };
}

const names = endpoints.map(({ method, url }) => `${method} ${url}`);
const matrix = new Map<string, string[]>();

test('every endpoint has a row here, with the action that it declares', () => {
  expect(Object.keys(rows).toSorted()).toEqual(names.toSorted());
  for (const { method, url, access, service } of endpoints) {
    const row = rows[`${method} ${url}`] as Row;
    expect(row.action, url).toBe(access);
    expect(row.about, url).toBe(service ? 'service' : 'nothing');
  }
});

describe.each(names)('%s', (name) => {
  test('is open to whom the table says, and to nobody else', async () => {
    const row = rows[name] as Row;
    const outcomes: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const caller of callers) {
      const seen = await call(name, row, caller);
      outcomes[caller.name] = seen.outcome;
      wanted[caller.name] = expected(row, caller);
      if (seen.outcome !== 'yes') {
        expect(seen.reached, `${caller.name} was refused after a part was reached`).toEqual([]);
        if (seen.outcome !== '403') expect(seen.text, caller.name).not.toMatch(/acme|Confidential|by-hand/);
      }
    }
    matrix.set(
      name,
      callers.map((caller) => `${caller.name}: ${outcomes[caller.name]}`),
    );
    expect(outcomes).toEqual(wanted);
  });
});

test('the whole matrix is as recorded', async () => {
  const text = [...matrix].map(([endpoint, lines]) => `${endpoint}\n${lines.map((line) => `  ${line}\n`).join('')}`).join('');
  await expect(text).toMatchFileSnapshot('golden/rights.txt');
});

const callerNamed = (name: string): Caller => callers.find((one) => one.name === name) as Caller;

describe('the dangerous ones, row by row', () => {
  test.each([
    ['POST /api/deliveries/:id/play', 'ivv', '403'],
    ['POST /api/deliveries/:id/play', 'executive', '403'],
    ['POST /api/deliveries/:id/retry', 'job of the service', '403'],
    ['POST /api/deliveries/:id/cancel', 'robot of the service', '404'],
    ['PUT /api/services/:service/secrets/:environment/:secret', 'security', '403'],
    ['PUT /api/services/:service/secrets/:environment/:secret', 'job of the service', '403'],
    ['PUT /api/services/:service/secrets/:environment/:secret', 'other-provider', '404'],
    ['POST /api/advisories', 'provider', '403'],
    ['POST /api/advisories', 'nobody', '401'],
    ['POST /api/services', 'job of the service', '403'],
    ['POST /api/tokens', 'job of the service', '403'],
    ['POST /api/tokens', 'robot of the service', '403'],
    ['GET /api/environments/:environment/kubeconfig', 'executive', '403'],
    ['GET /api/environments/:environment/kubeconfig', 'job of the service', '403'],
  ])('%s as %s: %s', async (endpoint, caller, outcome) => {
    expect((await call(endpoint, rows[endpoint] as Row, callerNamed(caller))).outcome).toBe(outcome);
  });

  test('a provider cannot create a service for another company', async () => {
    const row = rows['POST /api/services'] as Row;
    const seen = await call('POST /api/services', row, callerNamed('other-provider'), { body: { name: 'stolen', provider: 'acme' } });
    expect(seen).toMatchObject({ outcome: '403', reached: [] });
  });

  test('the webhook takes its own token, whole and in its own header, and no other', async () => {
    const row = rows['POST /api/webhooks/git'] as Row;
    const push = (headers: Record<string, string>) =>
      fetch(new URL(row.path, walk.server), {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(row.body),
      });
    walk.reached();
    for (const headers of [
      {},
      { 'x-gitlab-token': '' },
      { 'x-gitlab-token': hookToken.slice(0, -1) },
      { 'x-gitlab-token': platformToken },
      { authorization: `Bearer ${hookToken}` },
      { authorization: `Bearer ${platformToken}` },
    ] as Record<string, string>[])
      expect((await push(headers)).status, JSON.stringify(headers)).toBe(401);
    expect(walk.reached()).toEqual([]);
    await push({ 'x-gitlab-token': hookToken });
    expect(walk.reached()).toEqual(['git host.username']);
    const wrong = await fetch(new URL(row.path, walk.server), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-gitlab-token': hookToken },
      body: '{"object_kind":"note"}',
    });
    expect(wrong.status).toBe(400);
  });

  test("the platform's own token makes no personal tokens and has no kubeconfig", async () => {
    const platform: Caller = { name: 'platform', authorization: `Bearer ${platformToken}`, is: { kind: 'platform' } };
    expect((await call('POST /api/tokens', rows['POST /api/tokens'] as Row, platform)).outcome).toBe('403');
    const kubeconfig = 'GET /api/environments/:environment/kubeconfig';
    expect((await call(kubeconfig, rows[kubeconfig] as Row, platform)).outcome).toBe('403');
  });

  test('who may not call does not learn what a body should be', async () => {
    const row = rows['POST /api/advisories'] as Row;
    expect((await call('POST /api/advisories', row, callerNamed('nobody'), { body: { wrong: true } })).outcome).toBe('401');
    expect((await call('POST /api/advisories', row, callerNamed('provider'), { body: { wrong: true } })).outcome).toBe('403');
    expect((await call('POST /api/advisories', row, callerNamed('operator'), { body: { wrong: true } })).outcome).toBe('400');
  });
});

describe('what another company has', () => {
  const aboutService = names.filter((name) => rows[name]?.about === 'service');

  test.each(aboutService)('%s answers as if it were not there', async (name) => {
    const row = rows[name] as Row;
    // The same words as for what really is not there, but for the name that the caller itself gave.
    const missing = row.path.replace('DELIVERY', 'd-999999').replaceAll('sample-app', 'missing-app');
    const [hidden, gone] = [
      await call(name, row, callerNamed('other-provider')),
      await call(name, row, callerNamed('other-provider'), { path: missing }),
    ];
    expect(hidden.outcome).toBe('404');
    expect(gone.outcome).toBe('404');
    expect(hidden.text.replaceAll(delivery, 'd-999999').replaceAll('sample-app', 'missing-app')).toBe(gone.text);
  });

  test.each(['GET /api/services', 'GET /api/deliveries', 'GET /api/releases'])('%s does not list it', async (name) => {
    const row = rows[name] as Row;
    const listed = /"(?:name|service)":"sample-app"/;
    expect((await call(name, row, callerNamed('provider'))).text).toMatch(listed);
    for (const path of [row.path, `${row.path}?service=sample-app`]) {
      const { outcome, text } = await call(name, row, callerNamed('other-provider'), { path });
      expect(outcome).toBe('yes');
      expect(text).not.toMatch(listed);
    }
  });
});
