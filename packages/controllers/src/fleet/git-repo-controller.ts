import { rm } from 'node:fs/promises';
import { type BundleDeployment, type Condition, readBundles, summarizeState } from '@desp/fleet';
import {
  type InformerSet,
  isKubeError,
  type KubeClient,
  keyOf,
  partsOfKey,
  type ReconcileContext,
  type ReconcileResult,
  runController,
  secretType,
  source,
} from '@desp/kube';
import { type Clock, DespError, type Logger, messageOf, registerSecret } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import { isSame, type NewCondition, withConditions, writeStatus } from './conditions.ts';
import {
  fetchCommit,
  type GitLimits,
  type RemoteAccess,
  readFilesBelow,
  repositoryFolder,
  resolveRevision,
  standardGitLimits,
} from './git-fetch.ts';
import { GitRepoSource, pollMsOf } from './git-repo-source.ts';
import { bundleDeploymentType, bundleType, gitRepoType, labels, ofPlatform, type StoredBundle, type StoredGitRepo } from './resources.ts';

export interface GitRepoOptions {
  readonly client: KubeClient;
  readonly informers: InformerSet;
  readonly gitFolder: string;
  readonly limits?: GitLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const fieldManager = 'fleet-gitjob';
const defaultSecret = 'gitcredential';

/** What a generation of a GitRepo reads to at a commit. */
interface Reading {
  readonly generation: number;
  readonly commit: string;
  readonly bundles: readonly StoredBundle[];
}

/**
 * GitRepo → Bundles: fetches the revision, makes of each bundle in it a Bundle, deletes those that are no more. What a person has
 * to mend (a broken fleet.yaml) ends as `Stalled`; what may pass (a host that does not answer) is tried again.
 */
export function runGitRepos(options: GitRepoOptions): Promise<void> {
  const { informers } = options;
  // Saves fetching and parsing; lost at a kill and made again.
  const readings = new Map<string, Reading>();
  const written = new Map<string, { reading: Reading; generations: Map<string, number | undefined> }>();
  const bundles = informers.of(bundleType);
  bundles.addIndex('repo', (bundle) => {
    const repo = bundle.metadata.labels?.[labels.repo];
    return repo ? [`${bundle.metadata.namespace}/${repo}`] : [];
  });
  const deployments = informers.of(bundleDeploymentType);
  const repoOf = (object: { metadata: { labels?: Record<string, string> } }): string | undefined => object.metadata.labels?.[labels.repo];
  deployments.addIndex('repo', (deployment) => {
    const repo = repoOf(deployment);
    return repo ? [`${deployment.metadata.labels?.[labels.bundleNamespace]}/${repo}`] : [];
  });

  async function reconcile(key: string, context: ReconcileContext): Promise<ReconcileResult> {
    const repo = context.informer(gitRepoType).get(key);
    if (!repo || repo.metadata.deletionTimestamp) {
      await removeBundles(bundles.byIndex('repo', key), context);
      readings.delete(key);
      written.delete(key);
      await rm(repositoryFolder(options.gitFolder, key), { recursive: true, force: true });
      return undefined;
    }
    const parsed = GitRepoSource.safeParse(repo.spec ?? {});
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const message = `spec.${issue?.path.join('.')}: ${issue?.message}`;
      await report(repo, [...stalled(message), { type: 'Accepted', status: 'False', message }], context);
      return undefined;
    }
    const pollMs = pollMsOf(parsed.data);
    try {
      const reading = await read(key, repo, parsed.data, context);
      await writeBundles(key, reading, context);
      await report(repo, settled, context, reading.commit);
    } catch (error) {
      context.signal.throwIfAborted();
      if (isKubeError(error)) throw error;
      const message = `${messageOf(error)}${error instanceof DespError && error.cure ? ` ${error.cure}` : ''}`;
      if (error instanceof DespError && error.kind === 'user') {
        await report(repo, [...stalled(message), { type: 'GitPolling', status: 'True' }, { type: 'Accepted', status: 'True' }], context);
      } else {
        await report(
          repo,
          [
            { type: 'GitPolling', status: 'False', message },
            { type: 'Ready', status: 'False', message },
          ],
          context,
        );
        throw error;
      }
    }
    return pollMs === undefined ? undefined : { requeueAfterMs: pollMs };
  }

