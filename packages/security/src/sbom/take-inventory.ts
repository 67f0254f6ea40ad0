import { messageOf } from '@desp/runtime/errors';
import { SecurityError } from '../errors.ts';
import { LayeredFileSystem } from '../image/file-system.ts';
import type { FoundPackage, Inventory, InventoryProblem, OperatingSystem, UnownedFile } from '../image/inventory.ts';
import type { ImageSource, LayerEntry } from '../image/source.ts';
import { type AlpinePackage, parseApkInstalled } from './apk.ts';
import { collectFact, type FileFact, TextBudget } from './collect.ts';
import { parseDpkgStatus, parseFileList, parseMd5Sums } from './dpkg.ts';
import { parseOsRelease } from './operating-system.ts';
import { alpinePurl, debianPurl, golangPurl, npmPurl, pythonPurl } from './purls.ts';

/**
 * Reads an image once, from the base upwards, and tells what the final file system holds and who owns it.
 *
 * The rule that everything rests on: a file that a distribution's package manager owns is judged by the distribution's
 * advisories alone, never by upstream's, since distributions mend without raising upstream's version. A claim of
 * ownership is believed only where distribution packages may put files (Debian Policy 9.1, FHS 3.0); elsewhere an image
 * could call anything its own by writing it into dpkg's lists.
 */
type FileSystem = LayeredFileSystem<FileFact>;

const neverOwned = /^(?:usr\/local|opt|srv|home|app|workspace|data|mnt|media|tmp|run)\//;
/** Folders that Debian merged into /usr (usrmerge). */
const mergedUsr = /^(?:s?bin|lib(?:32|64|x32)?)\//;
const problemsShown = 100;
const maximumPackages = 50_000;
const maximumUnowned = 10_000;

async function layOut(source: ImageSource): Promise<{ files: FileSystem; layers: string[]; count: number; problems: InventoryProblem[] }> {
  const files: FileSystem = new LayeredFileSystem();
  const layers: string[] = [];
  const problems: InventoryProblem[] = [];
  const budget = new TextBudget();
  let count = 0;
  try {
    for await (const layer of source.layers) {
      layers.push(layer.digest);
      const index = layers.length - 1;
      try {
        for await (const entry of layer.entries) {
          count++;
          await putEntry(files, entry, index, budget);
        }
      } catch (error) {
        problems.push({ what: `layer ${layer.digest}`, why: messageOf(error) });
      }
    }
  } catch (error) {
    problems.push({ what: 'the list of layers', why: messageOf(error) });
  }
  return { files, layers, count, problems };
}

async function putEntry(files: FileSystem, entry: LayerEntry, layer: number, budget: TextBudget): Promise<void> {
  if (entry.kind === 'hardlink') {
    const target = files.at(entry.linkTarget ?? '');
    if (!target || target.kind === 'directory') {
      throw new SecurityError(
        'ARCHIVE_INVALID',
        `The hard link ${JSON.stringify(entry.path.slice(0, 200))} leads to a file that is not there.`,
      );
    }
    files.put(entry.path, { ...target, layer });
    return;
  }
  const whiteout = /(?:^|\/)\.wh\.[^/]*$/.test(entry.path);
  const fact = entry.kind === 'file' && !whiteout ? await collectFact(entry, budget) : undefined;
  files.put(entry.path, {
    kind: entry.kind,
    layer,
    ...(entry.linkTarget === undefined ? {} : { linkTarget: entry.linkTarget }),
    ...(fact ? { fact } : {}),
  });
}

interface Owned {
  readonly packages: FoundPackage[];
  /** Real paths that a distribution's package owns. */
  readonly paths: Set<string>;
}

class InventoryReader {
  readonly problems: InventoryProblem[];
  readonly #files: FileSystem;
  readonly #layers: readonly string[];

