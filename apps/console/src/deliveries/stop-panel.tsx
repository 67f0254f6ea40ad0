import type { Delivery, Stop } from '@desp/model';
import { lazy, Suspense } from 'react';
import { Facts, ShortId } from '../ui/facts.tsx';
import { Loading } from '../ui/loading.tsx';
import { At, Duration } from '../ui/now.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { JobTable } from './job-table.tsx';
import { NextNote } from './next-note.tsx';
import styles from './stop-panel.module.css';
import { builtImages, jobsOf, refName, stopTitles } from './stops.ts';

const GateDetail = lazy(() => import('./gate-detail.tsx').then(({ GateDetail }) => ({ default: GateDetail })));
const ReleaseDetailView = lazy(() => import('./release-detail.tsx').then(({ ReleaseDetailView }) => ({ default: ReleaseDetailView })));
const DeploymentDetail = lazy(() => import('./deployment-detail.tsx').then(({ DeploymentDetail }) => ({ default: DeploymentDetail })));

/** Everything about one stop: state, reason in full, times, what to do, and what is particular to it. */
export function StopPanel({ delivery, stop, log }: { delivery: Delivery; stop: Stop; log: string | undefined }) {
  const title = `stop-${stop.name}`;
  const jobs = jobsOf(stop.name, delivery.jobs);
  return (
    <section aria-labelledby={title} className={styles['panel']}>
      <div className={styles['head']}>
        <h2 id={title}>{stopTitles[stop.name]}</h2>
        <StateMark state={stop.state} />
        {stop.startedAt && (
          <p className={styles['times']}>
            <At instant={stop.startedAt} />
            {(stop.endedAt || stop.state === 'running') && (
              <>
                {' · '}
                <Duration from={stop.startedAt} to={stop.endedAt} />
              </>
            )}
          </p>
        )}
      </div>
      <p className={styles['reason']}>{stop.reason}</p>
      {stop.next && <NextNote next={stop.next} />}
      <Suspense fallback={<Loading what={stopTitles[stop.name]} lines={3} />}>
        <Particulars delivery={delivery} stop={stop} />
      </Suspense>
      {jobs.length > 0 && <JobTable delivery={delivery} jobs={jobs} log={log} title={`${stopTitles[stop.name]} jobs`} />}
    </section>
  );
}

function Particulars({ delivery, stop }: { delivery: Delivery; stop: Stop }) {
  const images = builtImages(delivery.jobs);
  switch (stop.name) {
    case 'push':
      return (
        <Facts
          items={[
            ['Commit', <code key="commit">{delivery.commit}</code>],
            ['Ref', refName(delivery.ref)],
            ['Pushed by', delivery.pushedBy],
          ]}
        />
      );
    case 'pipeline':
      return (
        <Facts
          items={[
            ['Templates', delivery.templates?.project],
            ['Templates’ commit', delivery.templates && <ShortId id={delivery.templates.commit} />],
            ['Stages', [...new Set(delivery.jobs.map((job) => job.stage))].join(' → ')],
          ]}
        />
      );
    case 'gate':
      return images.length > 0 ? <GateDetail images={images} updatedAt={delivery.updatedAt} /> : null;
    case 'release':
      return delivery.version ? (
        <ReleaseDetailView service={delivery.service} version={delivery.version} updatedAt={delivery.updatedAt} />
      ) : null;
    case 'fleet':
    case 'pods':
      return delivery.version && stop.state !== 'skipped' ? (
        <DeploymentDetail service={delivery.service} version={delivery.version} updatedAt={delivery.updatedAt} stop={stop} />
      ) : null;
    default:
      return null;
  }
}
