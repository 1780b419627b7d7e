import type { Socket } from 'node:net';
import { formatIdentity, parseIdentity, type Identity } from './identity.js';

/**
 * The first words on a trusted network: the client says `izo-trusted clientA@muskox`, the server `izo-trusted ok` or
 * `izo-trusted no`, each a line. It tells the two kinds of network apart, with words for the person who mixed them up.
 */
const WORD = 'izo-trusted';
const LINE_BYTES_MAX = 200;
const NEWLINE = 0x0a;
/** First bytes of TLS records: alert and handshake. */
const TLS_BYTES = [0x15, 0x16];

/** What came instead of a line. */
export type ClaimProblem = 'tls' | 'garbage' | 'closed';

export function sendClaim(socket: Socket, identity: Identity): void {
  socket.write(`${WORD} ${formatIdentity(identity)}\n`);
}

export function sendVerdict(socket: Socket, welcome: boolean): void {
  socket.write(`${WORD} ${welcome ? 'ok' : 'no'}\n`);
}

/** Waits for the client's line. The caller sees to the time. */
export async function receiveClaim(socket: Socket): Promise<Identity | ClaimProblem> {
  const words = await receiveWords(socket);
  if (typeof words === 'string') return words;
  return parseIdentity(words.text) ?? 'garbage';
}

/** Waits for the server's line. The caller sees to the time. */
export async function receiveVerdict(socket: Socket): Promise<boolean | ClaimProblem> {
  const words = await receiveWords(socket);
  if (typeof words === 'string') return words;
  return words.text === 'ok' ? true : words.text === 'no' ? false : 'garbage';
}

async function receiveWords(socket: Socket): Promise<{ text: string } | ClaimProblem> {
  const line = await receiveLine(socket);
  if (line === undefined) return 'closed';
  if (TLS_BYTES.includes(line[0] ?? 0)) return 'tls';
  const text = line.toString('latin1');
  return text.startsWith(`${WORD} `) ? { text: text.slice(WORD.length + 1) } : 'garbage';
}

/**
 * Reads up to the first newline, and leaves what follows in the socket. Without a newline it takes what there is as
 * soon as that cannot become a line of ours; undefined where the connection ends first.
 */
function receiveLine(socket: Socket): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const finish = (line: Buffer | undefined): void => {
      socket.off('data', onData).off('close', onClose).pause();
      resolve(line);
    };
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk.subarray(0, LINE_BYTES_MAX)]);
      const before = received.length - Math.min(chunk.length, LINE_BYTES_MAX);
      const end = received.indexOf(NEWLINE);
      if (end >= 0) {
        finish(received.subarray(0, end));
        const rest = chunk.subarray(end + 1 - before);
        if (rest.length > 0) socket.unshift(rest);
      } else if (received.length >= LINE_BYTES_MAX || TLS_BYTES.includes(received[0] ?? 0)) {
        finish(received);
      }
    };
    const onClose = (): void => {
      finish(undefined);
    };
    socket.on('data', onData).on('close', onClose);
  });
}
