import { spawn } from 'node:child_process';
import { searchPath } from './processes.js';

/** How long a server may take for one answer before it counts as silent. */
const ANSWER_MS = 5_000;

/**
 * What comes of asking a file system for the attributes of its root. `dead`: a FUSE mount that nobody serves any more;
 * `silent`: no answer in time.
 */
export type MountAnswer = 'answers' | 'dead' | 'silent';

/**
 * Asks without the risk to wait for ever: who asks a server that hangs waits in the kernel, and may not even be killed
 * there. So another process asks, and is left behind if it must be. What cannot be asked for other reasons `answers`.
 */
export function askMount(mountPoint: string, timeoutMs = ANSWER_MS): Promise<MountAnswer> {
  // A time has to be asked for: the kernel may know the rest.
  const asking = spawn('stat', ['--cached=never', '--format=%Z', '--', mountPoint], {
    env: { PATH: searchPath(), LC_ALL: 'C' },
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  asking.stderr.setEncoding('latin1').on('data', (words: string) => {
    said += words;
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      asking.kill('SIGKILL');
      asking.unref();
      asking.stderr.destroy();
      resolve('silent');
    }, timeoutMs);
    asking.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asking.once('close', () => {
      clearTimeout(timer);
      resolve(said.includes('Transport endpoint is not connected') ? 'dead' : 'answers');
    });
  });
}
