/** What may be wider than its place: it scrolls, and the keyboard reaches it to do so (WCAG 2.1.1). */
export function ScrollRegion({ label, className, children }: { label: string; className: string | undefined; children: React.ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls takes the focus
    <section className={className} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
