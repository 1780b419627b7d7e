import {
  encodeInvitation,
  findKey,
  keyFileToWrite,
  makeKey,
  type KeyId,
  type Pair,
  type Plan,
} from '../config/index.js';
import type { FileToWrite } from '../system/atomic-file.js';

export interface PlannedKeys {
  files: FileToWrite[];
  /** The token of each invited client. Secret. */
  tokens: Map<string, string>;
}

function token(plan: Plan, { client, server: name }: Pair, key: Buffer): string {
  const server = plan.servers.find((each) => each.name === name);
  if (server === undefined) throw new Error('a served fileset has a server: the plan was checked');
  const { ipaddr, port, bindaddr } = server;
  return encodeInvitation({
    server: { name, ipaddr, port, ...(bindaddr === undefined ? {} : { bindaddr }) },
    client,
    key,
    filesets: plan.filesets.filter(
      (each) => each.servername === name && each.replicators.includes(client),
    ),
  });
}

/** The keys that the plan asks for; those that are there stay. @throws IzoError where one is there and is not safe */
export function planKeys(plan: Plan): PlannedKeys {
  const files: FileToWrite[] = [];
  const tokens = new Map<string, string>();
  for (const pair of plan.pairs) {
    const { client, server, isInvited } = pair;
    const id: KeyId = { configDir: plan.configDir, client, server, side: 'server' };
    const existing = findKey(id);
    const key = existing ?? makeKey();
    if (existing === undefined) files.push(keyFileToWrite(id, key));
    if (isInvited) tokens.set(client, token(plan, pair, key));
  }
  return { files, tokens };
}
