import assert from 'node:assert/strict';
import { humanLine } from '../../../src/core/system/log-format.js';
import { levelOf, makeLogger } from '../../../src/core/system/log.js';

describe('the log', () => {
  let written: string;
  const destination = { write: (text: string) => (written += text) };

  beforeEach(() => {
    written = '';
  });

  const line = (): string => written.replace(/^\d\d:\d\d:\d\d\.\d\d\d /, 'TIME ');

  it('is one line for an event: time, level, name, message, fields', () => {
    makeLogger({ debuglevel: 0, name: 'lento', destination }).info(
      { peer: 'clientA', recno: 7, reason: 'no route', to: undefined },
      'connected',
    );
    assert.equal(line(), 'TIME info lento: connected peer=clientA recno=7 reason="no route"\n');
  });

  it('stays one line whatever the message holds', () => {
    makeLogger({ debuglevel: 0, name: 'lento', destination }).warn(
      { path: 'a\nb' },
      'x\ny\u001b[2J',
    );
    assert.equal(line(), 'TIME warn lento: x y [2J path="a\\nb"\n');
  });

  it('has the scale of the HOWTO', () => {
    assert.deepEqual([0, 1, 99, 100, 1000].map(levelOf), [
      'info',
      'debug',
      'debug',
      'trace',
      'trace',
    ]);
    const logger = makeLogger({ debuglevel: 1, name: 'lento', destination });
    logger.trace('no');
    logger.debug('yes');
    assert.equal(line(), 'TIME debug lento: yes\n');
  });

  it('tells no secrets, nested or of a child', () => {
    const logger = makeLogger({ debuglevel: 0, json: true, name: 'lento', destination });
    logger.info({ key: 'S3CRET', peer: { psk: 'S3CRET', list: [{ token: 'S3CRET' }] } }, 'x');
    logger.child({ token: 'S3CRET' }).info('y');
    assert.doesNotMatch(written, /S3CRET/);
    assert.equal(written.split('[secret]').length - 1, 4);
  });

  it('is JSON on request', () => {
    makeLogger({ debuglevel: 0, json: true, name: 'lento', destination }).info({ a: 1 }, 'x');
    const { name, msg, level, a } = JSON.parse(written) as Record<string, unknown>;
    assert.deepEqual({ name, msg, level, a }, { name: 'lento', msg: 'x', level: 30, a: 1 });
  });

  it('shows the stack of an error only to who debugs', () => {
    const err = new Error('disk full');
    makeLogger({ debuglevel: 0, name: 'lento', destination }).error({ err }, 'stopped');
    assert.equal(line(), 'TIME error lento: stopped err="disk full"\n');
    written = '';
    makeLogger({ debuglevel: 1, name: 'lento', destination }).error({ err }, 'stopped');
    assert.match(
      line(),
      /^TIME error lento: stopped err="disk full"\n {4}Error: disk full\n {8}at /,
    );
  });

  it('lives through errors that carry bytes', () => {
    const err = Object.assign(new Error('refused'), { code: 'x', payload: Buffer.alloc(3) });
    makeLogger({ debuglevel: 0, json: true, name: 'lento', destination }).error({ err }, 'stopped');
    const logged = JSON.parse(written) as { err: Record<string, unknown> };
    assert.deepEqual(Object.keys(logged.err), ['type', 'message', 'stack', 'code']);
  });

  it('leaves the time to the journal of systemd, and tells it the priority of every line', () => {
    const entry = {
      level: 50,
      time: 0,
      name: 'lento',
      msg: 'x',
      err: { message: 'm', stack: 's\nt' },
    };
    assert.equal(
      humanLine(JSON.stringify(entry), { journal: true, stacks: true }),
      '<3>lento: x err=m\n<3>    s\n<3>    t\n',
    );
  });
});
