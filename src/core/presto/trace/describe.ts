import { displayBytes } from '../../model/names.js';
import type { TraceEvent } from '../../psdev/trace.js';

const show = (path: string | null): string =>
  path === null ? '(without a name)' : `/${displayBytes(path)}`;

/** An operation as the log of presto has it: paths are from the root of the fileset. */
export function describeOperation(event: TraceEvent): string {
  const { operation, path, to, state, error, bytes, command, pid, uid, gid, waitedFor } = event;
  const words = [operation, show(path)];
  if (to !== null) words.push('->', show(to));
  if (bytes > 0) words.push(`${bytes} B`);
  words.push(`by ${displayBytes(command)}[${pid}] ${uid}:${gid}`);
  if (state === 'waits') return [...words, `waits for ${waitedFor ?? ''}`].join(' ');
  words.push(`${error ?? 'ok'} in ${event.ms.toFixed(3)} ms`);
  if (waitedFor !== null) words.push(`after ${event.waitedMs.toFixed(3)} ms for ${waitedFor}`);
  return words.join(' ');
}
