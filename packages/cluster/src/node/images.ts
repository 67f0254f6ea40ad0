import type { Container, KubeClient, Pod } from '@desp/kube';
import { type EventRecorder, type ServiceAccount, secretType, serviceAccountType } from '@desp/kube';
import { type Clock, messageOf } from '@desp/runtime';
import type { Engine, PullAuth } from './engine.ts';

/** One entry of a pull secret: who to be at a registry. */
export interface RegistryCredential {
  /** As it stands in the secret, a host with an optional path. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface ImageRequest {
  readonly image: string;
  readonly namespace: string;
  /** From the pod's own pull secrets and those of its ServiceAccount. */
  readonly credentials: readonly RegistryCredential[];
}

/** Decides which images may run. The node pulls nothing that this has not admitted. */
export interface ImageAdmission {
  /**
   * The exact image to run, by digest at the address where the registry really answers, and who to be there.
   * @throws an Error whose message is what the pod's owner reads: why not, and what to do.
   */
  admit(request: ImageRequest): Promise<{ readonly pullReference: string; readonly auth?: PullAuth }>;
}

/** First wait after a failed pull, and the longest. */
const backOff = { baseMs: 10_000, mostMs: 300_000 };

export type ImageResult =
  | { readonly kind: 'ready'; readonly imageId: string }
  | {
      readonly kind: 'waiting';
      readonly reason: 'ErrImagePull' | 'ErrImageNeverPull' | 'ImagePullBackOff';
      readonly message: string;
      readonly retryMs: number;
    };

/** Brings a container's image here, or says in the kubelet's words why it is not. */
export interface Images {
  ensure(pod: Pod, container: Container): Promise<ImageResult>;
  /** Forgets past failures of the namespace's pods, as after a change of a pull secret. */
  retry(namespace: string): void;
}

/** The pod wants no pull, and the image is not here. */
class NeverPulled extends Error {
  constructor(image: string) {
    super(`Container image "${image}" is not present with pull policy of Never`);
  }
}

export function createImages(parts: {
  client: KubeClient;
  engine: Engine;
  admission: ImageAdmission | undefined;
  recorder: EventRecorder;
  clock: Clock;
}): Images {
  const { client, engine, admission, recorder, clock } = parts;
  const failures = new Map<string, { count: number; until: number; message: string; namespace: string | undefined }>();

  async function credentialsOf(pod: Pod): Promise<RegistryCredential[]> {
    const { namespace } = pod.metadata;
    const account: ServiceAccount | undefined = await client.get(serviceAccountType, pod.spec.serviceAccountName ?? 'default', namespace);
    const names = new Set([...(pod.spec.imagePullSecrets ?? []), ...(account?.imagePullSecrets ?? [])].map(({ name }) => name));
    const found: RegistryCredential[] = [];
    for (const name of names) {
      const secret = await client.get(secretType, name, namespace);
      found.push(...parseDockerConfig(secret?.data?.['.dockerconfigjson']));
    }
    return found;
  }

  async function pull(pod: Pod, { image, name, imagePullPolicy }: Container): Promise<string> {
    if (admission === undefined) throw new Error('this cluster has no registry to pull from');
    const path = `spec.containers{${name}}`;
    const { pullReference, auth } = await admission.admit({
      image,
      namespace: pod.metadata.namespace ?? '',
      credentials: await credentialsOf(pod),
    });
    const present = await engine.imageId(pullReference);
    if (present !== undefined) {
      recorder.event(pod, 'Normal', 'Pulled', `Container image "${image}" already present on machine`, path);
      return present;
    }
    if (imagePullPolicy === 'Never') throw new NeverPulled(image);
    recorder.event(pod, 'Normal', 'Pulling', `Pulling image "${image}"`, path);
    const started = clock.monotonic();
    await engine.pull(pullReference, auth);
    const id = await engine.imageId(pullReference);
    if (id === undefined) throw new Error('the engine says that it pulled the image, and does not have it');
    recorder.event(pod, 'Normal', 'Pulled', `Successfully pulled image "${image}" in ${Math.round(clock.monotonic() - started)}ms`, path);
    return id;
  }

  return {
    async ensure(pod, container) {
      const key = `${pod.metadata.uid}/${container.name}`;
      const path = `spec.containers{${container.name}}`;
      const before = failures.get(key);
      const left = before === undefined ? 0 : before.until - clock.monotonic();
      if (before !== undefined && left > 0) {
        recorder.event(pod, 'Normal', 'BackOff', `Back-off pulling image "${container.image}"`, path);
        recorder.event(pod, 'Warning', 'Failed', 'Error: ImagePullBackOff', path);
        const message = `Back-off pulling image "${container.image}": ErrImagePull: ${before.message}`;
        return { kind: 'waiting', reason: 'ImagePullBackOff', message, retryMs: left };
      }
      try {
        const imageId = await pull(pod, container);
        failures.delete(key);
        return { kind: 'ready', imageId };
      } catch (error) {
        const message = messageOf(error);
        if (error instanceof NeverPulled) {
          recorder.event(pod, 'Warning', 'ErrImageNeverPull', message, path);
          return { kind: 'waiting', reason: 'ErrImageNeverPull', message, retryMs: backOff.baseMs };
        }
        const count = (before?.count ?? 0) + 1;
        const delay = Math.min(backOff.mostMs, backOff.baseMs * 2 ** (count - 1));
        failures.set(key, { count, until: clock.monotonic() + delay, message, namespace: pod.metadata.namespace });
        recorder.event(pod, 'Warning', 'Failed', `Failed to pull image "${container.image}": ${message}`, path);
        recorder.event(pod, 'Warning', 'Failed', 'Error: ErrImagePull', path);
        // The next look finds the back-off running and says so.
        return { kind: 'waiting', reason: 'ErrImagePull', message, retryMs: Math.min(delay, 1000) };
      }
    },
    retry(namespace) {
      for (const [key, failure] of failures) if (failure.namespace === namespace) failures.delete(key);
    },
  };
}

/** The entries of a `.dockerconfigjson` (Base64); what is malformed is left out, for then the registry's refusal says it. */
export function parseDockerConfig(base64: string | undefined): RegistryCredential[] {
  if (base64 === undefined) return [];
  try {
    const config = JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as {
      auths?: Record<string, { auth?: string; username?: string; password?: string }>;
    };
    return Object.entries(config.auths ?? {}).flatMap(([registry, entry]) => {
      const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
      const colon = decoded.indexOf(':');
      const username = entry.username ?? (colon > 0 ? decoded.slice(0, colon) : undefined);
      const password = entry.password ?? (colon > 0 ? decoded.slice(colon + 1) : undefined);
      return username === undefined || password === undefined ? [] : [{ registry, username, password }];
    });
  } catch {
    return [];
  }
}
