import type { Delivery, Stop } from '@desp/model';
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { apiPath, call } from '../api/client.ts';
import { queries } from '../api/queries.ts';
import { useLiveDelivery } from '../api/use-live-delivery.ts';
import { mayActOnDeliveries } from '../session/rights.ts';
import { Facts } from '../ui/facts.tsx';
import { Loading } from '../ui/loading.tsx';
import { Age, Duration } from '../ui/now.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import styles from './delivery-page.module.css';
import { LiveMark } from './live-mark.tsx';
import { NextNote } from './next-note.tsx';
import { StationLine } from './station-line.tsx';
import { StopPanel } from './stop-panel.tsx';
import { changesOf, currentStop, nextMove, refName } from './stops.ts';

/** One delivery, live: from the push to running pods. */
export function DeliveryPage() {
  const { id } = useParams({ from: '/inside/deliveries/$id' });
  // Another delivery is another page: nothing of the former one stays.
  return <LiveDelivery key={id} id={id} />;
}

function LiveDelivery({ id }: { id: string }) {
  const search = useSearch({ from: '/inside/deliveries/$id' });
  const { delivery, error, liveness, retry } = useLiveDelivery(id);
  if (!delivery) {
    return (
      <div className={styles['page']}>
        <PageHeading title={`Delivery ${id}`} />
        {error ? (
          <Problem error={error} title="This delivery cannot be shown" onRetry={retry} />
        ) : (
          <Loading what={`delivery ${id}`} lines={6} />
        )}
      </div>
    );
  }
  const open = delivery.stops.find((stop) => stop.name === search.stop) ?? currentStop(delivery.stops);
  return (
    <div className={styles['page']}>
      <nav aria-label="Where you are" className={styles['crumbs']}>
        <Link to="/">Deliveries</Link>
        <span aria-hidden="true">/</span>
        <span aria-current="page">{delivery.id}</span>
        <LiveMark liveness={liveness} />
      </nav>
      <header className={styles['head']}>
        <div className={styles['title']}>
          <PageHeading title={`${delivery.title || delivery.id} · ${delivery.service}`}>{delivery.title || delivery.id}</PageHeading>
          <StateMark state={delivery.state} />
        </div>
        <Actions delivery={delivery} />
      </header>
      <Facts
        items={[
          [
            'Service',
            <Link key="service" to="/services/$name" params={{ name: delivery.service }}>
              {delivery.service}
            </Link>,
          ],
          [
            'Commit',
            <code key="commit" title={delivery.commit}>
              {delivery.commit.slice(0, 8)}
            </code>,
          ],
          ['Ref', refName(delivery.ref)],
          ['Version', delivery.version],
          ['Pushed', [delivery.pushedBy, ', ', <Age key="age" at={delivery.createdAt} />]],
          [
            'Under way',
            <Duration key="time" from={delivery.createdAt} to={delivery.state === 'running' ? undefined : delivery.updatedAt} />,
          ],
        ]}
      />
      <NextMove delivery={delivery} open={open?.name} />
      {error && <Problem error={error} title="This is what was known last" onRetry={retry} />}
      <h2 className="hidden">The way of this delivery</h2>
      <StationLine id={delivery.id} stops={delivery.stops} open={open?.name}>
        {open && <StopPanel key={open.name} delivery={delivery} stop={open} log={search.log} />}
      </StationLine>
      <Announcements stops={delivery.stops} />
    </div>
  );
}

/** Who acts next, where the open stop does not say it already. */
function NextMove({ delivery, open }: { delivery: Delivery; open: Stop['name'] | undefined }) {
  const stop = nextMove(delivery);
  if (!stop?.next || stop.name === open) return null;
  return (
    <NextNote next={stop.next}>
      <Link to="/deliveries/$id" params={{ id: delivery.id }} search={{ stop: stop.name }} replace resetScroll={false}>
        Show why
      </Link>
    </NextNote>
  );
}

function Actions({ delivery }: { delivery: Delivery }) {
  const client = useQueryClient();
  const mayAct = mayActOnDeliveries(useQuery(queries.me()).data);
  const act = useMutation({
    mutationFn: (verb: 'retry' | 'cancel') =>
      call<Delivery>(apiPath('deliveries', delivery.id, verb), { method: 'POST', ...(verb === 'retry' ? { body: {} } : {}) }),
    onSuccess: (changed) => client.setQueryData(queries.delivery(delivery.id).queryKey, changed),
  });
  if (!mayAct) return null;
  const canRetry = delivery.state !== 'superseded' && delivery.jobs.some(({ state }) => state === 'failed' || state === 'canceled');
  const canCancel = delivery.state === 'running' || delivery.state === 'blocked';
  return (
    <div className={styles['actions']}>
      {canRetry && (
        <Button variant="default" loading={act.isPending && act.variables === 'retry'} onClick={() => act.mutate('retry')}>
          Retry what failed
        </Button>
      )}
      {canCancel && (
        <Button variant="default" loading={act.isPending && act.variables === 'cancel'} onClick={() => act.mutate('cancel')}>
          Cancel the delivery
        </Button>
      )}
      {act.error && (
        <div className={styles['refusal']}>
          <Problem error={act.error} title="That did not work" />
        </div>
      )}
    </div>
  );
}

/** Tells a screen reader, politely, when a stop changes; seen by nobody else, who sees the line itself. */
function Announcements({ stops }: { stops: readonly Stop[] }) {
  const before = useRef(stops);
  const [text, setText] = useState('');
  useEffect(() => {
    const changes = changesOf(before.current, stops);
    before.current = stops;
    if (changes.length > 0) setText(changes.join(' '));
  }, [stops]);
  return (
    <p className="hidden" role="status" aria-live="polite">
      {text}
    </p>
  );
}
