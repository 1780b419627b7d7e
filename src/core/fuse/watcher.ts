/** One request, as whoever watches a mount is shown it: used again for the next one. */
export class SeenRequest {
  /** Tells it apart from others while it waits. */
  id = 0;
  /** `mkdir`, `read`: the kernel's names, in small letters. */
  operation = '';
  uid = 0;
  gid = 0;
  /** The thread that asks; 0 where the kernel does not say. */
  thread = 0;
  /** What it is about: a NodeId, or a name in that directory; and the same for where it goes. Names are bytes. */
  node = 0;
  name: string | undefined = undefined;
  toNode = 0;
  toName: string | undefined = undefined;
  /** In place of these where the kernel asks by path. */
  path: string | undefined = undefined;
  toPath: string | undefined = undefined;
  /** When it came, of performance.now(). */
  since = 0;
}

/** Sees the requests of a mount, one after the other: each `begin` has its `end` before the next one. */
export interface RequestWatcher {
  /** It is about to be served, for the first time or again; who asks waits, so /proc still has him. */
  begin(seen: SeenRequest): void;
  /**
   * `result`: of the answer, a negated errno or 0; PARK where it goes on waiting. `bytes`: read or written.
   * `byKernel`: an opened file that the kernel reads itself from now on.
   */
  end(result: number, bytes: number, byKernel: boolean): void;
  /** A request that waited is answered without having been served. */
  dropped(id: number, result: number): void;
}
