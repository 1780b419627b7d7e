import assert from 'node:assert/strict';
import { screenOf } from '../../../src/core/cli/terminal/live.js';
import { renderMetrics } from '../../../src/core/cli/render/metrics.js';
import { needsHuman, renderStatus } from '../../../src/core/cli/render/status.js';
import type {
  FilesetStatus,
  PeerStatus,
  StuckStatus,
} from '../../../src/core/lento/status/fileset-status.js';
import type { LentoStatus } from '../../../src/core/lento/status/lento-status.js';
import { formatDuration, isoOf } from '../../../src/core/model/times.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');

const PEER: PeerStatus = {
  name: 'clientA',
  connected: true,
  lag: { records: 2, bytes: 2048, since: '2026-11-23T11:58:00Z' },
  expected: 1,
  since: '2026-11-23T11:00:00.000Z',
  error: undefined,
  transfers: [],
  stuck: [],
};

const FILESET: FilesetStatus = {
  name: 'shared',
  role: 'server',
  server: 'muskox',
  mounted: true,
  mountPoint: '/izo0',
  position: 'aa/7',
  permit: { holder: 'self', waiting: ['clientB'], generation: 3 },
  link: 'server',
  peers: [PEER],
  conflicts: 0,
  presto: undefined,
  log: undefined,
  error: undefined,
};

const STATUS: LentoStatus = { sysid: 'muskox', pid: 7, trustedNetwork: false, filesets: [FILESET] };

/** As a scraper reads it: every family has its help and type before its samples, and no sample comes twice. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  let family = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line);
    const type = /^# TYPE ([a-z_]+) gauge$/.exec(line);
    if (help !== null) family = help[1] ?? '';
    else if (type !== null) assert.equal(type[1], family);
    else {
      const sample = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[\d.e+]+)$/.exec(
        line,
      );
      assert.ok(sample !== null, `no sample: ${line}`);
      assert.equal(sample[1], family);
      const key = `${sample[1]}${sample[2] ?? ''}`;
      assert.ok(!samples.has(key), `twice: ${key}`);
      samples.set(key, Number(sample[3]));
    }
  }
  return samples;
}

describe('what status shows', () => {
  it('says what a peer lacks: how much, and for how long', () => {
    const text = renderStatus(STATUS, NOW).join('\n');
    assert.match(text, /clientA connected since \S+, lacks 2 records, 2K, 2 min old/);
    const lag = { records: 0, bytes: 0, since: undefined };
    const even = { ...STATUS, filesets: [{ ...FILESET, peers: [{ ...PEER, lag }] }] };
    assert.match(renderStatus(even, NOW).join('\n'), /has everything/);
  });

  it('tells durations by their two largest units', () => {
    const told = [-5, 0.4, 59, 60, 61, 3600, 3725, 90_000].map(formatDuration);
    const wanted = ['0 s', '0 s', '59 s', '1 min', '1 min 1 s', '1 h', '1 h 2 min', '1 d 1 h'];
    assert.deepEqual(told, wanted);
  });

  it('has no time for what no calendar has', () => {
    assert.equal(isoOf({ sec: 0, nsec: 5 }), '1970-01-01T00:00:00Z');
    assert.equal(isoOf({ sec: Number.MAX_SAFE_INTEGER, nsec: 0 }), undefined);
  });

  it('fits a screen, and writes over what was there', () => {
    const screen = screenOf(['first line', 'second', 'third'], 6, 2);
    assert.equal(screen, '\u001b[Hfirst \u001b[K\r\nsecond\u001b[K\u001b[J');
  });
});

describe('metrics', () => {
  it('are what Prometheus reads', () => {
    const samples = parse(renderMetrics(STATUS, NOW));
    const peer = '{fileset="shared",peer="clientA"}';
    assert.equal(samples.get('izo_up'), 1);
    assert.equal(samples.get(`izo_peer_lag_records${peer}`), 2);
    assert.equal(samples.get(`izo_peer_lag_seconds${peer}`), 120);
    assert.equal(samples.get('izo_permit_waiting{fileset="shared"}'), 1);
    assert.equal(samples.has('izo_log_bytes{fileset="shared"}'), false, 'what is not known');
  });

  it('have what is on its way, and what is not', () => {
    const transfer = { path: 'a', bytes: 25, size: 100, rate: 10, direction: 'to' } as const;
    const stuck: StuckStatus = {
      direction: 'from',
      path: 'b',
      operation: 'fetch',
      errno: 'ENOSPC',
      since: '2026-11-23T11:59:00Z',
    };
    const peer = { ...PEER, transfers: [transfer, { ...transfer, bytes: 0 }], stuck: [stuck] };
    const status = { ...STATUS, filesets: [{ ...FILESET, peers: [peer] }] };
    const samples = parse(renderMetrics(status, NOW));
    const value = (name: string, direction: string): number | undefined =>
      samples.get(`izo_peer_${name}{fileset="shared",peer="clientA",direction="${direction}"}`);
    assert.deepEqual(
      ['transfers', 'transfer_missing_bytes', 'transfer_rate_bytes', 'stuck', 'stuck_seconds'].map(
        (name) => [value(name, 'to'), value(name, 'from')],
      ),
      [
        [2, 0],
        [175, 0],
        [20, 0],
        [0, 1],
        [0, 60],
      ],
    );
  });

  it('survive names that would break a line', () => {
    const name = 'a"b\\c\nd';
    const odd = { ...STATUS, filesets: [FILESET, { ...FILESET, name }] };
    const samples = parse(renderMetrics(odd, NOW));
    assert.equal(samples.get('izo_conflicts{fileset="a\\"b\\\\c\\nd"}'), 0);
  });

  it('say that a human is needed where status does', () => {
    const broken = { ...STATUS, filesets: [{ ...FILESET, error: 'it is broken' }] };
    for (const status of [STATUS, broken]) {
      const wanted = needsHuman(status) ? 1 : 0;
      assert.equal(parse(renderMetrics(status, NOW)).get('izo_needs_human'), wanted);
    }
  });
});
