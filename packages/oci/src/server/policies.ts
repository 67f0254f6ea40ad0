import type { PullDecision } from './types.ts';

/** Harbor's words for severities in its policy texts. */
export type HarborSeverity = 'Low' | 'Medium' | 'High' | 'Critical';

const policy = (severity: HarborSeverity) =>
  `configured policy in 'Prevent images with vulnerability severity of "${severity}" or higher from running.'`;

/** Harbor's refusal of an image with too severe vulnerabilities, word for word: scripts and people know it. */
export function harborPrevented({ count, severity }: { count: number; severity: HarborSeverity }): PullDecision {
  return {
    kind: 'prevented',
    message: `current image with ${count} ${count === 1 ? 'vulnerability' : 'vulnerabilities'} cannot be pulled due to ${policy(severity)} To continue with pull, please contact your project administrator to exempt matched vulnerabilities through configuring the CVE allowlist.`,
  };
}

/** Harbor's refusal of an image that nobody has judged yet. */
export function harborNotScanned({ severity }: { severity: HarborSeverity }): PullDecision {
  return {
    kind: 'prevented',
    message: `current image without vulnerability scanning cannot be pulled due to ${policy(severity)} To continue with pull, please contact your project administrator for help.`,
  };
}

/** Harbor's refusal of an image whose scan is under way or failed. */
export function harborScanPending({
  severity,
  status,
}: {
  severity: HarborSeverity;
  status: 'Pending' | 'Running' | 'Error';
}): PullDecision {
  return {
    kind: 'prevented',
    message: `current image with "${status}" status of vulnerability scanning cannot be pulled due to ${policy(severity)} To continue with pull, please contact your project administrator for help.`,
  };
}

export const allowPull: PullDecision = { kind: 'allow' };
