import type { ReadyPatch } from './ready-patch.js';

/** The file has the version that the CLOSE is about. */
export const PRESENT = { kind: 'present' } as const;

/** Contents that came from a peer: in memory, in a file of the stage directory, or what is different from those here. */
export type Contents =
  { kind: 'inline'; data: Buffer } | { kind: 'staged'; name: string } | ReadyPatch | typeof PRESENT;
