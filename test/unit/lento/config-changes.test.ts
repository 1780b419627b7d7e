import assert from 'node:assert/strict';
import type { Configuration, Fileset, Server } from '../../../src/core/config/index.js';
import { compareConfigurations } from '../../../src/core/lento/service/config-changes.js';

const place = { file: 'f' };

const server = (name: string, more: Partial<Server> = {}): Server => ({
  name,
  ipaddr: '192.168.0.3',
  port: 2222,
  place,
  ...more,
});

const fileset = (name: string, more: Partial<Fileset> = {}): Fileset => ({
  name,
  servername: 'muskox',
  replicators: ['clientA'],
  policy: 'write',
  conflicts: 'keep-both',
  place,
  ...more,
});

function configuration(name: string, servers: Server[], filesets: Fileset[]): Configuration {
  const byName = <T extends { name: string }>(all: T[]) => new Map(all.map((x) => [x.name, x]));
  return {
    configDir: '/etc/intermezzo',
    files: { sysid: 'sysid', serverdb: 'serverdb', fsetdb: 'fsetdb' },
    sysid: { name, psdev: '/dev/intermezzo0', place },
    servers: byName(servers),
    filesets: byName(filesets),
    warnings: [],
  };
}

describe('a configuration that is read again', () => {
  const now = configuration('clientA', [server('muskox')], [fileset('shared')]);

  const compare = (servers: Server[], filesets: Fileset[]) => {
    const { changes, restarted } = compareConfigurations(
      now,
      configuration('clientA', servers, filesets),
    );
    return { changes: changes.map(({ what, applied }) => [what, applied]), restarted };
  };

  it('changes nothing where it says the same, or only something else about other hosts', () => {
    const others = fileset('theirs', { replicators: ['clientB'] });
    assert.deepEqual(compare([server('muskox')], [fileset('shared'), others]), {
      changes: [],
      restarted: [],
    });
  });

  it('has filesets begin anew that are something else here, and only those', () => {
    const both = fileset('shared', { replicators: ['clientA', 'clientB'] });
    const added = fileset('docs', { policy: 'readonly' });
    assert.deepEqual(compare([server('muskox')], [both, added]), {
      changes: [
        ['fileset shared: replicator clientB is new', true],
        ['fileset docs: is new here', true],
      ],
      restarted: ['docs'],
    });
    const moved = fileset('shared', { servername: 'bison' });
    assert.deepEqual(compare([server('muskox'), server('bison')], [moved]).restarted, ['shared']);
    const out = fileset('shared', { replicators: ['clientB'] });
    assert.deepEqual(compare([server('muskox')], [out]), {
      changes: [['fileset shared: is not of this host any more', true]],
      restarted: ['shared'],
    });
  });

  it('finds a server at its new address', () => {
    const { changes } = compare([server('muskox', { ipaddr: '10.0.0.9' })], [fileset('shared')]);
    assert.deepEqual(changes, [
      ['server muskox: 192.168.0.3 port 2222 -> 10.0.0.9 port 2222', true],
    ]);
  });

  it('keeps to where a server listens already, and takes what else has changed', () => {
    const old = configuration('muskox', [server('muskox')], [fileset('shared')]);
    const next = configuration(
      'muskox',
      [server('muskox', { port: 2345, ipaddr: '10.0.0.9' })],
      [fileset('shared', { replicators: [] })],
    );
    const { changes, effective } = compareConfigurations(old, next);
    assert.deepEqual(
      changes.map(({ applied }) => applied),
      [false, true],
    );
    assert.equal(effective.servers.get('muskox')?.port, 2222);
    assert.equal(effective.servers.get('muskox')?.ipaddr, '10.0.0.9');
    assert.deepEqual(effective.filesets.get('shared')?.replicators, []);
  });

  it('does nothing at all under another name', () => {
    const next = configuration('clientB', [], []);
    const { changes, effective } = compareConfigurations(now, next);
    assert.deepEqual(changes, [{ what: 'sysid: name clientA -> clientB', applied: false }]);
    assert.equal(effective, now);
  });
});
