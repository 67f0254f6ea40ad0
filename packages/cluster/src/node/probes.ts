import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import type { Container, HttpGet, Probe } from '@desp/kube';
import { type Clock, messageOf, run } from '@desp/runtime';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProbeTarget {
  readonly podKey: string;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** What the probes of one running container have found so far. */
export interface ProbeVerdict {
  readonly started: boolean;
  readonly ready: boolean;
  /** Why the container must be started again; undefined while it lives. */
  readonly killed: string | undefined;
}

export interface Probes {
  /** Probes exactly these containers from now on. */
  sync(podKey: string, targets: readonly ProbeTarget[]): void;
  verdict(containerId: string): ProbeVerdict | undefined;
  stop(): void;
}

export interface ProbeOptions {
  readonly clock: Clock;
  /** A verdict changed. */
  onChange(podKey: string): void;
  /** A probe failed; the kubelet's words for an event. */
  onFailure(target: ProbeTarget, kind: ProbeKind, message: string): void;
}

interface Prober {
  readonly target: ProbeTarget;
  readonly stop: AbortController;
  verdict: ProbeVerdict;
}

/** Probes containers as the kubelet does: thresholds, periods, and nothing but the startup probe until that has succeeded. */
export function createProbes(options: ProbeOptions): Probes {
  const probers = new Map<string, Prober>();

  function change(prober: Prober, verdict: Partial<ProbeVerdict>): void {
    const next = { ...prober.verdict, ...verdict };
    if (JSON.stringify(next) === JSON.stringify(prober.verdict)) return;
    prober.verdict = next;
    options.onChange(prober.target.podKey);
  }

  async function follow(prober: Prober, kind: ProbeKind, probe: Probe): Promise<void> {
    const { clock } = options;
    const { signal } = prober.stop;
    const { initialDelaySeconds = 0, periodSeconds = 10, timeoutSeconds = 1, successThreshold = 1, failureThreshold = 3 } = probe;
    await clock.sleep(initialDelaySeconds * 1000, signal);
    let succeeded = 0;
    let failed = 0;
    while (!signal.aborted) {
      const failure = await probeOnce(probe, prober.target, timeoutSeconds * 1000, signal);
      if (signal.aborted) return;
      if (failure === undefined) {
        failed = 0;
        succeeded += 1;
        if (succeeded >= successThreshold) {
          if (kind === 'startup') return change(prober, { started: true });
          if (kind === 'readiness') change(prober, { ready: true });
        }
      } else {
        succeeded = 0;
        failed += 1;
        options.onFailure(prober.target, kind, failure);
        if (failed >= failureThreshold) {
          if (kind === 'readiness') change(prober, { ready: false });
          else return change(prober, { killed: `${kind} probe` });
        }
      }
      await clock.sleep(periodSeconds * 1000, signal);
    }
  }

  async function start(prober: Prober): Promise<void> {
    const { startupProbe, livenessProbe, readinessProbe } = prober.target.container;
    if (startupProbe !== undefined) await follow(prober, 'startup', startupProbe);
    if (!prober.verdict.started) return;
    if (readinessProbe === undefined) change(prober, { ready: true });
    await Promise.all([
      livenessProbe === undefined ? undefined : follow(prober, 'liveness', livenessProbe),
      readinessProbe === undefined ? undefined : follow(prober, 'readiness', readinessProbe),
    ]);
  }

  return {
    sync(podKey, targets) {
      const wanted = new Set(targets.map(({ containerId }) => containerId));
      for (const [id, prober] of probers) {
        if (prober.target.podKey !== podKey || wanted.has(id)) continue;
        prober.stop.abort();
        probers.delete(id);
      }
      for (const target of targets) {
        if (probers.has(target.containerId)) continue;
        const { startupProbe, readinessProbe } = target.container;
        const started = startupProbe === undefined;
        const verdict = { started, ready: started && readinessProbe === undefined, killed: undefined };
        const prober = { target, stop: new AbortController(), verdict };
        probers.set(target.containerId, prober);
        // It ends by the abort of its sleep.
        start(prober).catch(() => {});
      }
    },
    verdict: (id) => probers.get(id)?.verdict,
    stop() {
      for (const { stop } of probers.values()) stop.abort();
      probers.clear();
    },
  };
}

/** What is wrong, in the kubelet's words; undefined when all is well. */
async function probeOnce(probe: Probe, target: ProbeTarget, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    if (probe.exec !== undefined) return await probeCommand(probe.exec.command, target, timeoutMs, signal);
    const port = portOf((probe.httpGet ?? probe.tcpSocket)?.port, target.container);
    if (port === undefined) return 'the probe names a port that the container does not have';
    if (probe.httpGet !== undefined) return await probeHttp(probe.httpGet, target.podIp, port, timeoutMs);
    if (probe.tcpSocket !== undefined) return await probeTcp(target.podIp, port, timeoutMs);
    return 'the probe has no action that the rehearsal knows';
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * `runc exec`, not the engine's: each command through the engine's API leaves a process behind for five minutes. runc
 * gives the command the container's user, capabilities, filter and limits, which entering its namespaces would not.
 */
async function probeCommand(
  command: readonly string[],
  { containerId }: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await run(['runc', 'exec', containerId, ...command], { timeoutMs, signal, maxBytes: 64 * 1024, cwd: '/' });
  return result.code === 0 ? undefined : (result.stdout.toString('utf8') + result.stderr).slice(0, 1024).trim();
}

function probeHttp(action: HttpGet, host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  const secure = action.scheme?.toUpperCase() === 'HTTPS';
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`;
  const url = `${secure ? 'https' : 'http'}://${host}:${port}${path}`;
  const headers: Record<string, string> = { 'user-agent': 'kube-probe/1.32', accept: '*/*', connection: 'close' };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    // A pod's certificate is its own affair: the kubelet does not verify it either.
    const send = secure ? httpsGet : httpGet;
    const request = send(
      { host, port, path, headers, agent: false, timeout: timeoutMs, ...(secure ? { rejectUnauthorized: false } : {}) },
      (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`);
      },
    );
    const timer = setTimeout(
      () => request.destroy(new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)')),
      timeoutMs,
    );
    request.on('error', (error: NodeJS.ErrnoException) => {
      const refused = error.code === 'ECONNREFUSED' ? `dial tcp ${host}:${port}: connect: connection refused` : error.message;
      resolve(`Get "${url}": ${refused}`);
    });
    request.on('close', () => clearTimeout(timer));
  });
}

function probeTcp(host: string, port: number, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on('connect', () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('timeout', () => socket.destroy(new Error('i/o timeout')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve(`dial tcp ${host}:${port}: ${error.code === 'ECONNREFUSED' ? 'connect: connection refused' : error.message}`),
    );
  });
}

function portOf(port: number | string | undefined, container: Container): number | undefined {
  if (typeof port === 'number') return port;
  if (port !== undefined && /^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name !== undefined && name === port)?.containerPort;
}
