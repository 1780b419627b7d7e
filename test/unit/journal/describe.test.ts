import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeRecord, formatTime, recordToJson } from '../../../src/core/journal/index.js';
import { Opcode } from '../../../src/core/model/records.js';
import { anyBody, anyHead, headOf, mkdirOf } from './support.js';

describe('describeRecord', () => {
  it('is one printable line for every record, and its JSON is JSON', () => {
    fc.assert(
      fc.property(anyHead, anyBody, (head, body) => {
        const record = { head: { ...head, recno: 3 }, body };
        assert.doesNotMatch(describeRecord(record), /\p{Cc}/u);
        const json = recordToJson(record);
        assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
      }),
    );
  });

  it('tells number, time, operation, path, actor, origin and versions', () => {
    const head = { ...headOf(2), recno: 5, before: { replica: 0xabc, recno: 9 } };
    assert.equal(
      describeRecord({ head, body: mkdirOf('d\xc3\xa4r') }),
      '5  2023-11-14T22:13:22.123456789Z  MKDIR  där  mode=0755  uid=1000  gid=100  ' +
        'by 1000:100 pid 4711  origin 0123456789ab.2  saw 000000000abc.9',
    );
  });

  it('shows of a SETATTR what it changes, and the root as a slash', () => {
    const time = { sec: 0, nsec: 1 };
    const zero = { sec: 0, nsec: 0 };
    const json = recordToJson({
      head: { ...headOf(1), recno: 1 },
      body: {
        op: Opcode.SETATTR,
        path: '',
        valid: 16,
        mode: 0,
        uid: 0,
        gid: 0,
        atime: zero,
        mtime: time,
      },
    });
    assert.equal(json['path'], '/');
    assert.equal(json['mtime'], '1970-01-01T00:00:00.000000001Z');
    assert.ok(!('mode' in json));
    assert.equal(json['before'], null);
  });

  it('shows times before 1970 and beyond the calendar', () => {
    assert.equal(formatTime({ sec: -1, nsec: 5 }), '1969-12-31T23:59:59.000000005Z');
    assert.equal(formatTime({ sec: 2 ** 52, nsec: 5 }), '4503599627370496.000000005s');
  });
});
