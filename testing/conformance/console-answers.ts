import { Delivery, type DeliveryJob, GateReport, ReleaseDetail, ServiceView, type Stop, StopName, type Verdict } from '@desp/model';

/** What a platform tells of the sample service, recorded from a rehearsal and cut short; each is held against its schema. */
const digestA = `sha256:${'08dcde1e7994e73c'.repeat(4)}`;
const digestB = `sha256:${'eb2820c0724f3e9a'.repeat(4)}`;
const commit = 'ce89afc678b128c30fd820d655c478b4ef762a0d';

export const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

export const blockedReason =
  'sample-app/image-a:1.0.0: minimist 1.2.5 (app/node_modules/minimist/package.json) has GHSA-xvch-5gv4-984h, CVE-2021-44906: its CVSS 3.1 base score 9.8 (GitHub Advisory Database) is above 7.0 (procedure, section 3) and it is rated CRITICAL (DESP-DEV-051). Raise minimist to 1.2.6 or later in package.json or the lock file, and rebuild.';

type Told = readonly [
  state: Stop['state'],
  reason: string,
  seconds?: readonly [from: number, to?: number],
  next?: { who: string; what: string },
];

const stopsOf = (told: Readonly<Partial<Record<StopName, Told>>>): unknown[] =>
  StopName.options.map((name) => {
    const [state, reason, seconds, next] = told[name] ?? ['waiting', 'Waits for its turn.'];
    return {
      name,
      state,
      reason,
      ...(seconds ? { startedAt: ago(seconds[0]) } : {}),
      ...(seconds?.[1] === undefined ? {} : { endedAt: ago(seconds[1]) }),
      ...(next ? { next } : {}),
    };
  });

const job = (name: string, state: DeliveryJob['state'], over: Readonly<Record<string, unknown>> = {}) => ({
  name,
  purpose: name.startsWith('build') ? 'build' : 'release',
  stage: name.startsWith('build') ? 'build' : 'release',
  state,
  needs: [],
  reason: state === 'success' ? 'Done.' : '',
  allowFailure: false,
  images: [],
  attempt: state === 'created' || state === 'blocked' || state === 'manual' ? 0 : 1,
  ...over,
});

const imageA = { reference: 'sample-app/image-a:1.0.0', digest: digestA };
const imageB = { reference: 'sample-app/image-b:1.0.0', digest: digestB };
const begun: Readonly<Partial<Record<StopName, Told>>> = {
  push: ['passed', 'The commit is here.', [90, 90]],
  pipeline: ['passed', '6 jobs planned.', [90, 88]],
};
const promotions = [job('release-prod-image-a', 'blocked', { environment: 'prod', reason: 'Waits for a promotion to prod.' })];
const delivery = (
  state: Delivery['state'],
  stops: readonly unknown[],
  jobs: readonly unknown[],
  over: Readonly<Record<string, unknown>> = {},
): Delivery =>
  Delivery.parse({
    id: 'd-1',
    service: 'sample-app',
    commit,
    ref: 'refs/heads/main',
    title: 'First version of the sample service',
    pushedBy: 'provider',
    state,
    stops,
    jobs,
    templates: { project: 'desp/devsecops-templates', commit: '97f36e2a46ed440856f5c5a0103f8967b78db532' },
    createdAt: ago(90),
    updatedAt: ago(2),
    ...over,
  });

export const buildingDelivery = (): Delivery =>
  delivery('running', stopsOf({ ...begun, build: ['running', '1 of 2 built.', [42]], gate: ['running', '1 image judged: pass.', [8]] }), [
    job('build-image-a', 'running', { startedAt: ago(42) }),
    job('build-image-b', 'success', { startedAt: ago(42), endedAt: ago(9), images: [imageB] }),
    job('release-e2e-image-a', 'created', { environment: 'e2e', needs: ['build-image-a'] }),
    ...promotions,
  ]);

