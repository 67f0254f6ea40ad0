import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { apiPath } from '../api/client.ts';
import { download } from '../api/download.ts';
import { queries } from '../api/queries.ts';
import { CommandLine } from '../ui/command-line.tsx';
import { Facts, ShortId } from '../ui/facts.tsx';
import lists from '../ui/lists.module.css';
import { Loading } from '../ui/loading.tsx';
import { At } from '../ui/now.tsx';
import { Problem } from '../ui/problem.tsx';
import { ScrollRegion } from '../ui/scroll-region.tsx';
import { verdictLook } from '../ui/state-icon.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import styles from './release-detail.module.css';

interface Props {
  readonly service: string;
  readonly version: string;
  readonly updatedAt: string;
}

/** The release: its version and digests, and its signed record with what to type to verify it anywhere. */
export function ReleaseDetailView({ service, version, updatedAt }: Props) {
  const { data, error, refetch } = useQuery(queries.release(service, version, updatedAt));
  if (error) return <Problem error={error} title="The release could not be read" onRetry={() => void refetch()} />;
  if (!data) return <Loading what="release" lines={4} />;
  return (
    <div className={styles['release']}>
      <Facts
        items={[
          ['Version', <strong key="version">{data.version}</strong>],
          ['Released', <At key="at" instant={data.createdAt} />],
          ['Commit', <ShortId key="commit" id={data.commit} />],
          ...data.manifests.map(
            ({ environment, digest }) => [`Manifests for ${environment}`, <ShortId key={environment} id={digest} />] as const,
          ),
        ]}
      />
      <ScrollRegion label="Images of the release" className={styles['scroll']}>
        <table className={lists['table']}>
          <caption className="hidden">Images of the release</caption>
          <thead>
            <tr>
              <th scope="col">Image</th>
              <th scope="col">Digest</th>
              <th scope="col">Verdict</th>
              <th scope="col">Judged</th>
            </tr>
          </thead>
          <tbody>
            {data.images.map((image) => (
              <tr key={`${image.repository}@${image.digest}`}>
                <td>
                  {image.repository}:{image.tag}
                </td>
                <td className={styles['digest']}>
                  <code>{image.digest}</code>
                </td>
                <td>
                  <StateMark state={image.outcome} look={verdictLook(image.outcome)} />
                </td>
                <td className={lists['quiet']}>
                  <At instant={image.judgedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {data.notAssessed.length > 0 && (
        <details>
          <summary className={lists['quiet']}>
            {data.notAssessed.length} {data.notAssessed.length === 1 ? 'item' : 'items'} that nobody could assess
          </summary>
          <ul>
            {data.notAssessed.map(({ what, why }) => (
              <li key={what}>
                <code>{what}</code> {why}
              </li>
            ))}
          </ul>
        </details>
      )}
      <RecordDownload service={service} version={version} />
    </div>
  );
}

function RecordDownload({ service, version }: { service: string; version: string }) {
  const file = `${service}-${version}.json`;
  const save = useMutation({ mutationFn: ({ path, name }: { path: string; name: string }) => download(path, name) });
  return (
    <section className={styles['record']} aria-labelledby="record-title">
      <h3 id="record-title">The signed record</h3>
      <p className={lists['quiet']}>
        Everything decided about this release, verifiable offline, byte by byte. Take the platform’s key once, over a way that you trust,
        and keep it: the key that counts is yours, never one inside the file.
      </p>
      <div className={styles['buttons']}>
        <Button variant="default" onClick={() => save.mutate({ path: apiPath('releases', service, version, 'record'), name: file })}>
          Download {file}
        </Button>
        <Button variant="subtle" onClick={() => save.mutate({ path: '/api/key', name: 'platform.pub' })}>
          Download the platform’s key
        </Button>
      </div>
      {save.error && <Problem error={save.error} title="Not downloaded" />}
      <CommandLine label="the command that verifies the record" text={`desp release verify ${file} --key platform.pub`} />
    </section>
  );
}
