import type { Program } from './program.js';

/** What systemd runs, with the words that start it. */
interface Unit {
  readonly name: string;
  readonly text: string;
}

/**
 * No option here gives lento a mount namespace of its own (ProtectSystem, PrivateTmp, PrivateDevices ...): it would not
 * see what is mounted later. None forbids memory that is both written and executed: V8 compiles. The run-time directory
 * is made by izo and belongs to the mounts as well: it must outlive lento, so it is no RuntimeDirectory.
 */
function unit(description: string, command: string): string {
  return `# Made by izo install. To change something: systemctl edit.
[Unit]
Description=${description}
Documentation=man:lento(8) man:intermezzo(7)
Wants=network-online.target
After=network-online.target local-fs.target
Before=remote-fs.target

[Service]
Type=notify
NotifyAccess=main
ExecStart=${command}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=2
# A wrong configuration, or another lento that runs: trying again changes nothing.
RestartPreventExitStatus=2 5 6
WatchdogSec=30
TimeoutStartSec=120
TimeoutStopSec=60
OOMScoreAdjust=-500
LimitNOFILE=65536
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=multi-user.target
`;
}

/** Blanks and `%` mean something to systemd. */
function quoted(path: string): string {
  const text = path.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /[\s"'\\;]/.test(path) ? `"${text}"` : text;
}

/** lento of /etc/intermezzo/sysid, and `lento@NAME` of /etc/intermezzo/sysid.NAME. */
export function lentoUnits({ node, script }: Program): Unit[] {
  const command = `${quoted(node)} ${quoted(script)} lento`;
  return [
    { name: 'lento.service', text: unit('InterMezzo cache manager', command) },
    {
      name: 'lento@.service',
      text: unit('InterMezzo cache manager of sysid.%i', `${command} --idfile=sysid.%i`),
    },
  ];
}
