import { detectEngine, EngineError, type EngineService, engineSocketIn, startEngineService } from '@desp/engine';
import type { DataFolder } from '@desp/storage';

/** The container engine, or what is missing for one. Stopping leaves containers running: they outlive the platform on purpose. */
export type Engine = { readonly service: EngineService; stop(): Promise<void> } | { readonly missing: string; stop(): Promise<void> };

/** Where the engine will answer, known before it does; undefined where there is none. */
export const engineSocket = (data: DataFolder): string | undefined =>
  detectEngine().usable ? engineSocketIn(data.file('engine')) : undefined;

/** @param registries addresses that answer over plain HTTP, on loopback */
export async function startEngine(data: DataFolder, registries: readonly URL[]): Promise<Engine> {
  const report = detectEngine();
  if (!report.usable) {
    const missing = report.missing.map(({ what, cure }) => `${what}: ${cure}`).join('; ');
    return { missing: `Nothing can be built or run here. ${missing}`, stop: async () => {} };
  }
  try {
    const service = await startEngineService({ dataFolder: data.file('engine'), registries: registries.map(registryEntry).join('\n') });
    return { service, stop: () => service.stop() };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { missing: `${error.message}${error.cure ? ` ${error.cure}` : ''}`, stop: async () => {} };
  }
}

/** containers-registries.conf(5): loopback has no TLS to check. */
const registryEntry = (url: URL): string => `[[registry]]\nlocation = "${url.host}"\ninsecure = ${url.protocol === 'http:'}\n`;
