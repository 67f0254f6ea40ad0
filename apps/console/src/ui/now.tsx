import { useEffect, useState } from 'react';
import { formatAge, formatClock, formatDuration, formatInstant } from './format-time.ts';

/** The time now, again every `everyMs`; stands still when `everyMs` is undefined. */
function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** How long something took, or takes: it ticks until there is an end. */
export function Duration({ from, to }: { from: string; to?: string | undefined }) {
  const now = useNow(to === undefined ? 1_000 : undefined);
  return <span className="tabular">{formatDuration((to === undefined ? now : Date.parse(to)) - Date.parse(from))}</span>;
}

/** The time of the day. */
export function ClockTime({ at }: { at: string }) {
  return (
    <time dateTime={at} title={formatInstant(at)} className="tabular">
      {formatClock(at)}
    </time>
  );
}

/** How long ago; the instant itself stands in the title. */
export function Age({ at }: { at: string }) {
  const now = useNow(10_000);
  return (
    <time dateTime={at} title={formatInstant(at)} className="tabular">
      {formatAge(now - Date.parse(at))}
    </time>
  );
}

export function At({ instant }: { instant: string }) {
  return (
    <time dateTime={instant} className="tabular">
      {formatInstant(instant)}
    </time>
  );
}