  constructor(files: FileSystem, layers: readonly string[], problems: InventoryProblem[]) {
    this.#files = files;
    this.#layers = layers;
    this.problems = problems;
  }

  layerOf(path: string): string {
    return this.#layers[this.#files.at(path)?.layer ?? -1] ?? '';
  }

  #attempt<T>(path: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.problems.push({ what: path, why: messageOf(error) });
      return undefined;
    }
  }

  operatingSystem(): OperatingSystem | undefined {
    for (const name of ['etc/os-release', 'usr/lib/os-release']) {
      const path = this.#files.resolve(name);
      const fact = path === undefined ? undefined : this.#files.at(path)?.fact;
      if (fact?.kind === 'text') return parseOsRelease(fact.text);
    }
    return undefined;
  }

  #own(paths: Set<string>, claimed: readonly string[]): void {
    for (const name of claimed) {
      // Package lists name files by the path they were built with; `/lib` may since be a link into `/usr`, or gone.
      const slash = name.lastIndexOf('/');
      const parent = slash < 0 ? '' : name.slice(0, slash);
      const folder = this.#files.resolve(parent) ?? (mergedUsr.test(name) ? this.#files.resolve(`usr/${parent}`) : undefined);
      if (folder === undefined) continue;
      const path = folder === '' ? name.slice(slash + 1) : `${folder}/${name.slice(slash + 1)}`;
      if (!neverOwned.test(path)) paths.add(path);
    }
  }

  distribution(system: OperatingSystem | undefined): Owned {
    const owned: Owned = { packages: [], paths: new Set() };
    for (const [path, record] of this.#files.entries()) {
      const fact = record.fact;
      if (fact?.kind === 'rpm-database') {
        this.problems.push({ what: path, why: 'the image is built from rpm packages, whose database is not read here' });
      }
      if (fact?.kind === 'unreadable' && fact.fatal) this.problems.push({ what: path, why: fact.why });
      if (fact?.kind !== 'text') continue;
      if (fact.role === 'dpkg-list') this.#own(owned.paths, parseFileList(fact.text));
      if (fact.role === 'dpkg-md5sums') this.#own(owned.paths, parseMd5Sums(fact.text));
      if (fact.role === 'dpkg-status') owned.packages.push(...this.#debian(path, fact.text, system));
      if (fact.role === 'apk-installed') owned.packages.push(...this.#alpine(path, fact.text, system, owned.paths));
    }
    return owned;
  }

  #debian(path: string, text: string, system: OperatingSystem | undefined): FoundPackage[] {
    const found = this.#attempt(path, () => parseDpkgStatus(text)) ?? [];
    return found.map((item) => ({
      manager: 'dpkg',
      purl: debianPurl(item, system),
      name: item.name,
      version: item.version,
      ecosystem: system?.ecosystem ?? 'unknown',
      source: item.source,
      locations: [path],
      layer: this.layerOf(path),
    }));
  }

  #alpine(path: string, text: string, system: OperatingSystem | undefined, paths: Set<string>): FoundPackage[] {
    const found = this.#attempt(path, () => parseApkInstalled(text)) ?? [];
    for (const item of found) this.#own(paths, item.files);
    return found.map((item: AlpinePackage) => ({
      manager: 'apk',
      purl: alpinePurl(item, system),
      name: item.name,
      version: item.version,
      ecosystem: system?.ecosystem ?? 'unknown',
      source: { name: item.origin, version: item.version },
      locations: [path],
      layer: this.layerOf(path),
    }));
  }

  /** Packages of languages, and programs that nobody owns. */
  rest(ownedPaths: ReadonlySet<string>): { packages: FoundPackage[]; unowned: UnownedFile[] } {
    const packages: FoundPackage[] = [];
    const unowned: UnownedFile[] = [];
    for (const [path, record] of this.#files.entries()) {
      const fact = record.fact;
      if (!fact || ownedPaths.has(path)) continue;
      const layer = this.layerOf(path);
      if (fact.kind === 'unreadable' && !fact.fatal) unowned.push({ path, layer, why: fact.why });
      if (fact.kind === 'manifest') {
        const purl = fact.manager === 'npm' ? npmPurl(fact.name, fact.version) : pythonPurl(fact.name, fact.version);
        const ecosystem = fact.manager === 'npm' ? 'npm' : 'PyPI';
        packages.push({ manager: fact.manager, purl, name: fact.name, version: fact.version, ecosystem, locations: [path], layer });
      }
      if (fact.kind !== 'program') continue;
      if (fact.go.kind === 'found') {
        const { goVersion, main, modules } = fact.go.info;
        const toolchain = { path: 'stdlib', version: goVersion.replace(/^go/, '').split(' ')[0] as string };
        for (const module of [toolchain, ...modules]) {
          packages.push({
            manager: 'go',
            purl: golangPurl(module.path, module.version),
            name: module.path,
            version: module.version,
            ecosystem: 'Go',
            locations: [path],
            layer,
          });
        }
        if (!main) unowned.push({ path, layer, why: 'a Go program that names its toolchain but not its modules' });
      } else if (fact.go.kind === 'unreadable') {
        unowned.push({ path, layer, why: 'a Go program whose build information is not in the form that Go 1.18 and later write' });
      } else if (!npmOwner.test(path) && !pythonOwner.test(path)) {
        unowned.push({ path, layer, why: `${fact.format} file that no package owns` });
      }
    }
    return { packages, unowned };
  }
}

