/**
 * The offsets of one open directory as the kernel above gets them. Those of ext3 and ext4 are 63-bit hashes, which a
 * JavaScript number cannot hold; so each is given a small number, good until the directory is rewound or closed: what
 * POSIX promises for telldir(3).
 */
export class DirectoryCookies {
  /** Two words each. No bigints: one is made for every entry of a directory otherwise. */
  #offsets = new Uint32Array(128);
  #count = 0;
  #next = 0;
  /** The cookie at which the lower descriptor stands; -1 where it has to be positioned first. */
  position = 0;

  /** The lower offset for a cookie; undefined for one that was never given. 0 rewinds. */
  seek(cookie: number): bigint | undefined {
    if (cookie === 0) this.#count = 0;
    if (cookie > this.#count) return undefined;
    this.position = cookie;
    if (cookie === 0) return 0n;
    const [low = 0, high = 0] = this.#offsets.subarray(2 * cookie - 2, 2 * cookie);
    return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  }

  /** The cookie for the entry whose lower offset has these two words, if the entry is given. */
  next(low: number, high: number): number {
    const at = 2 * this.#count;
    if (at === this.#offsets.length) {
      const larger = new Uint32Array(2 * at);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[at] = low;
    this.#offsets[at + 1] = high;
    this.#next = this.#count + 1;
    return this.#next;
  }

  /** The entry was given to the kernel. */
  given(): void {
    this.#count = this.#next;
    this.position = this.#next;
  }

  /** The lower descriptor has been read further than the kernel has got. */
  lost(): void {
    this.position = -1;
  }
}