export const failedDelivery = (): Delivery =>
  delivery(
    'failed',
    stopsOf({
      ...begun,
      build: ['passed', '2 of 2 built.', [88, 52]],
      gate: [
        'failed',
        blockedReason,
        [53, 52],
        { who: 'provider', what: 'Mend what the verdict names and push again, or ask the security officer.' },
      ],
      release: [
        'failed',
        `release-e2e-image-a: The gate says blocked. ${blockedReason}`,
        [50, 48],
        { who: 'provider', what: 'See why in the log.' },
      ],
      fleet: ['skipped', 'Not reached.'],
      pods: ['skipped', 'Not reached.'],
    }),
    [
      job('build-image-a', 'success', { startedAt: ago(88), endedAt: ago(53), images: [imageA] }),
      job('build-image-b', 'success', { startedAt: ago(88), endedAt: ago(52), images: [imageB] }),
      job('release-e2e-image-a', 'failed', { environment: 'e2e', reason: blockedReason, startedAt: ago(50), endedAt: ago(48) }),
      ...promotions,
    ],
  );

export const blockedDelivery = (): Delivery =>
  delivery(
    'blocked',
    stopsOf({
      ...begun,
      build: ['passed', '2 of 2 built.', [88, 52]],
      gate: ['passed', '2 images judged: pass.', [53, 52]],
      release: ['blocked', 'release-e2e-image-a is started by hand.', [50], { who: 'provider', what: 'Start release-e2e-image-a.' }],
    }),
    [
      job('build-image-b', 'success', { startedAt: ago(88), endedAt: ago(52), images: [imageB] }),
      job('release-e2e-image-a', 'manual', { environment: 'e2e', reason: 'Started by hand.' }),
      ...promotions,
    ],
  );

export const deployingDelivery = (): Delivery =>
  delivery(
    'running',
    stopsOf({
      ...begun,
      build: ['passed', '2 of 2 built.', [88, 52]],
      gate: ['passed', '2 images judged: pass.', [53, 52]],
      release: ['passed', '2 of 2 released. 2 wait for a promotion.', [52, 40]],
      fleet: ['passed', 'Bundle sample-app is applied to the cluster labelled customer: e2e.', [40, 31]],
      pods: ['running', '1 of 2 deployments ready; image-a waits for its volume.', [31]],
    }),
    [
      job('build-image-b', 'success', { startedAt: ago(88), endedAt: ago(52), images: [imageB] }),
      job('release-e2e-image-b', 'success', { environment: 'e2e', startedAt: ago(52), endedAt: ago(44), images: [imageB] }),
      ...promotions,
    ],
    { version: '1.0.0' },
  );

export const passedDelivery = (): Delivery => {
  const deploying = deployingDelivery();
  return Delivery.parse({
    ...deploying,
    state: 'passed',
    stops: deploying.stops.map((stop) =>
      stop.name === 'pods' ? { ...stop, state: 'passed', reason: '2 of 2 deployments ready.', endedAt: ago(3) } : stop,
    ),
  });
};

const advisories = {
  databases: [{ name: 'GitHub Advisory Database', date: '2026-08-21T00:00:00.000Z', records: 1204 }],
  oldest: '2026-08-21T00:00:00.000Z',
};
const notAssessed = [{ what: 'usr/bin/node', why: 'No package owns this program.' }];

function verdict(
  environment: string,
  name: string,
  digest: string,
  outcome: Verdict['outcome'],
  reasons: readonly string[],
  findings: readonly unknown[],
) {
  return {
    environment,
    outcome,
    judgedAt: ago(52),
    verdict: {
      subject: { name, digest },
      outcome,
      policy: { profile: 'procedure-2023', environment, digest: `sha256:${'c'.repeat(64)}` },
      reasons,
      findings,
      notAssessed,
      advisories,
      sbom: `sha256:${'d'.repeat(64)}`,
      judgedAt: ago(52),
    },
  };
}

