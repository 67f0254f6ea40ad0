import { CommitId, Digest, instantOf, ServiceName } from '@desp/model';
import { profileNamed } from '@desp/procedure';
import { appendEntry, createRecord } from '@desp/release';
import { SteppingClock } from '@desp/runtime';
import { AdvisorySet, generateKeyPair, importKeyPair, judge, policyFor, rehearsalAdvisories } from '@desp/security';
import { expect, test } from 'vitest';

/** A clock that was set back closes the gate and the record: what is dated after now cannot be believed. */
const digest = Digest.parse(`sha256:${'a'.repeat(64)}`);
const profile = profileNamed('procedure-2023');
const environment = profile.environments[0]!;

const judgeAt = (clock: SteppingClock) =>
  judge({
    subject: { name: 'app/web', digest },
    inventory: { subject: digest, packages: [], unowned: [], problems: [], layers: [], files: 0 },
    sbom: digest,
    advisories: new AdvisorySet(rehearsalAdvisories()),
    policy: policyFor(profile, environment),
    now: instantOf(clock.now()),
  });

test('the gate gives no pass before the day of its advisories', async () => {
  const newest = rehearsalAdvisories()
    .map((database) => database.date)
    .sort()
    .at(-1) as string;
  const clock = new SteppingClock(new Date(Date.parse(newest) + 3_600_000));
  expect((await judgeAt(clock)).outcome).toBe('pass');
  clock.setWall(new Date(Date.parse(newest) - 86_400_000));
  const verdict = await judgeAt(clock);
  expect(verdict.outcome).toBe('incomplete');
  expect(verdict.reasons.join()).toMatch(/after the time of judgement.*a clock is wrong/);
});

test('a release record takes no entry that is older than its last', async () => {
  const signer = await importKeyPair(await generateKeyPair());
  const clock = new SteppingClock(new Date('2026-11-22T12:00:00Z'));
  const commit = CommitId.parse('a'.repeat(40));
  const record = await createRecord(
    {
      body: { service: ServiceName.parse('app'), version: '1.0.0', commit, gitTag: '1.0.0', delivery: 'd-1' as never },
      at: instantOf(clock.now()),
      who: 'provider',
    },
    signer,
  );
  clock.setWall(new Date('2026-11-21T12:00:00Z'));
  const entry = {
    kind: 'source-findings' as const,
    at: instantOf(clock.now()),
    who: 'platform',
    body: { commit, files: 1, findings: [], notAssessed: [] },
  };
  await expect(appendEntry(record, entry, signer)).rejects.toThrow(/cannot follow one of/);
});
