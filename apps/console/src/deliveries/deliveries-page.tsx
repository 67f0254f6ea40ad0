import type { Delivery } from '@desp/model';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { queries } from '../api/queries.ts';
import { Empty } from '../ui/empty.tsx';
import lists from '../ui/lists.module.css';
import { Loading } from '../ui/loading.tsx';
import { Age } from '../ui/now.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import styles from './deliveries-page.module.css';
import { StopTrail } from './stop-trail.tsx';
import { nextMove, refName } from './stops.ts';

/** All deliveries that the caller may see, newest first. */
export function DeliveriesPage() {
  const { data, error, refetch } = useQuery(queries.deliveries());
  return (
    <div className={styles['page']}>
      <PageHeading title="Deliveries" />
      {error && (
        <Problem
          error={error}
          title={data ? 'This is what was known last' : 'The deliveries could not be read'}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Loading what="deliveries" lines={6} />}
      {data?.length === 0 && (
        <Empty title="No delivery yet">
          <p>
            A push to a service’s repository begins one. The <Link to="/services">services</Link> say where to push.
          </p>
        </Empty>
      )}
      {data && data.length > 0 && <DeliveryTable deliveries={data} />}
    </div>
  );
}

export function DeliveryTable({ deliveries }: { deliveries: readonly Delivery[] }) {
  return (
    <div className={lists['scroll']}>
      <table className={`${lists['table']} ${styles['table']}`}>
        <caption className="hidden">Deliveries, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Delivery</th>
            <th scope="col">Service</th>
            <th scope="col">State</th>
            <th scope="col">Stops</th>
            <th scope="col">Who acts next</th>
            <th scope="col">Age</th>
          </tr>
        </thead>
        <tbody>
          {deliveries.map((delivery) => (
            <tr key={delivery.id}>
              <td className={styles['what']}>
                <Link to="/deliveries/$id" params={{ id: delivery.id }}>
                  {delivery.title || delivery.id}
                </Link>
                <span className={styles['sub']}>
                  {delivery.id} · <code>{delivery.commit.slice(0, 8)}</code> · {refName(delivery.ref)}
                  {delivery.version && ` · ${delivery.version}`}
                </span>
              </td>
              <td>{delivery.service}</td>
              <td>
                <StateMark state={delivery.state} />
              </td>
              <td>
                <StopTrail stops={delivery.stops} />
              </td>
              <td>
                {delivery.state === 'superseded' || delivery.state === 'canceled' ? (
                  <span className={lists['quiet']}>nobody</span>
                ) : (
                  <Who delivery={delivery} />
                )}
              </td>
              <td className={`${lists['quiet']} ${lists['nowrap']}`}>
                <Age at={delivery.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Who({ delivery }: { delivery: Delivery }) {
  const who = nextMove(delivery)?.next?.who ?? (delivery.state === 'running' ? 'platform' : 'nobody');
  return <span className={who === 'nobody' || who === 'platform' ? lists['quiet'] : undefined}>{who}</span>;
}
