import type { ServiceView } from '@desp/model';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { queries } from '../api/queries.ts';
import { DeliveryTable } from '../deliveries/deliveries-page.tsx';
import { CommandLine } from '../ui/command-line.tsx';
import { Facts } from '../ui/facts.tsx';
import lists from '../ui/lists.module.css';
import { Loading } from '../ui/loading.tsx';
import { Age } from '../ui/now.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import styles from './services.module.css';

/** One service: its deliveries, and every place that belongs to it. */
export function ServicePage() {
  const { name } = useParams({ from: '/inside/services/$name' });
  const { data, error, refetch } = useQuery(queries.service(name));
  const deliveries = useQuery(queries.deliveries(name));
  return (
    <div className={styles['page']}>
      <nav aria-label="Where you are" className={styles['crumbs']}>
        <Link to="/services">Services</Link>
      </nav>
      <PageHeading title={name} />
      {error && <Problem error={error} title="This service cannot be shown" onRetry={() => void refetch()} />}
      {!data && !error && <Loading what={name} lines={5} />}
      {data && (
        <>
          <Facts
            items={[
              ['Provider', data.provider],
              ['Created', [<Age key="age" at={data.createdAt} />, `, by ${data.createdBy}`]],
            ]}
          />
          <CommandLine
            label="the command that clones the repository"
            text={`git clone -c credential.helper='!desp git-credential' ${data.gitRemote}`}
          />
          <section className={styles['part']} aria-labelledby="deliveries-title">
            <h2 id="deliveries-title">Deliveries</h2>
            {deliveries.error && (
              <Problem error={deliveries.error} title="The deliveries could not be read" onRetry={() => void deliveries.refetch()} />
            )}
            {deliveries.isPending && <Loading what="deliveries" lines={3} />}
            {deliveries.data?.length === 0 && <p className={lists['quiet']}>None yet: a push begins one.</p>}
            {deliveries.data && deliveries.data.length > 0 && <DeliveryTable deliveries={deliveries.data} />}
          </section>
          <section className={styles['part']} aria-labelledby="environments-title">
            <h2 id="environments-title">Environments</h2>
            <div className={styles['environments']}>
              {data.environments.map((environment) => (
                <Environment key={environment.name} environment={environment} />
              ))}
            </div>
          </section>
          {deliveries.data?.length === 0 && data.next.length > 0 && <Next lines={data.next} />}
        </>
      )}
    </div>
  );
}

function Environment({ environment }: { environment: ServiceView['environments'][number] }) {
  return (
    <article className={styles['environment']}>
      <h3>
        {environment.name}
        <span className={lists['quiet']}>{environment.entry === 'promotion' ? ' · by promotion' : ''}</span>
      </h3>
      <Facts
        items={[
          ['Host name', <code key="host">{environment.hostName}</code>],
          ['Images begin with', <code key="images">{environment.imagePrefix}</code>],
          ['Namespace', <code key="namespace">{environment.namespace}</code>],
          [
            'Secrets',
            <span key="secrets">
              <code>{environment.secrets.path}</code>, role <code>{environment.secrets.role}</code>
            </span>,
          ],
          ['Pull secret', <code key="pull">{environment.secrets.pullSecret}</code>],
          ['Cluster', <code key="cluster">{environment.cluster.server}</code>],
        ]}
      />
    </article>
  );
}

function Next({ lines }: { lines: readonly string[] }) {
  return (
    <section className={styles['part']} aria-labelledby="next-title">
      <h2 id="next-title">What to do next</h2>
      <ol className={styles['next']}>
        {lines.map((line) => (
          <li key={line}>
            <code>{line}</code>
          </li>
        ))}
      </ol>
    </section>
  );
}
