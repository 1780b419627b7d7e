import { setTimeout as sleep } from 'node:timers/promises';
import { treeOrder, isWithin } from '../../model/tree-digest.js';
import type { Connection } from '../../wire/connection.js';
import { ProtocolError } from '../../wire/errors.js';
import { Code, Kind } from '../../wire/kinds.js';
import {
  decodeDigestPage,
  decodeReason,
  encodeDigestRequest,
  type Address,
  type DigestPage,
} from '../../wire/messages.js';
import type { PageRequest } from './page.js';

/** Asks the host at the other end for a page of the tree of `host`. @throws Error with its reason where it refuses */
export async function askPage(
  connection: Connection,
  address: Address,
  host: string,
  request: PageRequest,
): Promise<DigestPage> {
  const { path, after, single, fast } = request;
  const payload = encodeDigestRequest({ ...address, host, path, after, single, fast });
  const reply = await connection.request(Kind.DIGEST, payload);
  if (reply.code === Code.unknown) throw new Error(`izo of ${host} is too old to be compared with`);
  if (reply.code !== Code.ok) {
    const why = decodeReason(reply.payload) || `error ${reply.code}`;
    throw new Error(`${host} cannot be compared with: ${why}`);
  }
  const page = decodeDigestPage(reply.payload);
  requireOrder(page, request);
  return page;
}

/** What is out of order, or was not asked for, would lead the comparison round in circles. */
function requireOrder({ entries }: DigestPage, { path, after }: PageRequest): void {
  let last = after;
  for (const entry of entries) {
    if (!isWithin(entry.path, path) || (last !== undefined && treeOrder(entry.path, last) <= 0)) {
      throw new ProtocolError('a page of digests that was not asked for');
    }
    last = entry.path;
  }
}

/** Whatever is on its way should have arrived by then; large contents take long. */
export const SETTLE_MS = 60_000;

/** Whether `condition` came true in time. */
export async function settled(condition: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = sleep(SETTLE_MS, false, { signal: timer.signal }).catch(() => false);
  const done = condition.then(
    () => true,
    () => false,
  );
  const result = await Promise.race([done, late]);
  timer.abort();
  return result;
}
