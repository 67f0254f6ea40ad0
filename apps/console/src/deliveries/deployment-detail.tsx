import type { Stop } from '@desp/model';
import { useQuery } from '@tanstack/react-query';
import { queries } from '../api/queries.ts';
import { Facts } from '../ui/facts.tsx';
import lists from '../ui/lists.module.css';
import { Loading } from '../ui/loading.tsx';
import { Age } from '../ui/now.tsx';
import { Problem } from '../ui/problem.tsx';
import { ScrollRegion } from '../ui/scroll-region.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import styles from './release-detail.module.css';

interface Props {
  readonly service: string;
  readonly version: string;
  readonly updatedAt: string;
  readonly stop: Stop;
}

/** Where the release went, and how it fares there. */
export function DeploymentDetail({ service, version, updatedAt, stop }: Props) {
  const release = useQuery(queries.release(service, version, updatedAt));
  const view = useQuery(queries.service(service));
  if (release.error)
    return <Problem error={release.error} title="The deployments could not be read" onRetry={() => void release.refetch()} />;
  if (!release.data) return <Loading what="deployments" lines={2} />;
  if (release.data.deployments.length === 0) return null;
  const deployed = new Set(release.data.deployments.map(({ environment }) => environment));
  const places = view.data?.environments.filter(({ name }) => deployed.has(name)) ?? [];
  return (
    <>
      <ScrollRegion label="Deployments" className={styles['scroll']}>
        <table className={lists['table']}>
          <caption className="hidden">Deployments of {version}</caption>
          <thead>
            <tr>
              <th scope="col">Environment</th>
              <th scope="col">State</th>
              <th scope="col">What happened</th>
              <th scope="col">Changed</th>
            </tr>
          </thead>
          <tbody>
            {release.data.deployments.map((deployment) => (
              <tr key={deployment.environment}>
                <td>{deployment.environment}</td>
                <td>
                  <StateMark state={deployment.state} />
                </td>
                <td>{deployment.reason}</td>
                <td className={lists['quiet']}>
                  <Age at={deployment.at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {places.map((place) => (
        <Facts
          key={place.name}
          items={[
            ['Namespace', <code key="namespace">{place.namespace}</code>],
            [
              'Cluster',
              Object.entries(place.cluster.labels)
                .map(([name, value]) => `${name}: ${value}`)
                .join(', '),
            ],
            [stop.name === 'pods' ? 'Host name' : '', stop.name === 'pods' ? <code key="host">{place.hostName}</code> : undefined],
          ]}
        />
      ))}
    </>
  );
}
