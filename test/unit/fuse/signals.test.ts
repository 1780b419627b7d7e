import assert from 'node:assert/strict';
import { isAskedToEnd, meansEnd } from '../../../src/core/fuse/device/signals.js';

/** Signals as proc_pid_status(5) has them. */
function status(
  signals: Partial<Record<'SigPnd' | 'ShdPnd' | 'SigBlk' | 'SigIgn' | 'SigCgt', number[]>>,
): string {
  const lines = ['SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt'] as const;
  return lines
    .map((field) => {
      const mask = (signals[field] ?? []).reduce((bits, n) => bits | (1n << BigInt(n - 1)), 0n);
      return `${field}:\t${mask.toString(16).padStart(16, '0')}`;
    })
    .join('\n');
}

const [INT, KILL, USR1, ALRM, TERM, CHLD, URG] = [2, 9, 10, 14, 15, 17, 23] as const;

describe('signals of a program that waits', () => {
  it('mean its end where people or the kernel want that', () => {
    assert.ok(meansEnd(status({ SigPnd: [KILL] })));
    assert.ok(meansEnd(status({ ShdPnd: [TERM], SigCgt: [TERM] })));
    assert.ok(meansEnd(status({ ShdPnd: [INT], SigCgt: [INT] })));
    assert.ok(meansEnd(status({ ShdPnd: [ALRM] })), 'it has no handler: it ends the program');
  });

  it('do not where the program takes them, ignores them, blocks them, or nobody minds', () => {
    for (const signal of [USR1, ALRM, URG]) {
      assert.ok(!meansEnd(status({ ShdPnd: [signal], SigCgt: [signal] })), String(signal));
    }
    assert.ok(!meansEnd(status({ ShdPnd: [USR1], SigIgn: [USR1] })));
    assert.ok(!meansEnd(status({ ShdPnd: [TERM], SigBlk: [TERM] })));
    assert.ok(!meansEnd(status({ ShdPnd: [CHLD, URG] })));
    assert.ok(!meansEnd(status({})));
  });

  it('are not waited for where the program cannot be looked at', () => {
    assert.ok(isAskedToEnd(2 ** 30));
    assert.ok(!isAskedToEnd(process.pid));
  });
});