  async function read(key: string, repo: StoredGitRepo, spec: GitRepoSource, context: ReconcileContext): Promise<Reading> {
    const { name, namespace = '', generation = 0 } = repo.metadata;
    const folder = repositoryFolder(options.gitFolder, key);
    const git = { folder, limits: options.limits ?? standardGitLimits, signal: context.signal, clock: context.clock };
    const access = await accessOf(spec, namespace, context.client);
    const commit = await resolveRevision(spec.repo, spec.revision || spec.branch || 'master', access, git);
    const known = readings.get(key);
    // Labels and annotations do not count in the generation.
    if (known?.generation === generation && known.commit === commit)
      return { ...known, bundles: known.bundles.map((bundle) => carry(repo, bundle)) };
    await report(repo, [{ type: 'Reconciling', status: 'True', message: `Reads commit ${commit.slice(0, 12)}.` }], context);
    const reader = await fetchCommit({ folder, url: spec.repo, commit, access }, git);
    const files = await readFilesBelow(reader, commit, spec.paths, git.limits);
    const paths = spec.paths?.length ? { paths: spec.paths } : {};
    const result = readBundles(files, { repoName: name, commit, namespace, gitRepo: withoutUnset(spec), ...paths });
    for (const warning of result.warnings) context.log.info({ gitRepo: key, ...warning }, 'a warning about fleet.yaml');
    const reading = { generation, commit, bundles: result.bundles.map(({ bundle }) => carry(repo, bundle as unknown as StoredBundle)) };
    readings.set(key, reading);
    return reading;
  }

  async function writeBundles(key: string, reading: Reading, context: ReconcileContext): Promise<void> {
    const done = written.get(key);
    const generations = new Map<string, number | undefined>();
    const isKnown = done !== undefined && isSame(done.reading, reading);
    for (const bundle of reading.bundles) {
      const bundleKey = keyOf(bundle);
      const live = bundles.get(bundleKey);
      const owner = live && repoOf(live);
      if (owner !== undefined && owner !== partsOfKey(key).name) {
        throw new ControllerError('NOT_ALLOWED', `The Bundle ${bundleKey} belongs to the GitRepo ${owner}.`, {
          kind: 'user',
          cure: 'Give the bundle another name in fleet.yaml.',
        });
      }
      if (isKnown && live && live.metadata.generation === done.generations.get(bundleKey)) {
        generations.set(bundleKey, live.metadata.generation);
        continue;
      }
      const after = await context.client.patch(bundleType, bundle.metadata.name, bundle.metadata.namespace, bundle, {
        kind: 'apply',
        fieldManager,
        force: true,
      });
      generations.set(bundleKey, after.metadata.generation);
    }
    written.set(key, { reading, generations });
    await removeBundles(
      bundles.byIndex('repo', key).filter((bundle) => !generations.has(keyOf(bundle))),
      context,
    );
  }

  /** Lays `changes` and the state of what was deployed over the status. `commit`: the Bundles of this commit are written. */
  async function report(repo: StoredGitRepo, changes: readonly NewCondition[], context: ReconcileContext, commit?: string): Promise<void> {
    const live = (await context.client.get(gitRepoType, repo.metadata.name, repo.metadata.namespace)) ?? repo;
    const summary = commit === undefined ? undefined : summaryOf(keyOf(repo), commit);
    const ready: NewCondition[] = summary ? [{ ...summary.ready, status: summary.ready.status }] : [];
    const conditions: Condition[] = withConditions(live.status?.conditions, [...changes, ...ready], context.clock.now());
    const isReading = conditions.some(({ type, status }) => type === 'Reconciling' && status === 'True');
    const state = isReading ? 'GitUpdating' : summary && summary.state !== 'Ready' ? summary.state : '';
    await writeStatus(context.client, gitRepoType, live, {
      ...live.status,
      ...(commit === undefined ? {} : { commit }),
      ...(isReading ? {} : { observedGeneration: repo.metadata.generation ?? 0 }),
      ...(summary ? { summary: summary.summary, desiredReadyClusters: summary.clusters, readyClusters: summary.readyClusters } : {}),
      display: {
        ...(live.status?.display?.readyBundleDeployments ? { readyBundleDeployments: live.status.display.readyBundleDeployments } : {}),
        ...(summary ? { readyBundleDeployments: summary.display } : {}),
        ...(state ? { state } : {}),
        ...(summary?.message ? { message: summary.message } : {}),
      },
      conditions,
    });
  }

