import type { Stop } from '@desp/model';
import { lookOf } from '../ui/state-icon.tsx';
import styles from './stop-trail.module.css';
import { currentStop, stopTitles } from './stops.ts';

/** A delivery's way in one line of a table: seven small marks, and the name of the stop where it stands. */
export function StopTrail({ stops }: { stops: readonly Stop[] }) {
  const here = currentStop(stops);
  return (
    <span className={styles['trail']}>
      <span className={styles['marks']} aria-hidden="true">
        {stops.map((stop) => (
          <span key={stop.name} data-tone={lookOf(stop.state).tone} title={`${stopTitles[stop.name]}: ${stop.state}`} />
        ))}
      </span>
      {here && <span>{stopTitles[here.name]}</span>}
    </span>
  );
}
