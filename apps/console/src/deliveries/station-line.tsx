import type { Stop, StopName } from '@desp/model';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { ClockTime, Duration } from '../ui/now.tsx';
import { lookOf, StateIcon } from '../ui/state-icon.tsx';
import styles from './station-line.module.css';
import { stopTitles } from './stops.ts';

const wide = '(min-width: 960px)';

/** From one station to another with the arrow keys; Tab goes through them too. */
function onArrow(event: React.KeyboardEvent<HTMLOListElement>): void {
  const stations = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a[data-station]')];
  const at = stations.indexOf(document.activeElement as HTMLAnchorElement);
  if (at < 0) return;
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: stations.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  stations[to]?.focus();
}

/**
 * The seven stops as a line of stations: lying where there is room, standing where there is not. The open stop's details follow
 * the line, or stand under their station.
 */
export function StationLine({
  id,
  stops,
  open,
  children,
}: {
  id: string;
  stops: readonly Stop[];
  open: StopName | undefined;
  children: React.ReactNode;
}) {
  const lying = useMediaQuery(wide, true, { getInitialValueInEffect: false });
  return (
    <div className={styles['way']}>
      {/* The list listens for arrow keys of the links inside it; it takes no focus itself. */}
      <ol className={styles['line']} onKeyDown={onArrow} aria-label="Stops">
        {stops.map((stop) => (
          <li
            key={stop.name}
            className={styles['station']}
            data-tone={lookOf(stop.state).tone}
            data-state={stop.state}
            data-open={stop.name === open || undefined}
          >
            <Station id={id} stop={stop} open={stop.name === open} />
            {!lying && stop.name === open && <div className={styles['under']}>{children}</div>}
          </li>
        ))}
      </ol>
      {lying && children}
    </div>
  );
}

function Station({ id, stop, open }: { id: string; stop: Stop; open: boolean }) {
  const look = lookOf(stop.state);
  return (
    <Link
      to="/deliveries/$id"
      params={{ id }}
      search={(previous) => ({ ...previous, stop: stop.name })}
      replace
      resetScroll={false}
      data-station={stop.name}
      aria-current={open ? 'step' : undefined}
      className={styles['link']}
    >
      <span className={styles['dot']}>
        <StateIcon look={look} />
      </span>
      <span className={styles['name']}>{stopTitles[stop.name]}</span>
      <span className={styles['state']}>
        {look.word}
        {stop.startedAt && (stop.endedAt || stop.state === 'running') && (
          <span className={styles['time']}>
            <span className="hidden">, </span>
            {/* What took no time is told by when it was. */}
            {stop.startedAt === stop.endedAt ? <ClockTime at={stop.startedAt} /> : <Duration from={stop.startedAt} to={stop.endedAt} />}
          </span>
        )}
      </span>
    </Link>
  );
}
