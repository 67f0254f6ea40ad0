import type { Finding, GateReport } from '@desp/model';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../api/queries.ts';
import { ShortId } from '../ui/facts.tsx';
import { formatDay } from '../ui/format-time.ts';
import { Loading } from '../ui/loading.tsx';
import { At } from '../ui/now.tsx';
import { Problem } from '../ui/problem.tsx';
import { verdictLook } from '../ui/state-icon.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { byWeight, cvesOf } from './findings.ts';
import styles from './gate-detail.module.css';
import type { BuiltImage } from './stops.ts';

type EnvironmentVerdict = GateReport['verdicts'][number];

/** What the gate says about every image that was built, environment by environment. */
export function GateDetail({ images, updatedAt }: { images: readonly BuiltImage[]; updatedAt: string }) {
  return images.map((image) => <ImageVerdicts key={`${image.reference}@${image.digest}`} image={image} updatedAt={updatedAt} />);
}

function ImageVerdicts({ image, updatedAt }: { image: BuiltImage; updatedAt: string }) {
  const { data, error, refetch } = useQuery(queries.gate(image.reference, image.digest, updatedAt));
  return (
    <section className={styles['image']} aria-label={`Verdicts on ${image.reference}`}>
      <header className={styles['head']}>
        <h3>{image.reference}</h3>
        <span className={styles['quiet']}>
          <ShortId id={image.digest} />
          {data && ` · ${data.packages} packages`}
        </span>
      </header>
      {error && <Problem error={error} title="The verdict could not be read" onRetry={() => void refetch()} />}
      {!data && !error && <Loading what={`verdict on ${image.reference}`} lines={3} />}
      {data?.verdicts.length === 0 && <p className={styles['quiet']}>Not judged yet.</p>}
      {data?.verdicts.map((verdict, index) => (
        // The environment that is entered first is what this delivery is about; the others are told on request.
        <details key={verdict.environment} open={index === 0} className={styles['verdict']}>
          <summary>
            <span className={styles['environment']}>{verdict.environment}</span>
            <StateMark state={verdict.outcome} look={verdictLook(verdict.outcome)} />
            <span className={styles['quiet']}>
              judged <At instant={verdict.judgedAt} />
            </span>
          </summary>
          <VerdictDetail judged={verdict} />
        </details>
      ))}
    </section>
  );
}

function VerdictDetail({ judged: { verdict } }: { judged: EnvironmentVerdict }) {
  const findings = verdict.findings.toSorted(byWeight);
  const blocking = findings.filter((finding) => finding.blocks !== undefined);
  const others = findings.filter((finding) => finding.blocks === undefined);
  return (
    <div className={styles['body']}>
      {/* A reason that a finding below tells in parts is not told twice. */}
      {blocking.length === 0 || verdict.reasons.length > blocking.length ? (
        <ul className={styles['reasons']}>
          {verdict.reasons
            .filter((reason) => !blocking.some((finding) => reason.includes(finding.id)))
            .map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
        </ul>
      ) : null}
      {blocking.map((finding) => (
        <FindingCard key={`${finding.id} ${finding.location}`} finding={finding} />
      ))}
      {others.length > 0 && (
        <details className={styles['more']}>
          <summary>
            {others.length} {others.length === 1 ? 'finding' : 'findings'} below the threshold
          </summary>
          {others.map((finding) => (
            <FindingCard key={`${finding.id} ${finding.location}`} finding={finding} />
          ))}
        </details>
      )}
      {verdict.notAssessed.length > 0 && (
        <details className={styles['more']}>
          <summary>
            {verdict.notAssessed.length} {verdict.notAssessed.length === 1 ? 'item' : 'items'} that nobody could assess
          </summary>
          <ul className={styles['list']}>
            {verdict.notAssessed.map(({ what, why }) => (
              <li key={what}>
                <code>{what}</code> {why}
              </li>
            ))}
          </ul>
        </details>
      )}
      <details className={styles['more']}>
        <summary>
          Judged by {verdict.advisories.databases.length} advisory databases
          {verdict.advisories.oldest && `, the oldest of ${formatDay(verdict.advisories.oldest)}`}
        </summary>
        <ul className={styles['list']}>
          {verdict.advisories.databases.map(({ name, date, records }) => (
            <li key={name}>
              {name}: {records} records as of {formatDay(date)}
            </li>
          ))}
          <li>
            Policy of {verdict.policy.environment}, profile {verdict.policy.profile}, <ShortId id={verdict.policy.digest} />
          </li>
          <li>
            Bill of materials <ShortId id={verdict.sbom} />
          </li>
        </ul>
      </details>
    </div>
  );
}

function FindingCard({ finding }: { finding: Finding }) {
  const [name, ...also] = cvesOf(finding).filter((each, index) => index === 0 || each !== finding.advisory?.id);
  return (
    <article className={styles['finding']}>
      <header className={styles['findingHead']}>
        <h4>
          {name}
          {finding.package && (
            <span>
              {' '}
              in {finding.package.name} {finding.package.version}
            </span>
          )}
        </h4>
        <span className={styles['severity']} data-severity={finding.severity}>
          {finding.severity}
        </span>
      </header>
      {finding.summary && <p>{finding.summary}</p>}
      <dl className={styles['facts']}>
        <dt>Where</dt>
        <dd>
          <code>{finding.location}</code>
        </dd>
        <dt>Scores</dt>
        <dd>
          {finding.scores.length === 0
            ? 'nobody scored it'
            : finding.scores.map((score) => `${score.base.toFixed(1)} · CVSS ${score.version}, ${score.source}`).join('; ')}
        </dd>
        {finding.advisory && (
          <>
            <dt>Advisory</dt>
            <dd>
              {finding.advisory.id} · {finding.advisory.database}, as of {formatDay(finding.advisory.modified)}
            </dd>
          </>
        )}
        {also.length > 0 && (
          <>
            <dt>Also</dt>
            <dd>{also.join(', ')}</dd>
          </>
        )}
        {finding.blocks && (
          <>
            <dt>Why it counts</dt>
            <dd>{finding.blocks}</dd>
          </>
        )}
        <dt>Fixed in</dt>
        <dd>{finding.fixedIn ?? 'no version yet'}</dd>
        <dt>What to do</dt>
        <dd className={styles['cure']}>{finding.cure}</dd>
      </dl>
    </article>
  );
}
