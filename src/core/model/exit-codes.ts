/**
 * Exit codes of every `izo` command, published in izo(1). An unknown code means failure.
 */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** Done, but something needs a human: warnings of a check, open conflicts. */
  findings: 3,
  notRunning: 4,
  busy: 5,
  /** Refused for safety: nothing was changed, `--force` or another path is named in the message. */
  refused: 6,
  timeout: 7,
  notPermitted: 8,
  /** By Ctrl-C, as shells have it: 128 + SIGINT. */
  interrupted: 130,
  /** mount(8) and umount(8): it failed. Only their helpers end with it. */
  mountFailed: 32,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
