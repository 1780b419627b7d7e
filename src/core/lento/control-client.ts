import { connect } from 'node:net';
import { IzoError } from '../model/errors.js';
import { EXIT } from '../model/exit-codes.js';
import { Channel } from '../psdev/channel.js';

/** @throws IzoError not-running, where no lento of this sysid answers. */
export async function connectToLento(path: string, sysid: string): Promise<Channel> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (cause) => {
      reject(
        new IzoError('not-running', `lento of ${sysid} is not running`, {
          exit: EXIT.notRunning,
          place: { file: path },
          remedy: 'Start it: izo lento',
          cause,
        }),
      );
    });
  });
  return new Channel(socket, () => {
    throw new Error('lento asks nothing');
  });
}
