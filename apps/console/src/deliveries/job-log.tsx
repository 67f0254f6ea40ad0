import type { JobLog } from '@desp/model';
import { Switch } from '@mantine/core';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { apiPath, call } from '../api/client.ts';
import { appendLog, emptyLog, followLog } from '../api/follow-log.ts';
import { wait } from '../api/wait.ts';
import { Loading } from '../ui/loading.tsx';
import { Problem } from '../ui/problem.tsx';
import styles from './job-log.module.css';

/** A job's log, growing while the job runs. */
export function JobLogView({ delivery, job }: { delivery: string; job: string }) {
  const [log, setLog] = useState(emptyLog);
  const [state, setState] = useState<'loading' | 'running' | 'ended'>('loading');
  const [error, setError] = useState<Error>();
  const [follow, setFollow] = useState(true);
  const [tries, setTries] = useState(0);
  const box = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` begins anew
  useEffect(() => {
    const end = new AbortController();
    setLog(emptyLog);
    setError(undefined);
    followLog({
      read: (from, signal) => call<JobLog>(`${apiPath('deliveries', delivery, 'jobs', job, 'log')}?from=${from}`, { signal }),
      onText: (text, ended) => {
        setLog((before) => appendLog(before, text));
        setState(ended ? 'ended' : 'running');
      },
      wait,
      signal: end.signal,
    }).catch((reason: Error) => end.signal.aborted || setError(reason));
    return () => end.abort();
  }, [delivery, job, tries]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer log is what moves the view
  useLayoutEffect(() => {
    if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [log, follow]);
  return (
    <div className={styles['log']}>
      <div className={styles['bar']}>
        <p>
          {log.lines.length} {log.lines.length === 1 ? 'line' : 'lines'}
          {log.cut && ', the last of more (desp delivery logs prints all)'}
          {state === 'running' && ' · the job is running'}
        </p>
        <Switch size="xs" label="Follow" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} />
      </div>
      {error && <Problem error={error} title="The log could not be read" onRetry={() => setTries((count) => count + 1)} />}
      {state === 'loading' && !error ? (
        <Loading what="log" lines={4} />
      ) : (
        // It scrolls, so the keyboard must reach it.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus (WCAG 2.1.1)
        <section ref={box} className={styles['text']} aria-label={`Log of ${job}`} tabIndex={0}>
          {log.lines.length === 0 ? (
            <p>The job has written nothing{state === 'running' ? ' yet' : ''}.</p>
          ) : (
            <pre>{log.lines.join('\n')}</pre>
          )}
        </section>
      )}
    </div>
  );
}
