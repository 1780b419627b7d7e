import { close, O_CLOEXEC, O_NONBLOCK } from './files.js';
import { checked, declare, Memory } from './native.js';

/**
 * What a service tells systemd about itself, see sd_notify(3): datagrams of lines `NAME=value` to the socket that
 * NOTIFY_SOCKET names. Node knows no datagram sockets of the local kind, so the calls are made here.
 */

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_NOSIGNAL = 0x4000;
/** sockaddr_un: the family, and a path of at most 108 bytes. */
const PATH_AT = 2;
const PATH_BYTES = 108;
const MESSAGE_BYTES = 4096;

const c = {
  socket: declare('int socket(int, int, int)'),
  sendto: declare('int64 sendto(int, uint64, uint64, int, uint64, uint32)'),
};

type Environment = Readonly<Record<string, string | undefined>>;

/** A local address as the kernel takes it; `@` begins one that is in no directory. */
function addressBytes(name: string): Buffer | undefined {
  const path = Buffer.from(name);
  if (path.length === 0 || path.length >= PATH_BYTES || !/^[/@]/.test(name)) return undefined;
  if (name.startsWith('@')) path[0] = 0;
  const address = Buffer.alloc(PATH_AT + path.length + (name.startsWith('@') ? 0 : 1));
  address.writeUInt16LE(AF_UNIX);
  path.copy(address, PATH_AT);
  return address;
}

/** Sends one datagram. @returns whether it was taken */
function send(address: Buffer, text: string): boolean {
  const message = Buffer.from(text).subarray(0, MESSAGE_BYTES);
  const memory = new Memory(message.length + address.length);
  message.copy(memory.buffer);
  address.copy(memory.buffer, message.length);
  const fd = checked(c.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC | O_NONBLOCK, 0));
  if (fd < 0) return false;
  const at = memory.address;
  const sent = checked(
    c.sendto(fd, at, message.length, MSG_NOSIGNAL, at + message.length, address.length),
  );
  close(fd);
  return sent === message.length;
}

/** The service manager that started this process; where none did, all of this does nothing. */
export class ServiceManager {
  readonly #address: Buffer | undefined;
  /** How often it wants to hear that this process lives, in milliseconds; undefined: it does not. */
  readonly watchdogMs: number | undefined;

  constructor(env: Environment = process.env) {
    this.#address = addressBytes(env['NOTIFY_SOCKET'] ?? '');
    const usec = Number(env['WATCHDOG_USEC']);
    const pid = env['WATCHDOG_PID'];
    const isForUs = pid === undefined || pid === '' || pid === String(process.pid);
    this.watchdogMs = usec > 0 && isForUs ? usec / 1000 : undefined;
  }

  get isThere(): boolean {
    return this.#address !== undefined;
  }

  /** Lines such as `READY=1`. @returns whether they were taken */
  tell(...lines: readonly string[]): boolean {
    // A line end would begin another assignment.
    const text = lines.map((line) => line.replaceAll(/\p{Cc}+/gu, ' ')).join('\n');
    return this.#address !== undefined && send(this.#address, text);
  }

  /** It is reading its configuration again; `READY=1` ends that. */
  reloading(): void {
    this.tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }
}
