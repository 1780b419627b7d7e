/**
 * Serves a mount as a presto does, says hello to lento, and stops for good in the first mkdir, after it has begun to tell
 * the kernel of a change in the same directory: who kills it then leaves a thread that waits in the kernel.
 *
 *   node --import tsx stuck-presto.ts MOUNT_POINT SOCKET
 */
import { createServer } from 'node:net';
import { mountDevice } from '../../../src/core/fuse/device/binding.js';
import { ROOT_NODE } from '../../../src/core/fuse/port.js';
import { Channel } from '../../../src/core/psdev/channel.js';
import { PSDEV_VERSION } from '../../../src/core/psdev/messages.js';
import { MemoryTree } from './memory-tree.js';

const [, , mountPoint = '', socket = ''] = process.argv;
const quiet = (): void => undefined;
const binding = mountDevice({ source: 'izo-test', mountPoint, readOnly: false, log: quiet });
const tree = new MemoryTree();
tree.mkdir = () => {
  binding.invalidateEntry(ROOT_NODE, 'changed');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
await binding.serve(tree);
const hello = { version: PSDEV_VERSION, fileset: 'shared', replica: 1, recno: 0, next: 1 };
createServer((accepted) => {
  const channel = new Channel(accepted, () => ({}));
  channel.notify('hello', { ...hello, lowerPath: '/', mountPoint, pid: process.pid });
}).listen(socket, () => process.stdout.write('ready\n'));
