import assert from 'node:assert/strict';
import {
  describeFailure,
  failureEnvelope,
  failureParagraph,
  wantsStack,
} from '../../../src/core/cli/failure.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { EXIT } from '../../../src/core/model/exit-codes.js';

const expected = new IzoError('not-formatted', '/tmp/fs0 holds no fileset', {
  exit: EXIT.refused,
  place: { file: '/etc/fstab', line: 7, column: 3 },
  remedy: '`izo mkizofs /tmp/fs0`.',
});

describe('failures', () => {
  it('of an expected kind say where, what and what to do', () => {
    assert.equal(
      failureParagraph(describeFailure(expected, 'kml show'), 'kml show'),
      'izo kml show: /etc/fstab:7:3: /tmp/fs0 holds no fileset. Try: `izo mkizofs /tmp/fs0`.',
    );
  });

  it('have the same keys in JSON, known or not', () => {
    assert.deepEqual(failureEnvelope(describeFailure(expected, '')), {
      error: {
        code: 'not-formatted',
        message: '/tmp/fs0 holds no fileset',
        place: { file: '/etc/fstab', line: 7, column: 3 },
        remedy: '`izo mkizofs /tmp/fs0`.',
        exit: 6,
      },
    });
    assert.deepEqual(Object.keys(failureEnvelope(describeFailure(new Error('x'), '')).error), [
      'code',
      'message',
      'place',
      'remedy',
      'exit',
    ]);
  });

  it('of an unexpected kind are called bugs, without a stack', () => {
    for (const thrown of [new TypeError('x is undefined'), 'x is undefined']) {
      const paragraph = failureParagraph(describeFailure(thrown, 'mount'), 'mount');
      assert.equal(
        paragraph,
        'izo mount: unexpected error: x is undefined (this is a bug; IZO_DEBUG=1 shows the stack).',
      );
    }
  });

  it('of the host are no bugs', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
    });
    const { code, exit, remedy } = describeFailure(full, 'mount');
    assert.deepEqual([code, exit, remedy], ['enospc', 1, 'Make room on the file system.']);
  });

  it('by Ctrl-C at a prompt are no bugs', () => {
    const cancelled = Object.assign(new Error('User force closed'), { name: 'ExitPromptError' });
    const failure = describeFailure(cancelled, 'join');
    assert.equal(failureParagraph(failure, 'join'), 'izo join: cancelled.');
    assert.equal(failure.exit, 130);
  });

  it('show stacks to who sets IZO_DEBUG', () => {
    assert.deepEqual(
      [{}, { IZO_DEBUG: '' }, { IZO_DEBUG: '0' }, { IZO_DEBUG: '1' }].map((env) => wantsStack(env)),
      [false, false, false, true],
    );
  });
});
