import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { IDENTITY_XATTR } from '../../src/core/cache/identity.js';
import { IzoError } from '../../src/core/model/errors.js';
import { carryOut } from '../../src/core/recovery/carry-out.js';
import { must } from '../../src/core/system/errno.js';
import { removexattrAt, setxattrAt } from '../../src/core/system/xattrs.js';
import { SoundCache, type RecoveryBench } from '../support/recovery-bench.js';

const RUNS = Number(process.env['IZO_DAMAGE_RUNS'] ?? 40);

const LOGS = ['kml', 'lml', 'last_rcvd', 'fileset', 'epochs', 'reserve'] as const;
const OBJECTS = ['', 'd', 'd/f', 'd/g', 'h'] as const;

type Change = (bytes: Buffer) => Buffer;

/** Where in a file, as a part of its length. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const offset = (bytes: Buffer, at: number): number => Math.floor(at * (bytes.length - 1));

const change: fc.Arbitrary<readonly [string, Change]> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, mask]): [string, Change] => [
    `byte ${at} ^ ${mask}`,
    (bytes) => {
      const index = offset(bytes, at);
      if (index >= 0) bytes.writeUInt8(bytes.readUInt8(index) ^ mask, index);
      return bytes;
    },
  ]),
  fc.tuple(place, fc.integer({ min: 1, max: 600 })).map(([at, length]): [string, Change] => [
    `${length} zeros at ${at}`,
    (bytes) => {
      const from = Math.max(0, offset(bytes, at));
      return bytes.fill(0, from, Math.min(bytes.length, from + length));
    },
  ]),
  place.map((at): [string, Change] => [
    `cut at ${at}`,
    (bytes) => bytes.subarray(0, offset(bytes, at)),
  ]),
  fc
    .uint8Array({ minLength: 1, maxLength: 600 })
    .map((more): [string, Change] => [
      `${more.length} bytes more`,
      (bytes) => Buffer.concat([bytes, more]),
    ]),
);

/** What is there instead of a log. */
const INSTEAD = {
  nothing: () => undefined,
  directory: (path: string) => mkdirSync(path),
  /** To nothing, so that who follows it does no harm elsewhere. */
  link: (path: string) => {
    symlinkSync('/nonexistent/izo', path);
  },
};

interface Damage {
  readonly text: string;
  readonly cause: (it: RecoveryBench) => void;
}

const toLog = fc.tuple(fc.constantFrom(...LOGS), change).map(([name, [text, act]]): Damage => ({
  text: `${name}: ${text}`,
  cause: (it) => {
    if (lstatSync(it.file(name), { throwIfNoEntry: false })?.isFile() === true) it.edit(name, act);
  },
}));

const insteadOfLog = fc
  .tuple(
    fc.constantFrom(...LOGS, 'stage', 'conflicts'),
    fc.constantFrom(...(Object.keys(INSTEAD) as (keyof typeof INSTEAD)[])),
  )
  .map(([name, what]): Damage => ({
    text: `${name}: ${what} instead`,
    cause: (it) => {
      rmSync(it.file(name), { recursive: true, force: true });
      INSTEAD[what](it.file(name));
    },
  }));

const toIdentity = fc
  .tuple(
    fc.constantFrom(...OBJECTS),
    fc.option(fc.uint8Array({ minLength: 1, maxLength: 80 }), { nil: undefined }),
  )
  .map(([path, value]): Damage => ({
    text: `identity of ${path || '/'}: ${value === undefined ? 'none' : Buffer.from(value).toString('hex')}`,
    cause: ({ lower }) => {
      removexattrAt(lower.root, path, IDENTITY_XATTR);
      if (value === undefined) return;
      must('setxattr', setxattrAt(lower.root, path, IDENTITY_XATTR, Buffer.from(value)));
    },
  }));

const damages = fc.array(fc.oneof({ weight: 3, arbitrary: toLog }, insteadOfLog, toIdentity), {
  minLength: 1,
  maxLength: 3,
});

/** Whatever is wrong with the logs, it is told, and not a failure of ours. @returns whether it can be mounted */
function mounts(it: RecoveryBench): boolean {
  try {
    it.mount();
    return true;
  } catch (error) {
    assert.ok(error instanceof IzoError, String(error));
    assert.ok(error.remedy !== undefined, error.message);
    return false;
  }
}

describe('a cache whose logs are damaged, whatever the damage', function () {
  this.timeout(120_000);
  let sound: SoundCache;
  before(async () => {
    sound = await SoundCache.make();
  });
  after(() => sound.remove());

  it('is mounted or refused, with a remedy; recovery makes it sound; no contents are lost', () =>
    fc.assert(
      fc.asyncProperty(damages, fc.boolean(), (causes, mountFirst) =>
        sound.bench((it) => {
          for (const { cause } of causes) cause(it);
          if (mountFirst) mounts(it);
          const { found, steps } = it.plan();
          carryOut(it.lower, found, steps, new Date());
          const said = causes.map(({ text }) => text).join('; ');
          assert.ok(mounts(it), `not after recovery: ${said}`);
          const at = (name: string): string => readFileSync(join(it.lower.path, name), 'utf8');
          assert.deepEqual([at('d/f'), at('d/g'), at('h')], ['one', 'two', 'three'], said);
          assert.deepEqual(it.plan().findings, [], said);
        }),
      ),
      { numRuns: RUNS },
    ));
});
