import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath, type MountedState } from '../../src/core/presto/mounting/mounted-state.js';
import { Channel, ChannelClosed } from '../../src/core/psdev/channel.js';
import { readStatus, type PrestoStatus } from '../../src/core/psdev/messages.js';

/** presto talks to one at a time, and hears a moment later that the last one has gone. */
const TRIES = 100;
const PAUSE_MS = 20;

/** Asks the presto of a mounted fileset, as a lento does; there must be no other lento. */
export async function prestoStatus(runDir: string, state: MountedState): Promise<PrestoStatus> {
  const path = socketPath(runDir, state.psdev, state.fileset);
  for (let tries = 1; ; tries++) {
    const channel = new Channel(connect(path), () => {
      throw new Error('presto asks nothing');
    });
    try {
      return readStatus((await channel.request('status')).head);
    } catch (error) {
      if (!(error instanceof ChannelClosed) || tries === TRIES) throw error;
      await sleep(PAUSE_MS);
    } finally {
      channel.close();
      await channel.closed;
    }
  }
}
