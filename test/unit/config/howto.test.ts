import assert from 'node:assert/strict';
import {
  loadConfiguration,
  mustFindFileset,
  psdevName,
  roleOf,
  serverOf,
  type Role,
} from '../../../src/core/config/index.js';
import { errorOf, fixtures } from './support.js';

/** The files of the HOWTO, word for word: what was valid in 2001 is valid now, and means the same. */
const HOSTS: [directory: string, idfile: string | undefined, name: string, Role, psdev: string][] =
  [
    ['one-client', undefined, 'muskox', 'server', 'intermezzo0'],
    ['one-client', 'sysid.clientA', 'clientA', 'client', 'intermezzo0'],
    ['two-clients', 'sysid', 'muskox', 'server', 'intermezzo0'],
    ['two-clients', 'sysid.clientA', 'clientA', 'client', 'intermezzo0'],
    ['two-clients', 'sysid.clientB', 'clientB', 'client', 'intermezzo0'],
    ['aliased', 'sysid', 'muskox', 'server', 'intermezzo0'],
    ['aliased', 'sysid.muskoxA1', 'muskoxA1', 'client', 'intermezzo1'],
  ];

function load(directory: string, idfile?: string): ReturnType<typeof loadConfiguration> {
  const configDir = `${fixtures}/${directory}`;
  return loadConfiguration(idfile === undefined ? { configDir } : { configDir, idfile });
}

describe('the configurations of the HOWTO', () => {
  for (const [directory, idfile, name, role, psdev] of HOSTS) {
    it(`${directory}: ${name} is the ${role}`, () => {
      const config = load(directory, idfile);
      assert.equal(config.sysid.name, name);
      assert.equal(roleOf(config, 'shared'), role);
      assert.equal(psdevName(config.sysid.psdev), psdev);
      assert.deepEqual(config.warnings, []);
      const { ipaddr, port, bindaddr } = serverOf(config, 'shared');
      assert.deepEqual([ipaddr, port, bindaddr], ['192.168.0.3', 2222, undefined]);
      const { policy, conflicts } = mustFindFileset(config, 'shared');
      assert.deepEqual([policy, conflicts], ['write', 'keep-both']);
    });
  }

  it('the files in which the elements are explained', () => {
    const config = load('explained');
    assert.equal(serverOf(config, 'yourfsetname').bindaddr, '192.168.0.3');
    assert.deepEqual(mustFindFileset(config, 'yourfsetname').replicators, ['clientA', 'clientB']);
    assert.equal(config.sysid.bindaddr, '192.168.0.3');
  });

  it('--idfile may be absolute', () => {
    const idfile = `${fixtures}/aliased/sysid.muskoxA1`;
    assert.equal(load('one-client', idfile).sysid.name, 'muskoxA1');
  });

  it('a fileset that is not there is suggested', () => {
    const error = errorOf(() => serverOf(load('one-client'), 'shraed'));
    assert.equal(error.code, 'unknown-fileset');
    assert.match(error.remedy ?? '', /Did you mean `shared`\?/);
    assert.equal(roleOf(load('one-client'), 'shraed'), 'none');
  });

  it('a psdev must be a path without surprises', () => {
    for (const psdev of ['', 'intermezzo0', '/dev/', '/dev/../x', '/dev/a b', '/dev/.hidden']) {
      assert.equal(errorOf(() => psdevName(psdev)).code, 'bad-psdev');
    }
    assert.equal(psdevName('/dev/izo/one'), 'one');
  });
});
