const replacement = '[MASKED]';

/**
 * Hides secrets in a stream of text pieces, also when a secret is cut by a piece's end: as many characters are kept back
 * as could be the beginning of one. Each secret is hidden as it stands and in base64 in each of its three alignments.
 */
export class MaskingStream {
  readonly #secrets: readonly string[];
  readonly #keep: number;
  #held = '';

  /** Secrets under 6 characters would hide half of the text: they are left out. */
  constructor(secrets: readonly string[]) {
    const forms = secrets.filter((secret) => secret.length >= 6).flatMap((secret) => [secret, ...base64Forms(secret)]);
    this.#secrets = [...new Set(forms)].sort((a, b) => b.length - a.length);
    this.#keep = Math.max(0, ...this.#secrets.map((secret) => secret.length - 1));
  }

  /** @returns what may be shown by now */
  push(text: string): string {
    const whole = this.#hide(this.#held + text);
    let cut = whole.length;
    for (let length = Math.min(this.#keep, whole.length); length > 0; length--) {
      const end = whole.slice(whole.length - length);
      if (this.#secrets.some((secret) => secret.startsWith(end))) {
        cut = whole.length - length;
        break;
      }
    }
    this.#held = whole.slice(cut);
    return whole.slice(0, cut);
  }

  /** @returns the rest */
  end(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }

  #hide(text: string): string {
    let hidden = text;
    for (const secret of this.#secrets) if (hidden.includes(secret)) hidden = hidden.replaceAll(secret, replacement);
    return hidden;
  }
}

/** The characters of a secret's base64 form that do not depend on what stands before or after it. */
function base64Forms(secret: string): string[] {
  return [0, 1, 2]
    .map((shift) => {
      const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64');
      const start = Math.ceil((shift * 8) / 6);
      const end = Math.floor(((shift + Buffer.byteLength(secret)) * 8) / 6);
      return encoded.slice(start, end);
    })
    .filter((form) => form.length >= 6);
}