const minimist = {
  kind: 'vulnerability',
  id: 'GHSA-xvch-5gv4-984h',
  aliases: ['CVE-2021-44906'],
  package: {
    purl: 'pkg:npm/minimist@1.2.5',
    name: 'minimist',
    version: '1.2.5',
    ecosystem: 'npm',
    locations: ['app/node_modules/minimist/package.json'],
  },
  location: 'app/node_modules/minimist/package.json',
  severity: 'critical',
  scores: [{ source: 'GitHub Advisory Database', version: '3.1', base: 9.8 }],
  summary: 'Keys of command line arguments can reach the prototype of all objects.',
  fixedIn: '1.2.6',
  advisory: { database: 'GitHub Advisory Database', id: 'GHSA-xvch-5gv4-984h', modified: '2023-02-27T00:00:00.000Z' },
  blocks: 'its CVSS 3.1 base score 9.8 is above 7.0 (procedure, section 3)',
  cure: 'Raise minimist to 1.2.6 or later in package.json or the lock file, and rebuild.',
};

export const gateReports: ReadonlyMap<string, GateReport> = new Map(
  [
    {
      service: 'sample-app',
      repository: 'sample-app/image-a',
      digest: digestA,
      packages: 7,
      verdicts: [
        verdict('e2e', 'sample-app/image-a', digestA, 'blocked', [blockedReason], [minimist]),
        verdict(
          'prod',
          'sample-app/image-a',
          digestA,
          'blocked',
          [blockedReason, 'The advisory database is 93 days old; at most 7 are allowed.'],
          [minimist],
        ),
      ],
    },
    {
      service: 'sample-app',
      repository: 'sample-app/image-b',
      digest: digestB,
      packages: 6,
      verdicts: [verdict('e2e', 'sample-app/image-b', digestB, 'pass', ['Nothing known blocks the image.'], [])],
    },
  ].map((report) => [report.digest, GateReport.parse(report)]),
);

export const releaseDetail = (): ReleaseDetail =>
  ReleaseDetail.parse({
    service: 'sample-app',
    version: '1.0.0',
    commit,
    delivery: 'd-1',
    createdAt: ago(40),
    updatedAt: ago(3),
    deployments: [{ environment: 'e2e', state: 'deploying', reason: '1 of 2 deployments ready.', at: ago(5) }],
    images: [{ repository: 'sample-app/image-b', tag: '1.0.0', digest: digestB, outcome: 'pass', judgedAt: ago(52) }],
    notAssessed,
    manifests: [{ environment: 'e2e', digest: `sha256:${'e'.repeat(64)}` }],
  });

export const releaseRecord = '{"recorded":"byte by byte, spaces  too"}\n';

export const serviceView = (): ServiceView =>
  ServiceView.parse({
    name: 'sample-app',
    provider: 'acme',
    repository: 'DESP/SAMPLE-APP/sample-app',
    gitRemote: 'http://127.0.0.1:7301/DESP/SAMPLE-APP/sample-app.git',
    quarantine: { url: 'http://127.0.0.1:7302', host: 'quarantine.desp.space', project: 'sample-app' },
    environments: ['e2e', 'prod'].map((name) => ({
      name,
      namespace: 'sample-app',
      imagePrefix: `registry-ct.${name}.desp.space/sample-app`,
      registry: { url: 'http://127.0.0.1:7311', host: `registry-ct.${name}.desp.space`, project: 'sample-app' },
      secrets: { url: 'http://127.0.0.1:7331', path: 'sample-app', role: 'sample-app-read', pullSecret: 'sample-app/pull-secret' },
      cluster: { server: 'https://127.0.0.1:7321', labels: { customer: name } },
      domain: `${name}.desp.space`,
      hostName: `sample-app.${name}.desp.space`,
      curl: `curl --cacert root.pem --resolve sample-app.${name}.desp.space:7341:127.0.0.1 https://sample-app.${name}.desp.space:7341/`,
      entry: name === 'e2e' ? 'direct' : 'promotion',
    })),
    createdAt: ago(4_000),
    createdBy: 'provider',
    next: ['git push -u origin main'],
  });