  function summaryOf(key: string, commit: string) {
    const found = deployments.byIndex('repo', key).filter((deployment) => deployment.metadata.labels?.[labels.commit] === commit);
    // A Bundle that its controller has not seen yet has deployments to come.
    const waiting = bundles.byIndex('repo', key).filter((bundle) => bundle.status?.observedGeneration !== bundle.metadata.generation);
    const parts = [
      ...found.map((deployment) => ({
        name: `Bundle ${deployment.metadata.labels?.[labels.bundle]}`,
        deployment: deployment as unknown as BundleDeployment,
      })),
      ...waiting.map((bundle) => ({ name: `Bundle ${bundle.metadata.name}`, deployment: undefined })),
    ];
    const clusters = Map.groupBy(found, (deployment) => deployment.metadata.namespace);
    const readyClusters = [...clusters.values()].filter(
      (group) =>
        summarizeState(group.map((deployment) => ({ name: '', deployment: deployment as unknown as BundleDeployment }))).state === 'Ready',
    );
    return { ...summarizeState(parts), clusters: clusters.size, readyClusters: readyClusters.length };
  }

  return runController({
    name: 'gitrepo',
    client: options.client,
    informers,
    clock: options.clock,
    log: options.log,
    signal: options.signal,
    backOff: { baseMs: 200, maxMs: 30_000 },
    sources: [
      source(gitRepoType, (repo) => [keyOf(repo)]),
      source(bundleType, (bundle) => {
        const repo = repoOf(bundle);
        return repo ? [`${bundle.metadata.namespace}/${repo}`] : [];
      }),
      source(bundleDeploymentType, (deployment) => {
        const repo = repoOf(deployment);
        return repo ? [`${deployment.metadata.labels?.[labels.bundleNamespace]}/${repo}`] : [];
      }),
    ],
    reconcile,
  });
}

const settled: readonly NewCondition[] = [
  { type: 'GitPolling', status: 'True' },
  { type: 'Accepted', status: 'True' },
  { type: 'Reconciling', status: 'False' },
  { type: 'Stalled', status: 'False' },
];

const stalled = (message: string): NewCondition[] => [
  { type: 'Stalled', status: 'True', reason: 'Stalled', message },
  { type: 'Reconciling', status: 'False' },
  { type: 'Ready', status: 'False', message },
];

/** The Bundle with what the platform wrote on the GitRepo. */
function carry(repo: StoredGitRepo, bundle: StoredBundle): StoredBundle {
  const { annotations: _annotations, labels: own = {}, ...metadata } = bundle.metadata;
  // The author of fleet.yaml may set labels, but none of ours.
  const kept = Object.fromEntries(Object.entries(own).filter(([label]) => !label.startsWith('desp.space/')));
  return {
    ...bundle,
    metadata: { ...metadata, labels: { ...kept, ...ofPlatform(repo.metadata.labels) }, annotations: ofPlatform(repo.metadata.annotations) },
  };
}

async function removeBundles(gone: readonly StoredBundle[], context: ReconcileContext): Promise<void> {
  for (const { metadata } of gone)
    await context.client.delete(bundleType, metadata.name, metadata.namespace, metadata.uid === undefined ? {} : { uid: metadata.uid });
}

/** Credentials as the GitRepo names them: its secret, else `gitcredential` where there is one. */
async function accessOf(spec: GitRepoSource, namespace: string, client: KubeClient): Promise<RemoteAccess> {
  const certificateAuthority =
    spec.caBundle === undefined ? {} : { certificateAuthority: Buffer.from(spec.caBundle, 'base64').toString('utf8') };
  const name = spec.clientSecretName || defaultSecret;
  const secret = await client.get(secretType, name, namespace);
  if (!secret && !spec.clientSecretName) return certificateAuthority;
  // The secret may come later: that is no mistake of the repository's.
  if (!secret)
    throw new ControllerError('UPSTREAM', `There is no secret ${namespace}/${name}.`, {
      kind: 'upstream',
      retryable: true,
      cure: 'Create it, of type kubernetes.io/basic-auth.',
    });
  const { username, password } = secret.data ?? {};
  if (secret.type !== 'kubernetes.io/basic-auth' || username === undefined || password === undefined) {
    throw new ControllerError(
      'UPSTREAM',
      `The secret ${namespace}/${name} is not of type kubernetes.io/basic-auth with username and password.`,
      {
        kind: 'upstream',
        retryable: true,
        cure: 'Repositories are read over HTTP with a user name and a token.',
      },
    );
  }
  const credentials = {
    username: Buffer.from(username, 'base64').toString('utf8'),
    password: Buffer.from(password, 'base64').toString('utf8'),
  };
  registerSecret(credentials.password);
  return { ...certificateAuthority, credentials };
}

/** For types in which a field is there or not, and never undefined. */
function withoutUnset<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
