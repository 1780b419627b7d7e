import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fileset } from '../config/index.js';
import { PACKAGE } from '../system/package.js';
import type { Exchange } from '../wire/connection.js';
import { Code } from '../wire/kinds.js';
import { encodeAbout, encodeReason, PROTOCOL_VERSION, REPLICATORS_MAX } from '../wire/messages.js';

/** As in package.json. */
function programVersion(): string {
  const text = readFileSync(join(PACKAGE, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** ABOUT: a replicator compares what it knows of a fileset with what this host does. Needs no session, and begins none. */
export function answerAbout(fileset: Fileset, isMounted: boolean, exchange: Exchange): void {
  const { policy, conflicts, replicators } = fileset;
  if (replicators.length > REPLICATORS_MAX) {
    exchange.reply(Code.failed, encodeReason(`${fileset.name} has too many replicators to name`));
    return;
  }
  const about = { isMounted, policy, conflicts, replicators, clock: Date.now() };
  exchange.reply(
    Code.ok,
    encodeAbout({ version: PROTOCOL_VERSION, program: programVersion(), ...about }),
  );
}
