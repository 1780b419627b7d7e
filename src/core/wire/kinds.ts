/**
 * What a request asks for. Numbers are part of the protocol: never reuse one. Payloads are defined in messages.ts.
 */
export const Kind = {
  /** First request of either end: protocol version, features, host, and its filesets with their log ids. */
  HELLO: 1,
  /** Keeps a silent link alive. Empty; the connection itself answers. */
  PING: 2,
  /** A batch of journal records with small contents, from the log of the sender. */
  RECORDS: 3,
  /** FetchFile of the HOWTO: the contents of a file as one CLOSE record left them. Answered by DAT ... EOD. */
  FETCH: 4,
  /** A client asks the server for the permit of a fileset. */
  PERMIT: 5,
  /** The server takes the permit back from its holder; the reply says that it was given up. */
  REVOKE: 6,
  /** The receiver of records says how far it has applied them. A notice. */
  ACK: 7,
  /** Answered when everything that was sent before it has been applied: `izo sync --wait`. */
  BARRIER: 8,
  /** REPSTATUS: what each end expects next from the other, with the checksum of the last record it has. */
  POSITION: 9,
  /** A fileset is not served any more on this connection, because it was unmounted or went wrong. A notice. */
  LEAVE: 10,
  /** A whole object of the server's tree, for a merge. Answered by DAT ... EOD. */
  OBJECT: 11,
  /** What the server knows of a fileset and of itself, for `izo config-check --peers`. Needs no HELLO. */
  ABOUT: 12,
  /** The whole tree of the server without contents, for a replicator that its log does not reach. DAT ... EOD. */
  WALK: 13,
  /** Contents of small files of the tree, several at once. Answered by DAT ... EOD. */
  CONTENTS: 14,
  /** A page of what a host's tree looks like, with digests of contents: `izo verify`. */
  DIGEST: 15,
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

const NAMES = new Map<number, string>(Object.entries(Kind).map(([name, kind]) => [kind, name]));

/** For logs: the kind's name, or its number where it has none. */
export function kindName(kind: number): string {
  return NAMES.get(kind) ?? `kind ${kind}`;
}

/** The return code that begins every final packet: 0, or a number of errno(3) that says what went wrong. */
export const Code = {
  ok: 0,
  /** EIO: the handler of the request failed; the reason is in the log of the answering host. */
  failed: 5,
  /** EALREADY: a hello of a session that is over; the last session follows. */
  late: 114,
  /** ENOSYS: nobody there knows this kind of request. */
  unknown: 38,
  /** ECANCELED: the sink abandoned the transfer. */
  abandoned: 125,
} as const;
