import { PARK } from '../fuse/port.js';
import { E } from '../system/errno.js';

/** What a fileset does with updates while its host is cut off: goes on and journals them, or refuses them. */
export type DisconnectedPolicy = 'write' | 'readonly';

/**
 * - `disconnected`: nobody to ask (no lento, or no link to the server): the policy decides.
 * - `absent`: another host may hold the permit; it has to be asked for.
 * - `held`: this host may update.
 */
export type PermitState = 'disconnected' | 'absent' | 'held';

/**
 * The door every update passes. With the permit it is one comparison; without, the request is parked and the permit
 * asked for once, however many wait.
 */
export class PermitGate {
  #state: PermitState = 'disconnected';
  #asked = false;
  #frozen = false;
  #askedTimer: NodeJS.Timeout | undefined;
  /** Requests that found the door shut since it was last open: the user waits for each of them. */
  waits = 0;

  constructor(
    private readonly policy: () => DisconnectedPolicy,
    /** Sends the upcall. */
    private readonly ask: () => void,
    /** The door may have opened: parked requests are to be tried again. */
    private readonly retry: () => void,
    private readonly upcallMs: number,
    private readonly onTimeout: () => void,
  ) {}

  get state(): PermitState {
    return this.#state;
  }

  /** Updates may be made now, without asking anybody. */
  get isOpen(): boolean {
    return this.#state === 'held' || (this.#state === 'disconnected' && this.policy() === 'write');
  }

  /** Nobody may update for now, whoever has the permit. */
  get isFrozen(): boolean {
    return this.#frozen;
  }

  /** @returns 0: go on; PARK: later; -EROFS: cut off, and the fileset is read-only then. */
  enter(): number {
    if (this.#frozen) return PARK;
    if (this.#state === 'held') return 0;
    if (this.#state === 'disconnected') return this.policy() === 'write' ? 0 : -E.EROFS;
    this.waits++;
    if (!this.#asked) {
      this.#asked = true;
      this.ask();
      this.#wait();
    }
    return PARK;
  }

  #wait(): void {
    this.#askedTimer = setTimeout(() => {
      // A lento that does not answer counts as a lost one: users are not made to wait for ever.
      this.onTimeout();
      this.set('disconnected');
    }, this.upcallMs);
    this.#askedTimer.unref();
  }

  /**
   * lento lives, and knows whether the link does. Before the permit can be used large contents may have to come over a
   * slow network; who went on meanwhile as if cut off would have a history of his own for it.
   */
  alive(): void {
    if (!this.#asked) return;
    clearTimeout(this.#askedTimer);
    this.#wait();
  }

  /** While the tree is on its way from one state to another, nobody updates it, whoever has the permit. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    this.#frozen = false;
    this.retry();
  }

  /** Parked requests are tried again whatever the new state is: where they have to wait on, they ask anew. */
  set(state: PermitState): void {
    this.#state = state;
    this.#asked = false;
    clearTimeout(this.#askedTimer);
    this.retry();
  }
}
