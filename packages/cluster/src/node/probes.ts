import type { Container, Probe } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { handle } from './handler.ts';

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
      const failure = await handle(probe, prober.target, timeoutSeconds * 1000, signal);
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
