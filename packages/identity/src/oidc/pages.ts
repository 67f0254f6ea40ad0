import { createHash } from 'node:crypto';

/**
 * The provider's own pages, as text. They need no script, so none may run; the one style sheet is allowed by its hash. They
 * follow the reader's light or dark scheme, work with the keyboard alone, and tell what is wrong in words (WCAG 2.2 AA).
 */
const style = `
:root { color-scheme: light dark; --ink: #14202b; --soft: #4a5a68; --ground: #f4f6f8; --card: #ffffff; --line: #76838f; --act: #0b5cad; --on-act: #ffffff; --wrong: #a3141b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #aab6c1; --ground: #10171d; --card: #1a242d; --line: #7f8d99; --act: #7db8f5; --on-act: #0a1a2a; --wrong: #ff9a94; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100%); background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 2rem; }
h1 { font-size: 1.375rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; }
.soft { color: var(--soft); }
.wrong { color: var(--wrong); border-left: .25rem solid; padding-left: .75rem; }
label { display: block; font-weight: 600; margin-top: 1rem; }
input { width: 100%; font: inherit; margin-top: .25rem; padding: .5rem .75rem; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .25rem; }
.code { font: 600 1.5rem/1.5 ui-monospace, monospace; letter-spacing: .1em; }
button { font: inherit; font-weight: 600; width: 100%; margin-top: 1.5rem; padding: .625rem; color: var(--on-act); background: var(--act); border: 1px solid var(--act); border-radius: .25rem; cursor: pointer; }
button.second { margin-top: .75rem; color: var(--ink); background: transparent; border-color: var(--line); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
`;

/** The style sheet's hash, as a policy names it. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/** Text as it may stand in an element or a quoted attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export interface Page {
  readonly title: string;
  /** What went wrong, in words; announced to screen readers. */
  readonly wrong?: string | undefined;
  /** HTML, escaped by whoever made it. */
  readonly body: string;
}

export const renderPage = ({ title, wrong, body }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} – DESP</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${wrong === undefined ? '' : `<p class="wrong" id="wrong" role="alert">${escapeHtml(wrong)}</p>`}
${body}
</main>
</body>
</html>
`;

const described = (wrong: string | undefined) => (wrong === undefined ? '' : ' aria-invalid="true" aria-describedby="wrong"');

/** Name and password. `proof` ties the form to the visitor's own interaction. */
export function loginPage(form: {
  action: string;
  proof: string;
  client: string;
  person?: string | undefined;
  wrong?: string | undefined;
}): string {
  return renderPage({
    title: 'Log in',
    wrong: form.wrong,
    body: `<p class="soft">to go on to ${escapeHtml(form.client)}</p>
<form method="post" action="${escapeHtml(form.action)}">
<input type="hidden" name="proof" value="${escapeHtml(form.proof)}">
<label for="person">Name</label>
<input id="person" name="person" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="64" value="${escapeHtml(form.person ?? '')}"${form.person === undefined ? ' autofocus' : ''}${described(form.wrong)}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${form.person === undefined ? '' : ' autofocus'}${described(form.wrong)}>
<button type="submit">Log in</button>
</form>`,
  });
}

/** Where a person types the code that a device shows. */
export function deviceCodePage(form: { action: string; xsrf: string; code: string; wrong?: string | undefined }): string {
  return renderPage({
    title: 'Connect a device',
    wrong: form.wrong,
    body: `<p>Go on only if you have just started this yourself, in a program of your own that shows a code.</p>
<form method="post" action="${escapeHtml(form.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(form.xsrf)}">
<label for="user_code">Code</label>
<input class="code" id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required maxlength="20" value="${escapeHtml(form.code)}" autofocus${described(form.wrong)}>
<button type="submit">Go on</button>
</form>`,
  });
}

/** The person's yes or no to a device. */
export function deviceConfirmPage(form: {
  action: string;
  xsrf: string;
  code: string;
  client: string;
  person?: string | undefined;
}): string {
  const hidden = `<input type="hidden" name="xsrf" value="${escapeHtml(form.xsrf)}">
<input type="hidden" name="user_code" value="${escapeHtml(form.code)}">`;
  return renderPage({
    title: 'Is this your device?',
    body: `<p>${escapeHtml(form.client)} asks to act ${form.person === undefined ? 'for you' : `as <strong>${escapeHtml(form.person)}</strong>`}. It must show this code:</p>
<p class="code">${escapeHtml(form.code)}</p>
<form method="post" action="${escapeHtml(form.action)}">
${hidden}
<button type="submit" name="confirm" value="yes">Yes, go on</button>
<button type="submit" class="second" name="abort" value="yes">No, refuse it</button>
</form>`,
  });
}

export function logoutPage(form: { action: string; xsrf: string }): string {
  return renderPage({
    title: 'Log out?',
    body: `<form method="post" action="${escapeHtml(form.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(form.xsrf)}">
<button type="submit" name="logout" value="yes">Yes, log out</button>
<button type="submit" class="second">No, stay</button>
</form>`,
  });
}

export const messagePage = (title: string, text: string, wrong = false): string =>
  renderPage({ title, ...(wrong ? { wrong: text, body: '' } : { body: `<p>${escapeHtml(text)}</p>` }) });