const npmOwner = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\//;
const pythonOwner = /(?:^|\/)(?:site|dist)-packages\/[^/]+/;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The inventory of an image. Never throws for what the image holds: what cannot be read is a problem in the result,
 * and an image with a problem never passes.
 */
export async function takeInventory(source: ImageSource): Promise<Inventory> {
  const { files, layers, count, problems } = await layOut(source);
  const reader = new InventoryReader(files, layers, problems);
  const operatingSystem = reader.operatingSystem();
  const distribution = reader.distribution(operatingSystem);
  const rest = reader.rest(distribution.paths);
  const packages = [...distribution.packages, ...rest.packages];
  packages.sort(
    (a, b) =>
      byText(a.manager, b.manager) ||
      byText(a.name, b.name) ||
      byText(a.version, b.version) ||
      byText(a.locations[0] ?? '', b.locations[0] ?? ''),
  );
  if (layers.length === 0) problems.push({ what: 'the image', why: 'it has no layers' });
  const merged = bound(mergeLocations(packages), maximumPackages, 'packages', problems);
  const unowned = bound(rest.unowned, maximumUnowned, 'programs that no package owns', problems);
  return {
    subject: source.digest,
    ...(operatingSystem ? { operatingSystem } : {}),
    packages: merged,
    unowned,
    problems:
      problems.length <= problemsShown
        ? problems
        : [...problems.slice(0, problemsShown), { what: 'the image', why: `${problems.length - problemsShown} more problems` }],
    layers,
    files: count,
  };
}

/** The same package in several places is one package with several locations, all of which an advisory concerns. */
function mergeLocations(sorted: readonly FoundPackage[]): FoundPackage[] {
  const merged: (FoundPackage & { locations: string[] })[] = [];
  for (const item of sorted) {
    const last = merged.at(-1);
    if (last && last.manager === item.manager && last.purl === item.purl) last.locations.push(...item.locations);
    else merged.push({ ...item, locations: [...item.locations] });
  }
  return merged;
}

/** An image that holds more of something than anybody could judge is not read wholly, and says so. */
function bound<T>(items: readonly T[], limit: number, what: string, problems: InventoryProblem[]): readonly T[] {
  if (items.length <= limit) return items;
  problems.push({ what: 'the image', why: `it holds ${items.length} ${what}; at most ${limit} are judged` });
  return items.slice(0, limit);
}
