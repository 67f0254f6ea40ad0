import { Skeleton } from '@mantine/core';

/** The place of what is being fetched, in its shape; a screen reader hears what. */
export function Loading({ what, lines }: { what: string; lines: number }) {
  return (
    <div role="status" aria-label={`Loading: ${what}`}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines without identity that never change places
        <Skeleton key={line} height={18} mt={line === 0 ? 0 : 12} width={`${92 - ((line * 17) % 40)}%`} />
      ))}
    </div>
  );
}
