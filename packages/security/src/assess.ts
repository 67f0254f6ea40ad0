import type { Verdict } from '@desp/model';
import { type JudgeInput, judge } from './gate/judge.ts';
import type { Inventory } from './image/inventory.ts';
import type { ImageSource } from './image/source.ts';
import { type Sbom, writeSbom } from './sbom/cyclonedx.ts';
import { takeInventory } from './sbom/take-inventory.ts';

export interface Assessment {
  readonly inventory: Inventory;
  readonly sbom: Sbom;
  readonly verdict: Verdict;
}

/** The gate's whole work on one image: inventory, SBOM, verdict. Throws nothing that the image can cause. */
export async function assessImage(source: ImageSource, input: Omit<JudgeInput, 'inventory' | 'sbom'>): Promise<Assessment> {
  const inventory = await takeInventory(source);
  const sbom = await writeSbom({ inventory, name: input.subject.name, at: input.now });
  return { inventory, sbom, verdict: await judge({ ...input, inventory, sbom: sbom.digest }) };
}
