import { resolve } from 'node:path';
import { FUSE_TYPE } from '../fuse/port.js';
import { closest, didYouMean, listed, quoted } from '../config/index.js';
import type { Finding, Tell } from './diagnostic.js';
import type { HostFacts, MountPointFacts } from './facts.js';
import type { FstabMount } from './fstab.js';
import type { Survey } from './survey.js';

/** What is wrong between the lines of fstab and the other files, and among the lines. */
export function checkFstabLines(survey: Survey, tell: Tell): void {
  const { mounts } = survey.fstab;
  mounts.forEach((entry, index) => {
    checkMtpt(entry, tell);
    checkFileset(entry, survey, tell);
    checkAlone(entry, mounts.slice(0, index), tell);
  });
  if (survey.isWhole.fsetdb) checkMissingLines(survey, tell);
}

function checkMtpt({ mount, mountPoint, placeOf }: FstabMount, tell: Tell): void {
  const { mtpt } = mount;
  if (mtpt === undefined || resolve(mtpt) === resolve(mountPoint)) return;
  tell({
    code: 'mtpt-differs',
    message: `mtpt=${mtpt} is not the mount point ${mountPoint}`,
    place: placeOf(`mtpt=${mtpt}`),
    remedy: 'Make both the same, or leave mtpt= out.',
  });
}

function checkFileset(entry: FstabMount, survey: Survey, tell: Tell): void {
  const { mount, place, placeOf } = entry;
  const { fileset: name, prestodev } = mount;
  if (name === undefined) {
    const remedy = 'Add it: fileset=NAME';
    tell({ code: 'no-fileset', message: 'the option fileset= is missing', place, remedy });
    return;
  }
  const named = placeOf(`fileset=${name}`);
  const fileset = survey.filesets.find((each) => each.name === name);
  if (fileset === undefined && survey.isWhole.fsetdb) {
    const names = survey.filesets.map((each) => each.name);
    tell({
      code: 'unknown-fileset',
      message: `${survey.files.fsetdb} has no fileset ${quoted(name)}`,
      place: named,
      remedy: `${didYouMean(name, names)}Its filesets are ${listed(names)}.`,
    });
  }
  const sysid = survey.sysids.find(({ psdev }) => psdev === prestodev);
  if (sysid === undefined) tellPsdev(entry, survey, tell);
  else if (
    fileset !== undefined &&
    ![fileset.servername, ...fileset.replicators].includes(sysid.name)
  ) {
    tell({
      code: 'mount-not-involved',
      message: `${quoted(sysid.name)} neither serves nor replicates ${quoted(name)}`,
      place: named,
      remedy: `Make it a replicator of ${quoted(name)}, or mount by the device of one that is.`,
    });
  }
}

function tellPsdev({ mount, place, placeOf }: FstabMount, survey: Survey, tell: Tell): void {
  const psdevs = survey.sysids.map(({ psdev }) => psdev);
  // A sysid that cannot be read may be the one.
  if (psdevs.length === 0 || survey.findings.some((each) => isOfSysid(each, survey))) return;
  const { prestodev } = mount;
  const written = placeOf(`prestodev=${prestodev}`);
  const meant = closest(prestodev, psdevs);
  tell({
    code: 'unknown-psdev',
    message: `no sysid of this host has the presto device ${quoted(prestodev)}`,
    place: written.column === undefined ? place : written,
    remedy: `${meant === undefined ? '' : `Did you mean ${quoted(meant)}? `}Those of this host: ${listed(psdevs)}.`,
  });
}

function isOfSysid({ place }: Finding, { files, fstab }: Survey): boolean {
  return ![files.serverdb, files.fsetdb, fstab.file].includes(place.file);
}

function checkAlone(entry: FstabMount, others: readonly FstabMount[], tell: Tell): void {
  const { spec, mountPoint, mount, placeOf } = entry;
  for (const other of others) {
    const line = other.place.line ?? 0;
    const shared = (code: string, piece: string, remedy: string): void => {
      const message = `line ${line} has ${quoted(piece)} as well`;
      tell({ code, message, place: placeOf(piece), remedy });
    };
    if (resolve(other.mountPoint) === resolve(mountPoint)) {
      shared('mtpt-shared', mountPoint, 'Choose another mount point.');
    }
    if (other.spec === spec) shared('cache-shared', spec, 'Give each mount a cache of its own.');
    const isSame =
      mount.fileset !== undefined &&
      other.mount.fileset === mount.fileset &&
      other.mount.prestodev === mount.prestodev;
    if (!isSame) continue;
    const remedy = 'Remove one line, or mount it by the device of another lento of this host.';
    shared('fileset-shared', `fileset=${mount.fileset ?? ''}`, remedy);
  }
}

/** A line that is broken may be the one that is missed. */
function checkMissingLines({ fstab, filesets, sysids }: Survey, tell: Tell): void {
  if (fstab.findings.some(({ code }) => code !== 'fsck-pass')) return;
  for (const { name, servername, replicators, place } of filesets) {
    for (const sysid of sysids) {
      if (![servername, ...replicators].includes(sysid.name)) continue;
      const has = fstab.mounts.some(
        ({ mount }) => mount.fileset === name && mount.prestodev === sysid.psdev,
      );
      if (has) continue;
      tell({
        code: 'no-fstab-line',
        message: `${fstab.file} has no line for fileset ${quoted(name)} of ${quoted(sysid.name)}`,
        place,
        remedy: `Add one, such as: /var/lib/intermezzo/${name}.img /izo0 InterMezzo loop,fileset=${name},prestodev=${sysid.psdev},noauto 0 0`,
      });
    }
  }
}

/** What is wrong with the places where filesets are to be mounted. */
export function checkMountPoints(survey: Survey, facts: HostFacts, tell: Tell): void {
  for (const entry of survey.fstab.mounts) {
    const found = facts.mountPoints.get(entry.mountPoint);
    if (found !== undefined) checkMountPoint(entry, found, tell);
  }
}

function checkMountPoint(entry: FstabMount, found: MountPointFacts, tell: Tell): void {
  const { mountPoint, placeOf } = entry;
  const place = placeOf(mountPoint);
  const say = (code: string, message: string, remedy: string): void => {
    tell({ code, message: `${mountPoint} ${message}`, place, remedy });
  };
  if (found.answer === 'dead') {
    say('mount-dead', 'is mounted, and nobody serves it', `umountizo ${mountPoint}`);
  } else if (found.answer === 'silent') {
    const remedy = `See what it waits for, and what to do: umountizo ${mountPoint}`;
    say('mount-silent', 'is mounted, and does not answer', remedy);
  } else if (found.mounted !== undefined) {
    if (found.mounted === FUSE_TYPE) return;
    say('mount-foreign', `has a mount of ${found.mounted}`, `umount ${mountPoint}`);
  } else if (found.kind === 'missing') {
    tell({
      code: 'no-mount-point',
      message: `${mountPoint} does not exist`,
      place,
      remedy: `mkdir -p ${mountPoint}`,
      fixes: [{ kind: 'mkdir', path: mountPoint, mode: 0o755 }],
    });
  } else if (found.kind !== 'directory') {
    if (found.kind !== 'unknown') say('mount-point-kind', 'is no directory', 'Choose another.');
  } else if (found.names > 0) {
    const remedy = `See what is there: ls -la ${mountPoint}. Move it away, and into the fileset once that is mounted.`;
    say('mount-point-full', `holds ${found.names} files or directories`, remedy);
  }
}
