import type { Section } from './row.js';

/** What can be wrong between hosts, and what the self-test finds. */
export const PEERS: readonly Section[] = [
  {
    title: 'Between hosts (--peers)',
    rows: [
      [
        'IZO7001',
        'unreachable',
        'error',
        'A server does not answer',
        'This host goes on alone and sends what it has when the server is back.',
      ],
      [
        'IZO7002',
        'wrong-key',
        'error',
        'A server refuses our key',
        'One of the two hosts has another key: one was made anew, or copied from elsewhere.',
      ],
      [
        'IZO7003',
        'network-mismatch',
        'error',
        'One host uses keys, the other trusts the network',
        'Both must agree, or anybody in between could choose.',
      ],
      [
        'IZO7004',
        'not-izo',
        'error',
        'What answers is not the lento that was meant',
        'Another program listens there, or another host has this address.',
      ],
      [
        'IZO7005',
        'version-differs',
        'error',
        'Two hosts speak different versions of the protocol',
        'They refuse each other until both have the same version of izo.',
      ],
      [
        'IZO7006',
        'fsetdb-differs',
        'error',
        'Two hosts have different descriptions of a fileset',
        'The two files serverdb and fsetdb are meant to be the same on every host.',
      ],
      [
        'IZO7007',
        'clock-differs',
        'warning',
        'The clocks of two hosts differ',
        'Modification times jump as files are changed on the one and the other; make(1) and backups are misled.',
      ],
      [
        'IZO7008',
        'fileset-not-served',
        'error',
        'A server does not know this host as a replicator of a fileset',
        'It refuses to send or take anything of it.',
      ],
      [
        'IZO7009',
        'peer-absent',
        'warning',
        'A replicator is not connected to this server',
        'It is switched off, cut off, or not configured yet. What it lacks is kept for it.',
      ],
      [
        'IZO7010',
        'peers-unknown',
        'note',
        'Whether replicators are connected is not known',
        'Clients connect to servers: only the lento of this host could tell, and it is not running.',
      ],
      [
        'IZO7011',
        'fileset-not-mounted',
        'warning',
        'A server has not mounted a fileset',
        'Until it has, this host goes on alone.',
      ],
      [
        'IZO7012',
        'replicators-differ',
        'note',
        'Two hosts name different replicators of a fileset',
        'Only what its server has counts: it alone lets hosts in. Elsewhere they are names for izo verify --peer.',
      ],
    ],
  },
  {
    title: 'The self-test (--selftest)',
    rows: [
      [
        'IZO8001',
        'selftest-failed',
        'error',
        'The self-test failed',
        'Two hosts made of nothing but this machine did not get through a day in the life of a fileset.',
      ],
    ],
  },
];
