import { IzoError } from '../model/errors.js';

/** sockaddr_un's sun_path without its final zero byte, unix(7). */
const SOCKET_PATH_BYTES = 107;

/** @returns the path of a local socket. @throws IzoError run-directory-long where the kernel would not take it */
export function requireSocketPath(path: string): string {
  const length = Buffer.byteLength(path);
  if (length <= SOCKET_PATH_BYTES) return path;
  throw new IzoError(
    'run-directory-long',
    `the socket's path has ${length} bytes, and the kernel takes ${SOCKET_PATH_BYTES}: ${path}`,
    { remedy: 'Choose a shorter run directory: IZO_RUN_DIR' },
  );
}
