import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildBaseImage, buildImage, type EngineService, type ImageLayout, runJob, standardJobLimits } from '@desp/engine';
import { Digest } from '@desp/model';
import { parseDigest, type RegistryClient } from '@desp/oci';
import type { DataFolder } from '@desp/storage';
import { z } from 'zod';
import type { Builder } from '../builder.ts';

/** Names that a Dockerfile's FROM may use; the platform builds them from this machine's own files, for there is no other source offline. */
export const baseImageNames = ['desp/node:24', 'desp/static:1'] as const;

const Index = z.object({ manifests: z.array(z.object({ digest: z.string() })).length(1) });
const Manifest = z.object({
  mediaType: z.string(),
  config: z.object({ digest: z.string(), size: z.number() }),
  layers: z.array(z.object({ digest: z.string(), size: z.number() })),
});

/** Builds and jobs on the machine's container engine. Base images are made at their first use and kept. */
export function createEngineBuilder(options: {
  engine: EngineService;
  data: DataFolder;
  quarantine: RegistryClient;
  commandLine: string;
}): Builder {
  const { engine, data, quarantine } = options;
  const bases = new Map<string, Promise<ImageLayout>>();
  const base = (name: string): Promise<ImageLayout> => {
    const folder = data.file('base-images', name.replace(/[^a-z0-9]/g, '-'));
    const made =
      bases.get(name) ??
      buildBaseImage(
        name.startsWith('desp/job')
          ? { kind: 'job', commandLine: options.commandLine }
          : name.startsWith('desp/node')
            ? { kind: 'node', shell: true }
            : { kind: 'static' },
        folder,
      );
    bases.set(name, made);
    made.catch(() => bases.delete(name));
    return made;
  };
  return {
    async build(request) {
      const output = data.file('builds', request.id);
      rmSync(output, { recursive: true, force: true });
      mkdirSync(output, { recursive: true });
      try {
        const layouts = await Promise.all(baseImageNames.map(async (name) => [name, (await base(name)).layout] as const));
        const image = await buildImage(engine.podman, {
          id: request.id,
          context: request.context,
          contextFolder: request.folder,
          dockerfile: request.dockerfile,
          buildArgs: request.buildArgs,
          baseImages: Object.fromEntries(layouts),
          output: join(output, 'image'),
          onLog: request.onLog,
          signal: request.signal,
        });
        return { digest: await pushLayout(quarantine, request.target, image.layout) };
      } finally {
        rmSync(output, { recursive: true, force: true });
      }
    },
    async run(request) {
      const result = await runJob(engine.podman, {
        id: request.id,
        project: request.project,
        image: await base('desp/job'),
        variables: { ...request.env, DESP_JOB_SOCKET: `/desp/${basename(request.socket)}` },
        before: request.before,
        script: request.script,
        after: request.after,
        source: request.source,
        apiSocket: request.socket,
        secrets: request.secrets,
        limits: { ...standardJobLimits, timeoutMs: request.timeoutSeconds * 1000 },
        onLog: request.onLog,
        signal: request.signal,
      });
      return { exitCode: result.exitCode, reason: result.message };
    },
  };
}

/** Pushes a finished build: blobs, then the manifest under its tag. The layout is a stranger's work: only digests name files in it. */
async function pushLayout(registry: RegistryClient, target: { repository: string; tag: string }, layout: string): Promise<Digest> {
  const blobFile = (digest: string) => join(layout, 'blobs', 'sha256', Digest.parse(digest).slice('sha256:'.length));
  const index = Index.parse(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')));
  const digest = Digest.parse(index.manifests[0]?.digest);
  const bytes = readFileSync(blobFile(digest));
  const manifest = Manifest.parse(JSON.parse(bytes.toString('utf8')));
  for (const blob of [...manifest.layers, manifest.config]) {
    const file = blobFile(blob.digest);
    if (!existsSync(file)) throw new Error(`The build lacks its blob ${blob.digest}.`);
    await registry.pushBlob(target.repository, { digest: parseDigest(blob.digest), size: statSync(file).size }, () =>
      createReadStream(file),
    );
  }
  await registry.pushManifest(target.repository, target.tag, { mediaType: manifest.mediaType, bytes });
  return digest;
}
