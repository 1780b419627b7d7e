import { LIMITS } from '../../model/limits.js';
import { Reader, Writer } from '../codec.js';
import { PROTOCOL_VERSION } from './greeting.js';

/** The most replicators that an answer names; a configuration file of as many is near its own limit. */
export const REPLICATORS_MAX = 16_384;
/** Words of the configuration: policies, the version of izo. */
const WORD_BYTES = 64;

/** What a server says of a fileset, and of itself, to a replicator that compares its configuration with it. */
export interface About {
  /** Of the protocol. Another one: nothing else of this is known. */
  readonly version: number;
  /** Of izo. */
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly clock: number;
  readonly isMounted: boolean;
  readonly policy: string;
  readonly conflicts: string;
  readonly replicators: readonly string[];
}

export function encodeAbout(about: About): Buffer {
  const { version, program, clock, isMounted, policy, conflicts, replicators } = about;
  return new Writer()
    .u16(version)
    .latin1(program, WORD_BYTES)
    .u64(clock)
    .bool(isMounted)
    .latin1(policy, WORD_BYTES)
    .latin1(conflicts, WORD_BYTES)
    .list(replicators, REPLICATORS_MAX, (name, writer) =>
      writer.latin1(name, LIMITS.sysidNameBytes),
    )
    .finish();
}

export function decodeAbout(payload: Buffer): About {
  const reader = new Reader(payload);
  const version = reader.u16();
  // What follows is that version's business.
  if (version !== PROTOCOL_VERSION) {
    const nothing = { program: '', clock: 0, isMounted: false, policy: '', conflicts: '' };
    return { version, ...nothing, replicators: [] };
  }
  const about = {
    version,
    program: reader.latin1(WORD_BYTES),
    clock: reader.u64(),
    isMounted: reader.bool(),
    policy: reader.latin1(WORD_BYTES),
    conflicts: reader.latin1(WORD_BYTES),
    replicators: reader.list(REPLICATORS_MAX, (each) => each.latin1(LIMITS.sysidNameBytes)),
  };
  reader.end();
  return about;
}
