import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { queries } from '../api/queries.ts';
import { CommandLine } from '../ui/command-line.tsx';
import { Empty } from '../ui/empty.tsx';
import lists from '../ui/lists.module.css';
import { Loading } from '../ui/loading.tsx';
import { Age } from '../ui/now.tsx';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';
import styles from './services.module.css';

export function ServicesPage() {
  const { data, error, refetch } = useQuery(queries.services());
  return (
    <div className={styles['page']}>
      <PageHeading title="Services" />
      {error && <Problem error={error} title="The services could not be read" onRetry={() => void refetch()} />}
      {!data && !error && <Loading what="services" lines={4} />}
      {data?.length === 0 && (
        <Empty title="No service yet">
          <p>A service is created on the command line; what to do next is printed.</p>
          <CommandLine label="the command that creates a service" text="desp service create my-service" />
        </Empty>
      )}
      {data && data.length > 0 && (
        <div className={lists['scroll']}>
          <table className={lists['table']}>
            <caption className="hidden">Services</caption>
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col">Provider</th>
                <th scope="col">Repository</th>
                <th scope="col">Environments</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {data.map((service) => (
                <tr key={service.name}>
                  <td className={styles['name']}>
                    <Link to="/services/$name" params={{ name: service.name }}>
                      {service.name}
                    </Link>
                  </td>
                  <td>{service.provider}</td>
                  <td>
                    <code>{service.repository}</code>
                  </td>
                  <td>{service.environments.map(({ name }) => name).join(', ')}</td>
                  <td className={lists['quiet']}>
                    <Age at={service.createdAt} />, by {service.createdBy}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
