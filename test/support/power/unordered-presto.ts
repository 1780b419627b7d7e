/**
 * A presto for a cache whose logs do not have the flag +j, which izo itself refuses. It shows what the flag is for.
 *
 *   node --import tsx unordered-presto.ts REQUEST
 */
import { join } from 'node:path';
import { runPresto, type PrestoRequest } from '../../../src/core/presto/daemon.js';
import { DebugLevel } from '../../../src/core/system/log.js';
import { mountLowerTree } from './lower-tree.js';

const request = JSON.parse(process.argv[2] ?? '') as PrestoRequest;
await runPresto(
  request,
  () => undefined,
  {
    ready: () => process.stdout.write('ready\n'),
    progress: () => undefined,
    failed: () => undefined,
  },
  {
    debug: new DebugLevel(0),
    stop: new AbortController().signal,
    acquire: ({ device, runDir, cacheType }) =>
      mountLowerTree(device, join(runDir, 'lower', 'unordered'), cacheType ?? 'ext3'),
  },
);
