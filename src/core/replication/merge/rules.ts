/**
 * The rules of conflicts: what becomes of two updates of which neither saw the other. This table is all there is to decide;
 * docs/conflicts.md tells it with examples.
 */

/** The ways in which an update of the client and one of the server can collide. */
export type Collision =
  /** Both wrote the contents of one file. */
  | 'contents'
  /** Both gave one name to different objects. */
  | 'name'
  /** Both set one attribute, or one extended attribute, to different values. */
  | 'attribute'
  /** Both renamed one object, to different places. */
  | 'move'
  /** Each moved a directory below the other's. */
  | 'cycle'
  /** The client updated an object, or put something into a directory, that the server removed. */
  | 'update-removal'
  /** The client removed an object that the server updated, or a directory into which it put something. */
  | 'removal-update';

export type ConflictPolicy = 'keep-both' | 'server' | 'client' | 'manual';

export interface Verdict {
  /** Whose update stands. */
  readonly winner: 'server' | 'client';
  /** What becomes of the other's contents: a file beside, a version in the conflict store, or there are none to lose. */
  readonly loser: 'beside' | 'stored' | 'nothing';
  /** Somebody has to decide: shown until they have. */
  readonly open: boolean;
}

const SERVER_ALONE: Verdict = { winner: 'server', loser: 'nothing', open: false };
const CLIENT_ALONE: Verdict = { winner: 'client', loser: 'nothing', open: false };

const BY_POLICY: Readonly<Record<ConflictPolicy, Verdict>> = {
  'keep-both': { winner: 'server', loser: 'beside', open: false },
  server: { winner: 'server', loser: 'stored', open: false },
  client: { winner: 'client', loser: 'stored', open: false },
  manual: { winner: 'server', loser: 'stored', open: true },
};

export function verdictOn(collision: Collision, policy: ConflictPolicy): Verdict {
  switch (collision) {
    case 'contents':
    case 'name':
      return BY_POLICY[policy];
    case 'attribute':
    case 'move':
      return policy === 'client' ? CLIENT_ALONE : SERVER_ALONE;
    case 'cycle':
      return SERVER_ALONE;
    // An update always beats a removal: what was removed can be removed again, what was written cannot be written again.
    case 'update-removal':
      return CLIENT_ALONE;
    case 'removal-update':
      return SERVER_ALONE;
  }
}
