import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import {
  decodeInvitation,
  invite,
  join,
  keyPath,
  loadConfiguration,
  localAddressTowards,
  readKey,
  roleOf,
} from '../../../src/core/config/index.js';
import { EXIT } from '../../../src/core/model/exit-codes.js';
import { errorOf, temporaryDirectories } from './support.js';

/** Contents of a tree of files, for "nothing changed". */
function snapshot(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(joinPath(directory, name)).isFile());
  return Object.fromEntries(
    files.sort().map((name) => [name, readFileSync(joinPath(directory, name), 'utf8')]),
  );
}

describe('invite and join', () => {
  const directory = temporaryDirectories();
  let server = '';
  let client = '';
  beforeEach(() => {
    server = directory('one-client');
    client = directory();
    rmSync(client, { recursive: true });
  });

  const inviteB = (): string => invite({ configDir: server, client: 'clientB' }).token;
  const joinAs = (token: string, force = false): string[] =>
    join({ configDir: client, token, bindaddr: '192.168.0.21', force }).written;

  it('make a client of an empty host', () => {
    const { token, changed } = invite({ configDir: server, client: 'clientB' });
    const id = { client: 'clientB', server: 'muskox' };
    assert.deepEqual(changed, [keyPath({ configDir: server, ...id }), `${server}/fsetdb`]);
    assert.ok(existsSync(`${server}/fsetdb.bak`));
    const written = joinAs(token);
    assert.deepEqual(
      written.map((path) => path.slice(client.length)),
      ['/keys/clientB@muskox', '/serverdb', '/fsetdb', '/sysid'],
    );
    for (const configDir of [server, client]) {
      const config = loadConfiguration({ configDir });
      assert.deepEqual(config.filesets.get('shared')?.replicators, ['clientA', 'clientB']);
      assert.equal(config.servers.get('muskox')?.ipaddr, '192.168.0.3');
    }
    const { sysid } = loadConfiguration({ configDir: client });
    assert.deepEqual(
      [sysid.name, sysid.psdev, sysid.bindaddr],
      ['clientB', '/dev/intermezzo0', '192.168.0.21'],
    );
    assert.deepEqual(readKey({ configDir: client, ...id }), readKey({ configDir: server, ...id }));
    assert.equal(roleOf(loadConfiguration({ configDir: client }), 'shared'), 'client');
    assert.equal(statSync(`${client}/sysid`).mode & 0o777, 0o644);
    assert.equal(statSync(client).mode & 0o777, 0o755);
  });

  it('twice is once', () => {
    const token = inviteB();
    const before = snapshot(server);
    const again = invite({ configDir: server, client: 'clientB' });
    assert.deepEqual([again.token, again.changed], [token, []]);
    assert.deepEqual(snapshot(server), before);
    joinAs(token);
    const joined = snapshot(client);
    assert.deepEqual(joinAs(token), []);
    assert.deepEqual(snapshot(client), joined);
  });

  it('a new key makes the old token worthless and the new one is taken', () => {
    joinAs(inviteB());
    const { token } = invite({ configDir: server, client: 'clientB', newKey: true });
    assert.deepEqual(joinAs(token), [`${client}/keys/clientB@muskox`]);
    assert.ok(!existsSync(`${client}/keys/clientB@muskox.bak`), 'no copies of keys');
  });

  it('a second server is added to what is there', () => {
    joinAs(inviteB());
    const bison = directory();
    writeFileSync(`${bison}/sysid`, '<sysid name="bison" psdev="/dev/intermezzo0"/>');
    writeFileSync(
      `${bison}/serverdb`,
      '<serverdb><server name="bison" ipaddr="fd00::4" port="99"/></serverdb>',
    );
    writeFileSync(
      `${bison}/fsetdb`,
      '<fsetdb><fileset name="wide" servername="bison" policy="readonly" conflicts="server"/></fsetdb>',
    );
    const { token } = invite({ configDir: bison, client: 'clientB', host: '10.1.2.3' });
    joinAs(token);
    const { filesets, servers } = loadConfiguration({ configDir: client });
    assert.deepEqual([...filesets.keys()], ['shared', 'wide']);
    assert.deepEqual(filesets.get('wide')?.policy, 'readonly');
    assert.deepEqual(filesets.get('wide')?.conflicts, 'server');
    assert.deepEqual([servers.get('bison')?.ipaddr, servers.get('bison')?.port], ['10.1.2.3', 99]);
  });

  it('a lento on the same host shares the directory', () => {
    const { token } = invite({ configDir: server, client: 'muskoxA1' });
    const written = join({
      configDir: server,
      idfile: 'sysid.A1',
      token,
      psdev: '/dev/intermezzo1',
    });
    assert.deepEqual(written.written, [`${server}/sysid.A1`]);
    const config = loadConfiguration({ configDir: server, idfile: 'sysid.A1' });
    assert.equal(roleOf(config, 'shared'), 'client');
  });

  it('nothing is taken off: replicators that joined elsewhere stay', () => {
    const early = inviteB();
    const { token } = invite({ configDir: server, client: 'clientC' });
    join({ configDir: client, token });
    const asB = join({ configDir: client, idfile: 'sysid.B', token: early });
    assert.deepEqual(
      asB.written.map((path) => path.slice(client.length)),
      ['/keys/clientB@muskox', '/sysid.B'],
    );
    const { filesets } = loadConfiguration({ configDir: client });
    assert.deepEqual(filesets.get('shared')?.replicators, ['clientA', 'clientB', 'clientC']);
  });

  const contradictions: [what: string, code: string, file: string, text: string, where: string][] =
    [
      [
        'another name',
        'join-other-sysid',
        'sysid',
        '<sysid name="clientX" psdev="/dev/intermezzo0"/>',
        '1:1',
      ],
      [
        'another address',
        'join-other-address',
        'serverdb',
        '<serverdb>\n <server name="muskox" ipaddr="10.0.0.1"/>\n</serverdb>',
        '2:2',
      ],
      [
        'another server',
        'join-other-server',
        'fsetdb',
        '<fsetdb>\n <fileset name="shared" servername="bison"/>\n</fsetdb>',
        '2:37',
      ],
    ];
  for (const [what, code, file, text, where] of contradictions) {
    it(`${what} is refused with its place and nothing is written, unless forced`, () => {
      const token = inviteB();
      client = directory();
      writeFileSync(joinPath(client, file), text);
      const before = snapshot(client);
      const error = errorOf(() => joinAs(token));
      assert.deepEqual([error.code, error.exit], [code, EXIT.refused]);
      assert.match(error.remedy ?? '', /--force/);
      assert.equal(`${String(error.place?.line)}:${String(error.place?.column)}`, where);
      assert.deepEqual(snapshot(client), before);
      joinAs(token, true);
      const config = loadConfiguration({ configDir: client });
      assert.equal(config.sysid.name, 'clientB');
      assert.equal(config.servers.get('muskox')?.ipaddr, '192.168.0.3');
      assert.equal(config.filesets.get('shared')?.servername, 'muskox');
      assert.equal(readFileSync(joinPath(client, `${file}.bak`), 'utf8'), text);
    });
  }

  it('a file with mistakes is not written over', () => {
    const token = inviteB();
    client = directory();
    writeFileSync(`${client}/fsetdb`, '<fsetdb>');
    assert.equal(errorOf(() => joinAs(token, true)).code, 'xml-malformed');
    assert.deepEqual(Object.keys(snapshot(client)), ['fsetdb']);
  });

  it('a fileset of an unknown server there already is told before anything is written', () => {
    const token = inviteB();
    client = directory();
    writeFileSync(`${client}/fsetdb`, '<fsetdb><fileset name="x" servername="gone"/></fsetdb>');
    assert.equal(errorOf(() => joinAs(token)).code, 'unknown-server');
    assert.deepEqual(Object.keys(snapshot(client)), ['fsetdb']);
  });

  it('only the server can invite, and not itself', () => {
    const asClient = { configDir: server, idfile: 'sysid.clientA', client: 'clientB' };
    assert.equal(errorOf(() => invite(asClient)).code, 'not-server');
    const named = { ...asClient, filesets: ['shared'] };
    assert.equal(errorOf(() => invite(named)).code, 'not-server');
    const self = { configDir: server, client: 'muskox' };
    assert.equal(errorOf(() => invite(self)).code, 'self-replicator');
    const unknown = { configDir: server, client: 'b', filesets: ['shard'] };
    assert.match(errorOf(() => invite(unknown)).remedy ?? '', /Did you mean `shared`\?/);
    assert.equal(errorOf(() => invite({ configDir: server, client: 'a b' })).code, 'bad-name');
    const host = { configDir: server, client: 'b', host: 'muskox' };
    assert.equal(errorOf(() => invite(host)).code, 'bad-address');
    assert.ok(!existsSync(`${server}/keys`));
  });

  it('what cannot be written is told', () => {
    const token = inviteB();
    writeFileSync(client, 'a file where the directory should be');
    const error = errorOf(() => joinAs(token));
    assert.equal(error.code, 'config-not-written');
    rmSync(client);
  });

  it('the token carries the policy of the fileset', () => {
    assert.deepEqual(decodeInvitation(inviteB()).filesets[0], {
      name: 'shared',
      policy: 'write',
      conflicts: 'keep-both',
      replicators: ['clientA', 'clientB'],
    });
  });

  it('the address towards another host is found without sending', async () => {
    assert.equal(await localAddressTowards('127.0.0.1', 2222), '127.0.0.1');
    await assert.rejects(localAddressTowards('255.255.255.255', 2222), { code: 'no-route' });
  });
});
