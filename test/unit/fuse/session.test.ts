import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FuseOpcode } from '../../../src/core/fuse/device/protocol.js';
import { Session } from '../../../src/core/fuse/device/session.js';
import { MemoryTree } from '../../support/fuse/memory-tree.js';
import { fuseMessage, u32s } from '../../support/fuse/messages.js';

const { O_RDONLY, O_RDWR, O_NONBLOCK } = constants;
const bytes = (text: string) => Buffer.from(`${text}\0`);

/** A kernel that asks, and takes no answers: the reading end of a pipe cannot be written to. */
function withDeafKernel(use: (tree: MemoryTree, ask: (message: Buffer) => void) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'izo-session-'));
  const fifo = join(directory, 'device');
  execFileSync('mkfifo', [fifo]);
  const [kernel, device] = [openSync(fifo, O_RDWR), openSync(fifo, O_RDONLY | O_NONBLOCK)];
  const nothing = () => undefined;
  const events = {
    ready: nothing,
    refused: nothing,
    attributesChanged: nothing,
    entryStale: nothing,
    isUntold: () => false,
    parkedChanged: nothing,
  };
  const tree = new MemoryTree();
  const session = new Session(device, tree, events, nothing);
  try {
    use(tree, (message) => {
      writeSync(kernel, message);
      // On a busy machine a turn's time may be up before the pipe is seen to be empty.
      let end = session.turn();
      while (end === 'more') end = session.turn();
      assert.equal(end, 'drained');
    });
  } finally {
    closeSync(kernel);
    closeSync(device);
    rmSync(directory, { recursive: true });
  }
}

describe('an answer that the kernel does not take', () => {
  it('gives back lookups', () => {
    withDeafKernel((tree, ask) => {
      tree.put(tree.root, 'a', '');
      ask(fuseMessage(FuseOpcode.LOOKUP, bytes('a')));
      ask(fuseMessage(FuseOpcode.LOOKUP, bytes('missing')));
      ask(fuseMessage(FuseOpcode.MKDIR, Buffer.concat([u32s(0o755, 0), bytes('d')])));
      ask(fuseMessage(FuseOpcode.SYMLINK, Buffer.concat([bytes('s'), bytes('target')])));
      assert.equal(tree.calls.get('lookup'), 2);
      assert.deepEqual([...tree.root.names.keys()], ['a', 'd', 's']);
      assert.equal(tree.at('s').target, 'target');
      assert.equal(tree.lookups, 0);
    });
  });

  it('gives back the lookups of a whole directory', () => {
    withDeafKernel((tree, ask) => {
      for (let i = 0; i < 50; i++) tree.put(tree.root, `file-${i}`, '');
      // struct fuse_read_in: fh, offset, size.
      ask(fuseMessage(FuseOpcode.READDIRPLUS, u32s(0, 0, 0, 0, 4096, 0, 0, 0, 0, 0)));
      assert.equal(tree.calls.get('readdir'), 1);
      assert.equal(tree.lookups, 0);
    });
  });

  it('closes what was opened', () => {
    withDeafKernel((tree, ask) => {
      const create = Buffer.concat([u32s(0, 0o644, 0, 0), bytes('new')]);
      ask(fuseMessage(FuseOpcode.CREATE, create));
      const node = tree.at('new').id;
      assert.deepEqual([tree.lookups, tree.opened], [0, 0]);
      ask(fuseMessage(FuseOpcode.OPEN, u32s(0, 0), { node }));
      assert.equal(tree.calls.get('open'), 1);
      assert.equal(tree.opened, 0);
    });
  });
});
