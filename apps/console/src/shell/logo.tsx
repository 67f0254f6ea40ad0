export function Logo() {
  return (
    <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#264fa8" />
      <path d="M8 16h16" stroke="#fff" strokeWidth="2.5" strokeLinecap="round" />
      <circle cx="8" cy="16" r="3.5" fill="#fff" />
      <circle cx="24" cy="16" r="3" fill="#264fa8" stroke="#fff" strokeWidth="2.5" />
    </svg>
  );
}
