/**
 * The sessions that hosts have begun with a server, each with a hello of a number larger than the one before. A hello that
 * was overtaken, because it came over a connection that its host had given up, must not end the session that overtook it:
 * that host would not notice.
 */
export class Sessions {
  readonly #last = new Map<string, number>();

  /** @returns the host's last session where this hello is not from after that; else it is the last one now. */
  begin(host: string, session: number): number | undefined {
    const last = this.#last.get(host);
    if (last !== undefined && session <= last) return last;
    this.#last.set(host, session);
    return undefined;
  }

  /** @returns the host's last session where that is another one. */
  laterThan(host: string, session: number): number | undefined {
    const last = this.#last.get(host);
    return last === session ? undefined : last;
  }
}
