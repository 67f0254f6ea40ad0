import type { Delivery, DeliveryJob } from '@desp/model';
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Fragment, useId } from 'react';
import { apiPath, call } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { mayActOnDeliveries } from '../session/rights.ts';
import lists from '../ui/lists.module.css';
import { Duration } from '../ui/now.tsx';
import { Problem } from '../ui/problem.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { JobLogView } from './job-log.tsx';
import styles from './job-table.module.css';

/** A stop's jobs; each opens its log beneath, and offers what may be done with it. */
export function JobTable({
  delivery,
  jobs,
  log,
  title,
}: {
  delivery: Delivery;
  jobs: readonly DeliveryJob[];
  log: string | undefined;
  title: string;
}) {
  const client = useQueryClient();
  const navigate = useNavigate({ from: '/deliveries/$id' });
  const mayAct = mayActOnDeliveries(useQuery(queries.me()).data);
  const act = useMutation({
    mutationFn: ({ verb, job }: { verb: 'play' | 'retry'; job: string }) =>
      call<Delivery>(apiPath('deliveries', delivery.id, verb), { method: 'POST', body: { job } }),
    onSuccess: (changed) => client.setQueryData(queries.delivery(delivery.id).queryKey, changed),
  });
  const base = useId();
  const toggle = (job: string) =>
    navigate({ search: (previous) => ({ ...previous, log: log === job ? undefined : job }), replace: true, resetScroll: false });
  return (
    <div className={styles['jobs']}>
      {act.error && <Problem error={act.error} title="That did not work" />}
      <div className={styles['scroll']}>
        <table className={lists['table']}>
          <caption className="hidden">{title}</caption>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col">Time</th>
              <th scope="col">Reason</th>
              <th scope="col">
                <span className="hidden">What to do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job, index) => {
              const open = log === job.name;
              const logId = `${base}-${index}`;
              return (
                <Fragment key={job.name}>
                  <tr>
                    <th scope="row" className={styles['name']}>
                      {job.name}
                      <span className={styles['stage']}>
                        {job.environment ? `to ${job.environment}` : job.stage}
                        {job.attempt > 1 && ` · attempt ${job.attempt}`}
                      </span>
                    </th>
                    <td>
                      <StateMark state={job.state} />
                    </td>
                    <td className={lists['quiet']}>{job.startedAt && <Duration from={job.startedAt} to={job.endedAt} />}</td>
                    <td className={styles['reason']}>
                      {/* The stop says a failure in full; here its first sentence is enough to tell the jobs apart. */}
                      <span className={styles['clamp']} title={job.reason}>
                        {job.reason}
                      </span>
                    </td>
                    <td>
                      <div className={styles['actions']}>
                        {mayAct && job.state === 'manual' && (
                          <Button
                            size="compact-sm"
                            aria-label={`Start ${job.name}`}
                            loading={act.isPending}
                            onClick={() => act.mutate({ verb: 'play', job: job.name })}
                          >
                            Start
                          </Button>
                        )}
                        {mayAct && (job.state === 'failed' || job.state === 'canceled') && delivery.state !== 'superseded' && (
                          <Button
                            size="compact-sm"
                            variant="default"
                            aria-label={`Retry ${job.name}`}
                            loading={act.isPending}
                            onClick={() => act.mutate({ verb: 'retry', job: job.name })}
                          >
                            Retry
                          </Button>
                        )}
                        {job.attempt > 0 && (
                          <Button
                            size="compact-sm"
                            variant="subtle"
                            aria-expanded={open}
                            aria-controls={open ? logId : undefined}
                            aria-label={`${open ? 'Close the' : 'Open the'} log of ${job.name}`}
                            onClick={() => toggle(job.name)}
                          >
                            {open ? 'Close' : 'Log'}
                          </Button>
                        )}
                      </div>
                    </td>
                  </tr>
                  {open && (
                    <tr id={logId}>
                      <td colSpan={5} className={styles['log']}>
                        {/* A new attempt begins a new log. */}
                        <JobLogView key={job.attempt} delivery={delivery.id} job={job.name} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
