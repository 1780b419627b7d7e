import type { Place } from '../model/errors.js';
import { attributeValue, checkShape, readConfigFile, type FileFormat } from './elements.js';
import type { Reading } from './problem.js';
import { checkBindAddress, checkName, checkPsdev } from './values.js';

/** This host: "Holds a name of your system, the presto device name and the IP bind address" (HOWTO, sysid). */
export interface Sysid {
  name: string;
  /** Path of the presto device, such as /dev/intermezzo0; see psdevName. */
  psdev: string;
  bindaddr?: string;
  place: Place;
}

export const SYSID_SHAPE = { required: ['name', 'psdev'], optional: ['bindaddr'] } as const;

export const SYSID: FileFormat<Sysid> = {
  root: 'sysid',
  whatMakesIt:
    'Run `izo inconfig` to write it, or `izo join TOKEN` with the token that `izo invite` gave on the server.',
  read(root, report) {
    checkShape(root, SYSID_SHAPE, report);
    const name = attributeValue(root, 'name', checkName, report);
    const psdev = attributeValue(root, 'psdev', checkPsdev, report);
    const bindaddr = attributeValue(root, 'bindaddr', checkBindAddress, report);
    if (name === undefined || psdev === undefined) return undefined;
    return { name, psdev, ...(bindaddr === undefined ? {} : { bindaddr }), place: root.place };
  },
};

/** Reads a file of the form `<sysid name="muskox" psdev="/dev/intermezzo0" bindaddr="192.168.0.3" />`. */
export function readSysid(file: string): Reading<Sysid> {
  return readConfigFile(file, SYSID);
}
