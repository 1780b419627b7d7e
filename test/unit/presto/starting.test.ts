import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { IzoError } from '../../../src/core/model/errors.js';
import {
  starterBehind,
  untilReady,
  type Starter,
} from '../../../src/core/presto/mounting/starting.js';

const SILENT_MS = 150;

describe('whoever has started presto', () => {
  let pipe: PassThrough;
  let now: number;
  let starter: Starter;
  let heard: string[];

  beforeEach(() => {
    pipe = new PassThrough();
    now = 0;
    heard = [];
    starter = starterBehind(
      (line) => pipe.write(line),
      () => now,
    );
  });

  const wait = (exited = new Promise<string>(() => undefined)) =>
    untilReady(pipe, exited, (words) => heard.push(words), SILENT_MS);

  it('hears by which binding it is mounted', async () => {
    const waiting = wait();
    starter.ready('native');
    assert.equal(await waiting, 'native');
  });

  it('waits as long as there are signs of life, and shows them', async () => {
    const waiting = wait();
    for (let count = 1; count <= 6; count++) {
      await sleep(SILENT_MS / 2);
      now += 1_000;
      starter.progress(() => `${count} objects`);
    }
    starter.ready('device');
    assert.equal(await waiting, 'device');
    assert.equal(heard.at(-1), '6 objects');
    assert.equal(heard.length, 6);
  });

  it('gives up on one that is silent, whether or not it ends', async () => {
    const waiting = wait();
    starter.progress(() => 'almost there');
    await assert.rejects(waiting, { code: 'presto-silent' });
  });

  it('hears why it failed', async () => {
    const waiting = wait();
    starter.failed(new IzoError('cache-busy', 'in use', { exit: 5, place: { file: '/c' } }));
    await assert.rejects(waiting, { code: 'cache-busy', message: 'in use', place: { file: '/c' } });
  });

  it('hears that it ended without a word', async () => {
    const waiting = wait(Promise.resolve('ended by SIGKILL'));
    pipe.end();
    await assert.rejects(waiting, { code: 'presto-failed', message: 'ended by SIGKILL' });
  });

  it('is told no more often than it can follow', () => {
    let asked = 0;
    for (now = 0; now < 1_000; now++) starter.progress(() => `${asked++}`);
    assert.equal(asked, 5);
  });

  it('does not disturb presto when it has gone', () => {
    const alone = starterBehind(() => {
      throw new Error('EPIPE');
    });
    alone.progress(() => 'x');
    alone.ready('device');
  });
});
