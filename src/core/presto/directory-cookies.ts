/**
 * The offsets of one open directory as the kernel above gets them. Those of ext3 and ext4 are 63-bit hashes, which a
 * JavaScript number cannot hold; so each is given a small number, good until the directory is rewound or closed: what
 * POSIX promises for telldir(3).
 */
export class DirectoryCookies {
  #offsets = new BigInt64Array(64);
  #count = 0;
  #next = 0;
  /** The cookie at which the lower descriptor stands; -1 where it has to be positioned first. */
  position = 0;

  /** The lower offset for a cookie; undefined for one that was never given. 0 rewinds. */
  seek(cookie: number): bigint | undefined {
    if (cookie === 0) this.#count = 0;
    if (cookie > this.#count) return undefined;
    this.position = cookie;
    return cookie === 0 ? 0n : this.#offsets[cookie - 1];
  }

  /** The cookie for the entry whose lower offset is `offset`, if the entry is given. */
  next(offset: bigint): number {
    if (this.#count === this.#offsets.length) {
      const larger = new BigInt64Array(this.#count * 2);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[this.#count] = offset;
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
